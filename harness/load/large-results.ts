import { startGateway } from '../gateway-process.ts';
import { onCore } from './cores.ts';
import { type Generator, measureRounds } from './generator.ts';
import { findNginx, startNginx } from './nginx.ts';
import { candidatesOf, gatewayConfig, names, startUpstream, toolCount } from './stand.ts';
import type { Line } from './table.ts';

const answerBytes = 1024 * 1024;

export interface Table {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly unit: 'µs' | 'ms';
  readonly yardsticks: Readonly<Record<string, string>>;
  /** What is to be said under it. */
  readonly note?: string;
}

/** Answers of a megabyte. */
export async function measureLarge(generator: Generator): Promise<Table> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const upstream = await startUpstream(toolCount);
    stops.push(upstream.stop);
    const gateway = await startGateway(gatewayConfig(upstream.origin), { before: onCore(1) });
    stops.push(gateway.stop);
    const program = findNginx();
    const nginx = program === null ? null : await startNginx(program, upstream.origin, onCore(1));
    if (nginx !== null) stops.push(nginx.stop);
    const of = candidatesOf(gateway);
    const large = [of('gateway, worker', 'bench'), of('gateway, MCP source', 'bench-relay')].map(
      (candidate) => ({
        ...candidate,
        target: { ...candidate.target, tool: 'Bench_Large', answerBytes },
      }),
    );
    const [worker] = large;
    const plain =
      nginx === null || worker === undefined
        ? []
        : [
            {
              ...worker,
              name: names.nginx,
              pid: nginx.pid,
              target: { ...worker.target, url: `${nginx.origin}/mcp` },
            },
          ];
    const rounds = { method: 'tools/call', levels: [16], rounds: 5, roundMs: 1500, warmUpMs: 2000 } as const;
    const lines = await measureRounds(generator, [...plain, ...large], rounds);
    return { title: 'tools/call, answers of 1 MB', lines, unit: 'µs', yardsticks: { nginx: names.nginx } };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
