import { availableParallelism } from 'node:os';
import { startGateway } from '../gateway-process.ts';
import { sameText } from './client.ts';
import { type Candidate, measureRounds } from './generator.ts';
import type { Table } from './large-results.ts';
import { findNginx, startNginx, startNginxWorker } from './nginx.ts';
import { candidatesOf, gatewayConfig, startUpstream, toolCount } from './stand.ts';
import { hasWrk, startWrk } from './wrk.ts';

const rounds = { method: 'tools/call', levels: [64], rounds: 5, roundMs: 2000, warmUpMs: 5000 } as const;

/**
 * One process and one for each core, none of them pinned: what more processes bring, beside what they bring nginx. The load
 * comes from wrk and the worker is nginx, as both have to live on the same cores.
 */
export async function measureScaling(): Promise<Table> {
  const table = { title: 'tools/call, on all cores', unit: 'µs', yardsticks: {} } as const;
  const program = findNginx();
  if (program === null || !hasWrk()) {
    const note = "\nAll cores are not measured: Debian's nginx-light and wrk are not installed.";
    return { ...table, lines: [], note };
  }
  const stops: (() => Promise<void>)[] = [];
  const kept = async <T extends { stop(): Promise<void> }>(starting: T | Promise<T>): Promise<T> => {
    const started = await starting;
    stops.push(() => started.stop());
    return started;
  };
  try {
    const wrk = await kept(startWrk());
    const { origin } = await kept(startNginxWorker(program, await benchTools(), sameText));
    const pairs: (readonly [Candidate, Candidate, Candidate])[] = [];
    for (const processes of [1, availableParallelism()]) {
      const env = { SALLYPORT_PROCESSES: String(processes) };
      const gateway = await kept(startGateway(configOf(origin), { env }));
      const of = candidatesOf(gateway);
      const name = `${processes} ${processes === 1 ? 'process' : 'processes'}`;
      const plain = of(`gateway, ${name}`, 'bench-policy');
      const nginx = await kept(startNginx(program, origin, [], processes));
      pairs.push([
        {
          ...plain,
          name: `nginx, ${name}`,
          pid: nginx.pid,
          target: { ...plain.target, url: `${nginx.origin}/mcp` },
        },
        plain,
        of(`gateway, ${name}, sessions of 2025-11-25`, 'bench-policy', { style: 'session' }),
      ]);
    }
    const [one = [], all = []] = pairs;
    const lines = await measureRounds(wrk, [...one, ...all], rounds);
    const rateOf = ({ name }: Candidate) => lines.find((line) => line.name === name)?.perSecond ?? 0;
    const gains = all.map((candidate, at) => {
      const single = one[at];
      return single === undefined
        ? ''
        : `${candidate.name}: ${(rateOf(candidate) / rateOf(single)).toFixed(2)} ×`;
    });
    return { ...table, lines, note: `Calls per second to those of one process: ${gains.join('; ')}.` };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The worker alone. */
function configOf(origin: string): ReturnType<typeof gatewayConfig> {
  const config = gatewayConfig(origin);
  return { ...config, workers: config.workers?.filter(({ http }) => http !== undefined) ?? [] };
}

/** The tools of the worker that is measured with elsewhere. */
async function benchTools(): Promise<string> {
  const upstream = await startUpstream(toolCount, []);
  try {
    return await (await fetch(`${upstream.origin}/worker/tools`)).text();
  } finally {
    await upstream.stop();
  }
}
