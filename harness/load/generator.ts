import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { end } from '../gateway-process.ts';
import type { Job, Measurement } from './client.ts';
import { onCore } from './cores.ts';
import { cpuOf } from './process-usage.ts';
import type { Line } from './table.ts';

export interface Generator {
  run(job: Job): Promise<Measurement>;
  stop(): Promise<void>;
}

/** The load generator: one process for the whole run, so that it is warm and stays on its core. */
export function startGenerator(before = onCore(0)): Generator {
  const args = [...before, process.execPath, join(import.meta.dirname, 'client.ts')];
  const child = spawn(args[0] ?? '', args.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error('the load generator ended');
      const outcome = JSON.parse(line.value) as Measurement | { error: string };
      if ('error' in outcome) throw new Error(outcome.error);
      return outcome;
    },
    stop: () => end(child),
  };
}

/** What is measured. */
export interface Candidate {
  readonly name: string;
  readonly target: Pick<Job, 'url' | 'headers' | 'style' | 'tool' | 'argument' | 'answerBytes'>;
  /** Whose CPU time counts; null where it is not looked at. */
  readonly pid: number | null;
  readonly expectTools: number;
}

export interface Rounds {
  readonly method: Job['method'];
  readonly levels: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

/** Rounds are interleaved: what disturbs the machine for a while disturbs all alike. Of each candidate and level the median. */
export async function measureRounds(
  generator: Generator,
  candidates: readonly Candidate[],
  { method, levels, rounds, roundMs, warmUpMs }: Rounds,
): Promise<Line[]> {
  const measured: Line[] = [];
  for (const { target, expectTools } of candidates) {
    if (warmUpMs > 0)
      await generator.run({
        ...target,
        method,
        expectTools,
        connections: levels.at(-1) ?? 1,
        durationMs: warmUpMs,
      });
  }
  for (const connections of levels) {
    for (let round = 0; round < rounds; round++) {
      for (const candidate of candidates)
        measured.push(await runRound(generator, candidate, { method, connections, durationMs: roundMs }));
    }
  }
  return levels.flatMap((level) =>
    candidates.map(({ name }) =>
      medianOf(measured.filter((line) => line.connections === level && line.name === name)),
    ),
  );
}

async function runRound(
  generator: Generator,
  { name, pid, target, expectTools }: Candidate,
  rest: Pick<Job, 'method' | 'connections' | 'durationMs'>,
): Promise<Line> {
  const before = pid === null ? null : cpuOf(pid);
  const measured = await generator.run({ ...target, ...rest, expectTools });
  const after = pid === null ? null : await settledCpu(pid);
  const per = (what: 'allMs' | 'databaseMs'): number | null =>
    before === null || after === null ? null : ((after[what] - before[what]) * 1000) / measured.answers;
  return {
    name,
    connections: rest.connections,
    ...measured,
    cpuUs: per('allMs'),
    databaseUs: per('databaseMs'),
  };
}

const settleMs = 1000;

/** CPU time once the process has come to rest, so that work which it put off is counted. */
async function settledCpu(pid: number): Promise<ReturnType<typeof cpuOf>> {
  const until = performance.now() + settleMs;
  for (let last = cpuOf(pid); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const now = cpuOf(pid);
    if (now.allMs - last.allMs === 0 || performance.now() > until) return now;
    last = now;
  }
}

/** Of each figure the median; of wrong answers the sum. */
function medianOf(lines: readonly Line[]): Line {
  const [first] = lines;
  if (first === undefined) throw new Error('nothing was measured');
  const median = (figure: (line: Line) => number | null): number =>
    lines.map((line) => figure(line) ?? 0).sort((a, b) => a - b)[Math.floor(lines.length / 2)] ?? 0;
  return {
    ...first,
    answers: lines.reduce((sum, line) => sum + line.answers, 0),
    wrong: lines.reduce((sum, line) => sum + line.wrong, 0),
    firstWrong: lines.find((line) => line.firstWrong !== null)?.firstWrong ?? null,
    perSecond: median((line) => line.perSecond),
    p50Ms: median((line) => line.p50Ms),
    p99Ms: median((line) => line.p99Ms),
    cpuUs: first.cpuUs === null ? null : median((line) => line.cpuUs),
    databaseUs: first.databaseUs === null ? null : median((line) => line.databaseUs),
  };
}
