import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type GatewayProcess, ownRoot, startGateway } from '../gateway-process.ts';
import { checkOut } from './compared-tree.ts';
import { onCore, pinning } from './cores.ts';
import { type Generator, measureRounds, type Rounds, startGenerator } from './generator.ts';
import { measureLarge } from './large-results.ts';
import { residentOf } from './process-usage.ts';
import { measureScaling } from './scaling.ts';
import { inspectable, measureSessions, type SessionCost } from './sessions.ts';
import {
  buildStand,
  candidatesOf,
  everythingOn,
  gatewayConfig,
  largeToolCount,
  names,
  startUpstream,
} from './stand.ts';
import { cpuRatio, type Line, printLines, printNote } from './table.ts';

/**
 * `npm run bench`: what one call costs through the gateway, by ever more of what it does, beside nginx and a bare proxy of
 * node:http and undici, in one run on one machine. What is measured has core 1 for itself; the load generator and what
 * stands behind share core 0, so requests per second are a floor and CPU per call is the figure to compare. CPU counts what
 * the gateway does after it answered, too: writing the audit records into the database.
 *
 *     npm run bench [-- --quick] [--json] [--compare <git ref>]
 *     npm run bench -- hub [--quick] [--json]: see `hub.ts`
 *     npm run bench -- --url http://host/mcp/slug --header 'Authorization: Bearer …' [--tool name] [--argument name]
 *
 * `--compare` measures the gateway of another commit beside this one. With `--url` any MCP endpoint is measured from outside;
 * its tool must give its argument back. `--json` also writes `results/bench.json`. It fails where an answer was wrong, and
 * where CPU per call is more than `maxToBare` times that of the bare proxy: never by how fast the machine was.
 */
const isOfHub = process.argv[2] === 'hub';
const { values: options } = parseArgs({
  // The bench of the hub has options of its own.
  args: isOfHub ? [] : process.argv.slice(2),
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    compare: { type: 'string' },
    url: { type: 'string' },
    header: { type: 'string', multiple: true, default: [] },
    tool: { type: 'string', default: 'Bench_Tool7' },
    argument: { type: 'string', default: 'text' },
  },
});
/** Head room for noise: what is meant is far less. */
const maxToBare = 6;
const level = 16;
const calls: Rounds = options.quick
  ? { method: 'tools/call', levels: [level], rounds: 5, roundMs: 500, warmUpMs: 4000 }
  : { method: 'tools/call', levels: [1, level, 64], rounds: 5, roundMs: 1000, warmUpMs: 4000 };
const lists: Rounds = { ...calls, method: 'tools/list', levels: [1], rounds: 3, warmUpMs: 0 };
const sessionCounts = options.quick ? { sessions: 100, streams: 20 } : { sessions: 10_000, streams: 1000 };
const toNginxAndBare = { nginx: names.nginx, 'bare Node': names.bare };

/** A call that was answered has an audit record, or the figures are those of another product. */
async function countRecords({ origin, key }: GatewayProcess): Promise<number> {
  const answer = await fetch(`${origin}/v1/audit_events?kind=tool_call&limit=1`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  if (answer.status !== 200) throw new Error(`the audit records cannot be counted: HTTP ${answer.status}`);
  return ((await answer.json()) as { total_count: number }).total_count;
}

interface Part {
  readonly right: boolean;
  readonly result: object;
}

async function measureCalls(generator: Generator): Promise<Part> {
  const compared = options.compare === undefined ? null : checkOut(options.compare);
  try {
    const stand = await buildStand(compared);
    try {
      const idleMb = residentOf(stand.gateway.pid);
      const steps = await measureRounds(generator, stand.steps, calls);
      printLines('tools/call, step by step', steps, 'µs', toNginxAndBare);
      const ways = options.quick ? [] : await measureRounds(generator, stand.ways, calls);
      if (ways.length > 0) printLines('tools/call, by other ways', ways, 'µs');
      const listed = await measureRounds(generator, stand.lists, lists);
      printLines('tools/list', listed, 'ms', { nginx: names.nginx });
      const records = await countRecords(stand.gateway);
      const memory = { idleMb, afterLoadMb: residentOf(stand.gateway.pid) };
      printNote(
        `\nMemory of the gateway: ${idleMb.toFixed(0)} MB idle, ${memory.afterLoadMb.toFixed(0)} MB after the load.`,
      );
      const own = new Set(
        [...stand.steps, ...stand.ways]
          .filter(({ pid }) => pid === stand.gateway.pid)
          .map(({ name }) => name),
      );
      const answered = [...steps, ...ways]
        .filter(({ name }) => own.has(name))
        .reduce((sum, { answers }) => sum + answers, 0);
      if (records < answered) printNote(`Of ${answered} calls only ${records} have an audit record.`);
      const lines = [...steps, ...ways, ...listed];
      const right = [allRight(lines), records >= answered, isNearBare(steps)].every((one) => one);
      return { right, result: { steps, ways, listed, memory, records } };
    } finally {
      await stand.stop();
    }
  } finally {
    compared?.remove();
  }
}

/** The promise that a change must not break. */
function isNearBare(steps: readonly Line[]): boolean {
  const toBare = cpuRatio(steps, everythingOn, names.bare, level);
  const toNginx = cpuRatio(steps, everythingOn, names.nginx, level);
  if (toBare === null) return true;
  const ofNginx = toNginx === null ? '' : `, ${toNginx.toFixed(2)} × that of nginx`;
  const said = `CPU per call with everything on, ${level} connections: ${toBare.toFixed(2)} × that of the bare Node proxy${ofNginx}`;
  printNote(`\n${said} (at most ${maxToBare} × bare).`);
  printAdded(steps);
  return toBare <= maxToBare;
}

/** What a call takes longer where nobody else calls. */
function printAdded(steps: readonly Line[]): void {
  const p50Of = (name: string) => steps.find((line) => line.name === name && line.connections === 1)?.p50Ms;
  const strict = '+ strict journal';
  const added = ([what, name, to]: readonly [string, string, string]): string[] => {
    const [own, other] = [p50Of(name), p50Of(to)];
    return own === undefined || other === undefined
      ? []
      : [`${what} ${((own - other) * 1000).toFixed(0)} µs`];
  };
  const all = [
    ['nginx', names.nginx, names.direct],
    ['the bare proxy', names.bare, names.direct],
    ['the gateway', everythingOn, names.direct],
    ['its strict journal another', strict, everythingOn],
  ] as const;
  const said = all.flatMap(added);
  if (said.length > 0)
    printNote(`One call at a time, p50, beyond that of the worker itself: ${said.join(', ')}.`);
}

/** A list that is long and sessions that are many, in a gateway of their own, so that they weigh on no other figure. */
async function measureMany(generator: Generator): Promise<Part> {
  const upstream = await startUpstream(largeToolCount);
  const { port, args } = await inspectable();
  try {
    const gateway = await startGateway(gatewayConfig(upstream.origin), { before: onCore(1), nodeArgs: args });
    try {
      const name = `gateway, ${largeToolCount} tools`;
      const long = candidatesOf(gateway)(name, 'bench-relay', { tools: largeToolCount });
      const longList = await measureRounds(generator, [long], lists);
      printLines('tools/list', longList, 'ms');
      const sessions = await measureSessions(gateway, 'bench-relay', port, sessionCounts);
      const right = [printSessions(sessions), allRight(longList)].every((one) => one);
      return { right, result: { longList, sessions } };
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

async function measureFrom(url: string, generator: Generator): Promise<Part> {
  const headers = Object.fromEntries(
    options.header.map((line) => [
      line.slice(0, line.indexOf(':')).trim(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const { tool, argument } = options;
  const candidates = (['stateless', 'session'] as const).map((style) => ({
    name: style === 'stateless' ? '2026-07-28' : 'session',
    target: { url, headers, style, tool, argument },
    pid: null,
    expectTools: 0,
  }));
  const lines = await measureRounds(generator, candidates, calls);
  printLines('tools/call', lines, 'µs');
  return { right: allRight(lines), result: { url, calls: lines } };
}

function allRight(lines: readonly Line[]): boolean {
  const wrong = lines.filter((line) => line.wrong > 0 || line.answers === 0);
  for (const line of wrong)
    printNote(`${line.name}: ${line.wrong} wrong answers. The first: ${line.firstWrong}`);
  return wrong.length === 0;
}

async function measureAll(generator: Generator): Promise<Part> {
  const parts = [await measureCalls(generator), await measureMany(generator)];
  if (!options.quick) {
    for (const measure of [() => measureLarge(generator), measureScaling]) {
      const { lines, title, unit, yardsticks, note } = await measure();
      if (lines.length > 0) printLines(title, lines, unit, yardsticks);
      if (note !== undefined) printNote(note);
      parts.push({ right: allRight(lines), result: { [title]: lines } });
    }
  }
  return {
    right: parts.every(({ right }) => right),
    result: Object.assign({}, ...parts.map(({ result }) => result)) as object,
  };
}

async function main(): Promise<void> {
  const generator = startGenerator();
  try {
    const [model] = cpus();
    printNote(`${pinning ? 'Pinned to cores' : 'Not pinned'}; ${model?.model}; Node ${process.version}.`);
    const { url } = options;
    const { right, result } = await (url === undefined ? measureAll(generator) : measureFrom(url, generator));
    if (options.json) {
      mkdirSync(join(ownRoot, 'results'), { recursive: true });
      const machine = { pinning, model: model?.model, node: process.version };
      writeFileSync(
        join(ownRoot, 'results/bench.json'),
        `${JSON.stringify({ ...result, ...machine }, null, 2)}\n`,
      );
    }
    process.exitCode = right ? 0 : 1;
  } finally {
    await generator.stop();
  }
}

if (isOfHub) await import('./hub.ts');
else await main();
