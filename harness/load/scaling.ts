import { availableParallelism } from 'node:os';
import { type GatewayProcess, startGateway } from '../gateway-process.ts';
import { measureRounds, startGenerator } from './generator.ts';
import type { Table } from './large-results.ts';
import { candidatesOf, gatewayConfig, startUpstream, toolCount } from './stand.ts';

/**
 * One process and one for each core, none of them pinned. The load generator and what stands behind need cores, too, so what
 * is gained here is less than on a machine of their own: CPU per call tells what more processes cost.
 */
export async function measureScaling(): Promise<Table> {
  const generator = startGenerator([]);
  const upstream = await startUpstream(toolCount, []);
  const gateways: GatewayProcess[] = [];
  try {
    const start = async (processes: number) => {
      const env = { SALLYPORT_PROCESSES: String(processes) };
      const gateway = await startGateway(gatewayConfig(upstream.origin), { env });
      gateways.push(gateway);
      const name = `${processes} ${processes === 1 ? 'process' : 'processes'}`;
      const of = candidatesOf(gateway);
      return [
        of(name, 'bench-policy'),
        of(`${name}, sessions of 2025-11-25`, 'bench-policy', { style: 'session' }),
      ];
    };
    const candidates = [...(await start(1)), ...(await start(availableParallelism()))];
    const rounds = { method: 'tools/call', levels: [64], rounds: 5, roundMs: 1500, warmUpMs: 4000 } as const;
    const lines = await measureRounds(generator, candidates, rounds);
    return {
      title: 'tools/call, on all cores',
      lines,
      unit: 'µs',
      yardsticks: { 'one process': '1 process' },
    };
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await upstream.stop();
    await generator.stop();
  }
}
