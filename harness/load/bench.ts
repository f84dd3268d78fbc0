import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { end, type GatewayProcess, printedOrigin, startGateway } from '../gateway-process.ts';
import type { Job, Measurement } from './client.ts';
import { findNginx, startNginx } from './nginx.ts';
import { benchUser, grantsOf, rulesOf } from './policies.ts';
import { cpuOf, residentOf } from './process-usage.ts';
import { inspectable, measureSessions, type SessionCost } from './sessions.ts';
import { accessTokenFor } from './signed-in.ts';
import { type Line, printLines, printNote } from './table.ts';

/**
 * `npm run bench`: what one call costs through the gateway, with authentication, allow-list and audit, beside the same call
 * through nginx as a plain reverse proxy, in one run on one machine. What is measured has core 1 for itself; the load
 * generator and what stands behind share core 0, so requests per second are a floor and CPU per call is the figure to
 * compare. CPU counts what the gateway does after it answered, too: writing the audit records into the database.
 *
 *     node harness/load/bench.ts [--quick] [--json]
 *     node harness/load/bench.ts --url http://host/mcp/slug --header 'Authorization: Bearer …' [--tool name] [--argument name]
 *
 * The second form measures any MCP endpoint from outside; its tool must give its argument back. `--json` also writes
 * `results/bench.json`. The exit code tells only whether every answer was right, never how fast it was.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    url: { type: 'string' },
    header: { type: 'string', multiple: true, default: [] },
    tool: { type: 'string', default: 'Bench_Tool7' },
    argument: { type: 'string', default: 'text' },
  },
});
const levels = options.quick ? [16] : [1, 16, 64];
const rounds = options.quick ? 1 : 3;
const roundMs = options.quick ? 800 : 1200;
const warmUpMs = options.quick ? 500 : 2000;
const settleMs = 1000;
const toolCount = 500;
const largeToolCount = 5000;
const sessionCounts = options.quick ? { sessions: 100, streams: 20 } : { sessions: 10_000, streams: 1000 };
const allowedCount = 100;
const root = join(import.meta.dirname, '../..');

const pinning = canPin();
const onCore = (core: number): string[] => (pinning ? ['taskset', '-c', String(core)] : []);

function canPin(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface Candidate {
  readonly name: string;
  readonly target: Pick<Job, 'url' | 'headers' | 'style' | 'tool' | 'argument'>;
  /** Whose CPU time counts; null where it runs elsewhere. */
  readonly pid: number | null;
  readonly expectTools: number;
}

interface Generator {
  run(job: Job): Promise<Measurement>;
  stop(): Promise<void>;
}

/** The load generator: one process for the whole run, so that it is warm and stays on its core. */
function startGenerator(): Generator {
  const args = [...onCore(0), process.execPath, join(import.meta.dirname, 'client.ts')];
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

/** CPU time once the process has come to rest, so that work which it put off is counted. */
async function settledCpu(pid: number): Promise<number> {
  const until = performance.now() + settleMs;
  for (let last = cpuOf(pid); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const now = cpuOf(pid);
    if (now - last === 0 || performance.now() > until) return now;
    last = now;
  }
}

async function runRound(
  generator: Generator,
  candidate: Candidate,
  rest: Pick<Job, 'method' | 'connections'>,
): Promise<Line> {
  const before = candidate.pid === null ? 0 : cpuOf(candidate.pid);
  const { target, expectTools } = candidate;
  const job: Job = { ...target, ...rest, expectTools, durationMs: roundMs };
  const measured = await generator.run(job);
  const cpuMs = candidate.pid === null ? null : (await settledCpu(candidate.pid)) - before;
  const cpuUs = cpuMs === null ? null : (cpuMs * 1000) / measured.answers;
  return { name: candidate.name, connections: rest.connections, ...measured, cpuUs };
}

/** Of each figure the median; of wrong answers the sum. */
function medianOf(lines: readonly Line[]): Line {
  const [first] = lines;
  if (first === undefined) throw new Error('nothing was measured');
  const median = (figure: (line: Line) => number): number =>
    lines.map(figure).sort((a, b) => a - b)[Math.floor(lines.length / 2)] ?? 0;
  return {
    ...first,
    answers: lines.reduce((sum, line) => sum + line.answers, 0),
    wrong: lines.reduce((sum, line) => sum + line.wrong, 0),
    firstWrong: lines.find((line) => line.firstWrong !== null)?.firstWrong ?? null,
    perSecond: median((line) => line.perSecond),
    p50Ms: median((line) => line.p50Ms),
    p99Ms: median((line) => line.p99Ms),
    cpuUs: first.cpuUs === null ? null : median((line) => line.cpuUs ?? 0),
  };
}

/** Rounds are interleaved: what disturbs the machine for a while disturbs all alike. */
async function measureCalls(generator: Generator, candidates: readonly Candidate[]): Promise<Line[]> {
  const measured: Line[] = [];
  const method = 'tools/call';
  for (const { target } of candidates) {
    await generator.run({ ...target, method, connections: 16, durationMs: warmUpMs });
  }
  for (const connections of levels) {
    for (let round = 0; round < rounds; round++) {
      for (const candidate of candidates)
        measured.push(await runRound(generator, candidate, { method, connections }));
    }
  }
  const groups = levels.flatMap((level) =>
    candidates.map(({ name }) => measured.filter((line) => line.connections === level && line.name === name)),
  );
  return groups.map(medianOf);
}

async function measureLists(generator: Generator, candidates: readonly Candidate[]): Promise<Line[]> {
  const listed: Line[] = [];
  for (const candidate of candidates) {
    const lines: Line[] = [];
    for (let round = 0; round < rounds; round++) {
      lines.push(await runRound(generator, candidate, { method: 'tools/list', connections: 1 }));
    }
    listed.push(medianOf(lines));
  }
  return listed;
}

interface Stand {
  readonly calls: readonly Candidate[];
  readonly lists: readonly Candidate[];
  readonly gateway: GatewayProcess;
  stop(): Promise<void>;
}

function gatewayConfig(upstream: string) {
  const allowed = Array.from({ length: allowedCount }, (_, index) => `Bench.Tool${index}`);
  const gateway = (slug: string, more: object) => ({
    name: slug,
    slug,
    auth_types: ['arcade_header'],
    ...more,
  });
  return {
    workers: [
      { id: 'bench', http: { uri: upstream, secret: 'the-secret-of-the-bench-worker' } },
      { id: 'relay', mcp: { uri: `${upstream}/mcp` } },
    ],
    gateways: [
      gateway('bench', { tool_filter: { allowed_tools: allowed } }),
      gateway('bench-all', { tool_filter: { allowed_tools: ['Bench.*'] } }),
      gateway('bench-relay', { tool_filter: { allowed_tools: ['relay.*'] }, naming: 'source' }),
      gateway('bench-signed', { tool_filter: { allowed_tools: allowed }, auth_types: ['arcade'] }),
      gateway('bench-rules', { tool_filter: { allowed_tools: allowed } }),
      gateway('bench-policy', { tool_filter: { allowed_tools: allowed }, access: 'granted' }),
    ],
    rules: [...rulesOf('bench-rules'), ...rulesOf('bench-policy')],
    grants: grantsOf('bench-policy'),
  };
}

interface Upstream {
  readonly origin: string;
  stop(): Promise<void>;
}

async function startUpstream(tools: number): Promise<Upstream> {
  const args = [...onCore(0), process.execPath, join(import.meta.dirname, 'upstream.ts'), String(tools)];
  const child = spawn(args[0] ?? '', args.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  return { origin: await printedOrigin(child), stop: () => end(child) };
}

/** A gateway's slug, measured in one style. */
function candidatesOf({ pid, key, origin }: GatewayProcess) {
  const headers = { Authorization: `Bearer ${key}`, 'Arcade-User-ID': benchUser };
  const { tool, argument } = options;
  return (name: string, slug: string, style: Job['style'], expectTools = toolCount): Candidate => {
    const target = { url: `${origin}/mcp/${slug}`, headers, style, tool, argument };
    return { name, target, pid, expectTools };
  };
}

/** Everything that takes part, each a process of its own. */
async function build(): Promise<Stand> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.reverse()) await one();
  };
  try {
    const behind = await startUpstream(toolCount);
    stops.push(behind.stop);
    const upstream = behind.origin;
    const gateway = await startGateway(gatewayConfig(upstream), onCore(1));
    stops.push(gateway.stop);
    const of = candidatesOf(gateway);
    const signed = of('with an access token', 'bench-signed', 'stateless');
    const headers = { Authorization: `Bearer ${await accessTokenFor(gateway, 'bench-signed')}` };
    const calls = [
      of('gateway, 2026-07-28', 'bench', 'stateless'),
      { ...signed, target: { ...signed.target, headers } },
      of('gateway, session', 'bench', 'session'),
      of('gateway to MCP source', 'bench-relay', 'stateless'),
      of('with 20 rules', 'bench-rules', 'stateless'),
      of('20 rules, 10,000 grants', 'bench-policy', 'stateless'),
    ];
    const lists = [of(`gateway, ${toolCount} tools`, 'bench-all', 'stateless')];
    const program = findNginx();
    if (program === null) {
      printNote(
        'nginx is not installed here: the ratio to a plain proxy is left out (Debian: apt-get install nginx-light).',
      );
      return { calls, lists, gateway, stop };
    }
    const nginx = await startNginx(program, upstream, onCore(1));
    stops.push(nginx.stop);
    const target = { ...of('', '', 'stateless').target, url: `${nginx.origin}/mcp` };
    const plain = { name: 'nginx, plain proxy', target, pid: nginx.pid, expectTools: toolCount };
    const plainList = { ...plain, name: `nginx, ${toolCount} tools` };
    return { calls: [plain, ...calls], lists: [plainList, ...lists], gateway, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** A call that was answered has an audit record, or the figures are those of another product. */
async function countRecords({ origin, key }: GatewayProcess): Promise<number> {
  const answer = await fetch(`${origin}/v1/audit_events?kind=tool_call&limit=1`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  if (answer.status !== 200) throw new Error(`the audit records cannot be counted: HTTP ${answer.status}`);
  return ((await answer.json()) as { total_count: number }).total_count;
}

async function compare(generator: Generator): Promise<{ right: boolean; result: object }> {
  const stand = await build();
  try {
    const { gateway, lists } = stand;
    const idleMb = residentOf(gateway.pid);
    const calls = await measureCalls(generator, stand.calls);
    const listed = await measureLists(generator, lists);
    const records = await countRecords(gateway);
    const memory = { idleMb, afterLoadMb: residentOf(gateway.pid) };
    printLines('tools/call', calls, 'µs');
    printLines('tools/list', listed, 'ms');
    const [model] = cpus();
    printNote('');
    printNote(
      `Memory of the gateway: ${idleMb.toFixed(0)} MB idle, ${memory.afterLoadMb.toFixed(0)} MB after the load.`,
    );
    printNote(
      `Audit records: ${records}. ${pinning ? 'Pinned to cores' : 'Not pinned'}; ${model?.model}; Node ${process.version}.`,
    );
    const answered = calls
      .filter((line) => line.name.startsWith('gateway'))
      .reduce((sum, line) => sum + line.answers, 0);
    if (records < answered) printNote(`Of ${answered} calls only ${records} have an audit record.`);
    const right = allRight([...calls, ...listed]) && records >= answered;
    const machine = { pinning, model: model?.model, node: process.version };
    return { right, result: { calls, listed, memory, records, ...machine } };
  } finally {
    await stand.stop();
  }
}

interface Large {
  readonly largeList: readonly Line[];
  readonly sessions: SessionCost;
}

/** A list that is long and sessions that are many, in a gateway of their own, so that they weigh on no other figure. */
async function measureLarge(generator: Generator): Promise<Large> {
  const upstream = await startUpstream(largeToolCount);
  const { port, args } = await inspectable();
  try {
    const gateway = await startGateway(gatewayConfig(upstream.origin), onCore(1), args);
    try {
      const name = `gateway, ${largeToolCount} tools`;
      const long = candidatesOf(gateway)(name, 'bench-relay', 'stateless', largeToolCount);
      const largeList = await measureLists(generator, [long]);
      return { largeList, sessions: await measureSessions(gateway, 'bench-relay', port, sessionCounts) };
    } finally {
      await gateway.stop();
    }
  } finally {
    await upstream.stop();
  }
}

function printSessions(cost: SessionCost): boolean {
  const kb = (figure: number): string => `${figure.toFixed(1)} KB`;
  const { sessions, streams, wrong } = cost;
  printNote(
    `\nOne of ${sessions} idle sessions: ${kb(cost.heapKb)} of heap, ${kb(cost.residentKb)} resident.`,
  );
  const stream = `${kb(cost.streamHeapKb)} of heap, ${kb(cost.streamResidentKb)} resident`;
  printNote(`Each open stream of ${streams} of them adds ${stream}.`);
  if (wrong > 0) printNote(`${wrong} wrong answers. The first: ${cost.firstWrong}`);
  return wrong === 0;
}

async function measureFrom(url: string, generator: Generator): Promise<boolean> {
  const headers = Object.fromEntries(
    options.header.map((line) => [
      line.slice(0, line.indexOf(':')).trim(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const { tool, argument } = options;
  const calls = await measureCalls(
    generator,
    (['stateless', 'session'] as const).map((style) => ({
      name: style === 'stateless' ? '2026-07-28' : 'session',
      target: { url, headers, style, tool, argument },
      pid: null,
      expectTools: toolCount,
    })),
  );
  printLines('tools/call', calls, 'µs');
  writeResult({ url, calls });
  return allRight(calls);
}

function allRight(lines: readonly Line[]): boolean {
  const wrong = lines.filter((line) => line.wrong > 0 || line.answers === 0);
  for (const line of wrong)
    printNote(`${line.name}: ${line.wrong} wrong answers. The first: ${line.firstWrong}`);
  return wrong.length === 0;
}

function writeResult(result: object): void {
  if (!options.json) return;
  mkdirSync(join(root, 'results'), { recursive: true });
  writeFileSync(join(root, 'results/bench.json'), `${JSON.stringify(result, null, 2)}\n`);
}

async function measureAll(generator: Generator): Promise<boolean> {
  const compared = await compare(generator);
  const large = await measureLarge(generator);
  printLines('tools/list', large.largeList, 'ms');
  writeResult({ ...compared.result, ...large });
  const right = [printSessions(large.sessions), allRight(large.largeList), compared.right];
  return right.every((one) => one);
}

const generator = startGenerator();
try {
  const { url } = options;
  const right = await (url === undefined ? measureAll(generator) : measureFrom(url, generator));
  process.exitCode = right ? 0 : 1;
} finally {
  await generator.stop();
}
