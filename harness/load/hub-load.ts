import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../gateway-process.ts';
import { sourceName } from './many-tools.ts';
import { cpuOf, forgetMostResident, mostResidentOf, residentOf, threadsByCpu } from './process-usage.ts';
import { startScript } from './stand.ts';

/** A whole gateway with so many tools, from its start. */
export interface LoadCost {
  readonly name: string;
  readonly tools: number;
  /** From the start of the process until every tool is counted in `list_namespaces`. */
  readonly loadedMs: number;
  /** From there until the first search of all of them was answered. */
  readonly searchableMs: number;
  /** A search over the REST API, once all is warm. */
  readonly searchMs: number;
  /** From a change at an MCP server until search finds it. */
  readonly changedMs: number;
  /** Once everything has settled; the most that it was since it served. */
  readonly residentMb: number;
  readonly mostResidentMb: number;
  /** Until every tool was counted; of everything. */
  readonly loadCpuMs: number;
  readonly cpuMs: number;
  readonly threads: ReturnType<typeof threadsByCpu>;
}

const toolsPerSource = 10_000;
const giveUpMs = 300_000;
/** Metrics are looked at, which cost next to nothing: to count all tools is work, and must not slow what it waits for. */
const lookEveryMs = 100;
/** Memory that is not needed any more is given back little by little. */
const settleMs = 5000;

/** Half of the sources are workers, half MCP servers. Once with nothing known, once again from what was kept. */
export async function measureLoad(tools: number, before: readonly string[]): Promise<LoadCost[]> {
  // At least one of each kind.
  const perSource = Math.min(Math.ceil(tools / 2), toolsPerSource);
  const sources = Math.ceil(tools / perSource);
  const upstream = await startScript('many-tools-server.ts', [String(sources), String(perSource)], []);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-load-'));
  try {
    const workers = Array.from({ length: sources }, (_, at) =>
      at % 2 === 0
        ? {
            id: sourceName(at),
            http: { uri: `${upstream.origin}/worker/${at}`, secret: 'the-secret-of-the-bench-worker' },
          }
        : { id: sourceName(at), mcp: { uri: `${upstream.origin}/mcp/${at}` } },
    );
    const measured: LoadCost[] = [];
    for (const name of ['cold', 'from what was kept']) {
      const began = performance.now();
      const env = { SALLYPORT_DATA_DIR: folder };
      const gateway = await startGateway({ workers }, { before, env, asksSources: false });
      try {
        measured.push({
          name,
          tools,
          ...(await measureOne(gateway, tools, began, upstream.origin, name !== 'cold')),
        });
      } finally {
        await gateway.stop();
      }
    }
    return measured;
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `isKnown`: what sources list is there from the start, and they are asked meanwhile. */
async function measureOne(
  gateway: GatewayProcess,
  tools: number,
  began: number,
  upstream: string,
  isKnown: boolean,
) {
  // What the embedded database takes while it is compiled is no matter of how many tools there are.
  forgetMostResident(gateway.pid);
  const isListed = async () => (await listed(gateway)) >= tools;
  await until(async () => (isKnown || (await isListed())) && (await counted(gateway)) >= tools, lookEveryMs);
  const loadedMs = performance.now() - began;
  const loadCpuMs = cpuOf(gateway.pid).allMs;
  const firstFrom = performance.now();
  await until(async () => (await search(gateway, 'approve an overdue invoice')).tools.length > 0);
  const searchableMs = performance.now() - firstFrom;
  const took: number[] = [];
  for (let at = 0; at < 50; at++) {
    const from = performance.now();
    await search(
      gateway,
      ['list the members of a workspace', 'archive a draft contract', 'refund a payment'][at % 3] ?? '',
    );
    took.push(performance.now() - from);
  }
  took.sort((left, right) => left - right);
  const changedMs = await changeOne(gateway, upstream);
  const cpuMs = cpuOf(gateway.pid).allMs;
  const threads = threadsByCpu(gateway.pid);
  await until(isListed);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const memory = { residentMb: residentOf(gateway.pid), mostResidentMb: mostResidentOf(gateway.pid) };
  const times = { loadedMs, searchableMs, searchMs: took[25] as number, changedMs };
  return { ...times, ...memory, loadCpuMs, cpuMs, threads };
}

async function counted(gateway: GatewayProcess): Promise<number> {
  const { namespaces } = await ask<{ namespaces: { tools: number }[] }>(gateway, 'list_namespaces', {});
  return namespaces.reduce((sum, one) => sum + one.tools, 0);
}

/** How many tools sources were found to list, and are kept. */
async function listed({ origin, key }: GatewayProcess): Promise<number> {
  const answer = await fetch(`${origin}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
  const lines = (await answer.text()).matchAll(/^sallyport_source_tools\{.*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** From a change that an MCP server tells of until search finds it by its new words, and tells them. */
async function changeOne(gateway: GatewayProcess, upstream: string): Promise<number> {
  changes += 1;
  const words = `as of its change ${changes}`;
  const changed = `mcp://${sourceName(1)}.create_invoice`;
  const from = performance.now();
  await fetch(`${upstream}/change/1/0`, { method: 'POST' });
  await until(async () => {
    const { tools } = await search(gateway, words);
    if (tools[0]?.tool !== changed) return false;
    const told = await ask<{ tools: { description: string }[] }>(gateway, 'get_tool_details', {
      tools: [changed],
    });
    return told.tools[0]?.description.toLowerCase().includes(words) === true;
  });
  return performance.now() - from;
}

function search(gateway: GatewayProcess, query: string) {
  return ask<{ tools: { tool: string }[] }>(gateway, 'search_tools', { query });
}

let changes = 0;

async function ask<T>({ origin, key }: GatewayProcess, name: string, body: object): Promise<T> {
  const answer = await fetch(`${origin}/v1/hub/${name}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 200)
    throw new Error(`${name}: HTTP ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return (await answer.json()) as T;
}

async function until(holds: () => Promise<boolean>, everyMs = 50): Promise<void> {
  const end = performance.now() + giveUpMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('what is measured did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
