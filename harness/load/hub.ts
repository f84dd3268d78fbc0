import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type GatewayProcess, ownRoot, startGateway } from '../gateway-process.ts';
import { printTable } from '../retrieval/report.ts';
import { onCore, pinning } from './cores.ts';
import { type ExecutionCost, measureExecutions } from './hub-executions.ts';
import { type LoadCost, measureLoad } from './hub-load.ts';
import type { SearchCost } from './hub-search.ts';
import { measureTokens, type TokenCost } from './hub-tokens.ts';
import { gatewayConfig, startUpstream, toolCount } from './stand.ts';
import { printNote } from './table.ts';

/**
 * `npm run bench -- hub`: what the hub costs. A search among ever more tools of which a caller may use ever fewer, and an index of them in
 * memory: each size a process of its own that has core 1 for itself, so memory is that of the size alone. What a model reads, what
 * an execution costs beside a plain call, and how long a gateway with that many tools takes to start.
 *
 *     npm run bench -- hub [--quick] [--tools 200000] [--only search|gateway|start] [--json]
 *
 * `--tools` measures other sizes, `--only` one part. `--json` also writes `results/bench-hub.json`.
 */
const { values: options } = parseArgs({
  allowPositionals: true,
  options: {
    tools: { type: 'string', multiple: true, default: [] },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const usualSizes = options.quick ? [5000, 20_000] : [5000, 50_000, 200_000];
const sizes = options.tools.length > 0 ? options.tools.map(Number) : usualSizes;
const searches = options.quick ? 60 : 300;

function measureSearch(): SearchCost[] {
  const measured = sizes.map((tools) => {
    const own = ['--expose-gc', join(import.meta.dirname, 'hub-search.ts'), String(tools), String(searches)];
    const [command = '', ...args] = [...onCore(1), process.execPath, ...own];
    const { status, stdout } = spawnSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`searches among ${tools} tools could not be measured`);
    return JSON.parse(stdout) as SearchCost;
  });
  printTable(
    'search: ten results',
    ['tools', 'permitted', 'p50 ms', 'p95 ms', 'CPU ms', 'first ms'],
    measured.flatMap(({ tools, parts }) =>
      parts.map(({ share, permitted, p50Ms, p95Ms, cpuMs, firstMs }) => [
        String(tools),
        `${permitted} (${share * 100} %)`,
        ...[p50Ms, p95Ms, cpuMs, firstMs].map((ms) => ms.toFixed(2)),
      ]),
    ),
  );
  printTable(
    'index: made of documents, in memory',
    ['tools', 'seconds', 'CPU s', 'resident MB'],
    measured.map(({ tools, indexMs, indexCpuMs, residentMb }) => [
      String(tools),
      (indexMs / 1000).toFixed(1),
      (indexCpuMs / 1000).toFixed(1),
      residentMb.toFixed(0),
    ]),
  );
  return measured;
}

interface Gatewayed {
  readonly tokens: readonly TokenCost[];
  readonly executions: readonly ExecutionCost[];
}

const nothing: Gatewayed = { tokens: [], executions: [] };

/** What only a whole gateway tells. */
async function measureGateway(): Promise<Gatewayed> {
  const upstream = await startUpstream(toolCount);
  try {
    const config = gatewayConfig(upstream.origin);
    const hub = { name: 'hub', slug: 'hub', auth_types: ['arcade_header'], presentation: 'hub' };
    const gateways = [...(config.gateways as object[]), hub];
    const gateway = await startGateway({ ...config, gateways }, { before: onCore(1) });
    try {
      return { tokens: await measureListed(gateway), executions: await measureRuns(gateway) };
    } finally {
      await gateway.stop();
    }
  } finally {
    await upstream.stop();
  }
}

async function measureListed(gateway: GatewayProcess): Promise<TokenCost[]> {
  const tokens = await measureTokens(gateway, 'hub', [100, 1000, 10_000]);
  printTable(
    'tokens: what a model reads before it can do anything (an estimate, see `hub-tokens.ts`)',
    ['', 'tools', 'bytes', 'tokens'],
    tokens.map(({ name, tools, bytes, tokens: count }) => [
      name,
      String(tools),
      String(bytes),
      String(count),
    ]),
  );
  return tokens;
}

async function measureRuns(gateway: GatewayProcess): Promise<ExecutionCost[]> {
  const rounds = options.quick ? { rounds: 1, roundMs: 1000 } : { rounds: 5, roundMs: 2000 };
  const executions = await measureExecutions(gateway, { connections: 16, ...rounds });
  printTable(
    'executions: 16 connections, the embedded database',
    ['', 'per second', 'p50 ms', 'p99 ms', 'CPU ms', 'wrong'],
    executions.map(({ name, perSecond, p50Ms, p99Ms, cpuMs, wrong }) => [
      name,
      perSecond.toFixed(0),
      ...[p50Ms, p99Ms, cpuMs].map((ms) => ms.toFixed(2)),
      String(wrong),
    ]),
  );
  for (const { name, firstWrong } of executions)
    if (firstWrong !== null) printNote(`${name}: the first wrong answer: ${firstWrong}`);
  return executions;
}

async function measureStarts(): Promise<LoadCost[]> {
  const most = sizes.at(-1) as number;
  const load = await measureLoad(most, []);
  printTable(
    `start: a whole gateway, ${most} tools of workers and MCP servers`,
    [
      ...['', 'loaded s', 'of CPU s', 'first search s', 'search ms', 'change found ms'],
      ...['resident MB', 'most MB', 'CPU s'],
    ],
    load.map((one) => [
      one.name,
      (one.loadedMs / 1000).toFixed(1),
      (one.loadCpuMs / 1000).toFixed(1),
      (one.searchableMs / 1000).toFixed(1),
      one.searchMs.toFixed(1),
      one.changedMs.toFixed(0),
      one.residentMb.toFixed(0),
      one.mostResidentMb.toFixed(0),
      (one.cpuMs / 1000).toFixed(1),
    ]),
  );
  for (const { name, threads } of load) {
    const told = threads.filter(({ cpuMs }) => cpuMs >= 100);
    printNote(`${name}: ${told.map((one) => `${one.name} ${(one.cpuMs / 1000).toFixed(1)} s`).join(', ')}`);
  }
  return load;
}

const [model] = cpus();
printNote(`${pinning ? 'Pinned to cores' : 'Not pinned'}; ${model?.model}; Node ${process.version}.`);
const parts = ['search', 'gateway', 'start'];
if (options.only !== undefined && !parts.includes(options.only))
  throw new Error(`there is no part ${options.only}; there are ${parts.join(', ')}`);
const isWanted = (part: string): boolean => options.only === undefined || options.only === part;
const result = {
  search: isWanted('search') ? measureSearch() : [],
  ...(isWanted('gateway') ? await measureGateway() : nothing),
  load: isWanted('start') ? await measureStarts() : [],
};
if (options.json) {
  mkdirSync(join(ownRoot, 'results'), { recursive: true });
  writeFileSync(
    join(ownRoot, 'results/bench-hub.json'),
    `${JSON.stringify({ ...result, pinning, model: model?.model, node: process.version }, null, 2)}\n`,
  );
}
process.exitCode = result.executions.every(({ wrong, answers }) => wrong === 0 && answers > 0) ? 0 : 1;
