import type { GatewayProcess } from '../gateway-process.ts';
import { type HttpConnection, openConnection } from './http-connection.ts';
import { benchUser } from './policies.ts';
import { cpuOf } from './process-usage.ts';

/** What one way of running a tool costs: the plain call, or an execution that outlives its request. */
export interface ExecutionCost {
  readonly name: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the gateway and its database. */
  readonly cpuMs: number;
  readonly answers: number;
  readonly wrong: number;
  readonly firstWrong: string | null;
}

interface Way {
  readonly name: string;
  readonly path: string;
  body(text: string): object;
  /** Whether the answer is what this text should bring. */
  right(answer: Answered, text: string): boolean;
}

interface Answered {
  readonly status?: string;
  readonly success?: boolean;
  readonly output?: unknown;
}

const tool = 'worker://Bench.Tool7';
const gives = (output: unknown, text: string): boolean => JSON.stringify(output ?? null).includes(text);
const execute = (name: string, more: (text: string) => object): Way => ({
  name,
  path: '/v1/hub/execute_tool',
  body: (text) => ({ tool, input: { text }, user_id: benchUser, ...more(text) }),
  right: ({ status, output }, text) => status === 'succeeded' && gives(output, text),
});
const ways: readonly Way[] = [
  {
    name: 'plain call, POST /v1/tools/execute',
    path: '/v1/tools/execute',
    body: (text) => ({ tool_name: 'Bench.Tool7', input: { text }, user_id: benchUser }),
    right: ({ success, output }, text) => success === true && gives(output, text),
  },
  execute('execution, sync', () => ({})),
  execute('execution, sync, with a key', (text) => ({ idempotency_key: text })),
  {
    ...execute('execution, async: accepted', () => ({ mode: 'async' })),
    right: ({ status }) => status !== undefined && status !== 'failed',
  },
];

/** Rounds of all ways, one after another, of each the median. */
export async function measureExecutions(
  gateway: GatewayProcess,
  { connections, rounds, roundMs }: { connections: number; rounds: number; roundMs: number },
): Promise<ExecutionCost[]> {
  const measured: ExecutionCost[] = [];
  for (const way of ways) await runFor(gateway, way, connections, roundMs / 2);
  for (let round = 0; round < rounds; round++)
    for (const way of ways) measured.push(await runFor(gateway, way, connections, roundMs));
  return ways.map(({ name }) => {
    const own = measured.filter((one) => one.name === name).sort((left, right) => left.cpuMs - right.cpuMs);
    const median = own[Math.floor(own.length / 2)] as ExecutionCost;
    const wrong = own.reduce((sum, one) => sum + one.wrong, 0);
    const firstWrong = own.find((one) => one.firstWrong !== null)?.firstWrong ?? null;
    return { ...median, wrong, firstWrong };
  });
}

let lastText = 0;

async function runFor(
  gateway: GatewayProcess,
  way: Way,
  connections: number,
  durationMs: number,
): Promise<ExecutionCost> {
  const url = new URL(gateway.origin);
  const took: number[] = [];
  const tally = { wrong: 0, firstWrong: null as string | null };
  const cpuBefore = cpuOf(gateway.pid).allMs;
  const began = performance.now();
  const loop = async (connection: HttpConnection): Promise<void> => {
    while (performance.now() - began < durationMs) {
      lastText += 1;
      const text = `said ${lastText} ${Date.now().toString(36)}`;
      const sentAt = performance.now();
      const { status, body } = await connection.exchange(requestOf(gateway, way, text));
      took.push(performance.now() - sentAt);
      if (status < 300 && way.right(JSON.parse(body) as Answered, text)) continue;
      tally.wrong += 1;
      tally.firstWrong ??= `HTTP ${status}: ${body.slice(0, 300)}`;
    }
    connection.close();
  };
  const open = () => openConnection(url.hostname, Number(url.port));
  await Promise.all(Array.from({ length: connections }, () => loop(open())));
  const seconds = (performance.now() - began) / 1000;
  if (way.name.endsWith('accepted')) await settled(gateway);
  const cpuMs = (cpuOf(gateway.pid).allMs - cpuBefore) / took.length;
  took.sort((left, right) => left - right);
  const quantile = (part: number): number => took[Math.floor((took.length - 1) * part)] as number;
  const { name } = way;
  const perSecond = took.length / seconds;
  return {
    name,
    connections,
    perSecond,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    cpuMs,
    answers: took.length,
    ...tally,
  };
}

function requestOf({ origin, key }: GatewayProcess, { path, body }: Way, text: string): string {
  const said = JSON.stringify(body(text));
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(origin).host}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(said)}`,
    '',
    said,
  ].join('\r\n');
}

/** Until the newest of the caller's executions, and so all before it, have ended. */
async function settled({ origin, key }: GatewayProcess): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const path = `/v1/executions?limit=100&user_id=${encodeURIComponent(benchUser)}`;
    const answer = await fetch(`${origin}${path}`, { headers: { Authorization: `Bearer ${key}` } });
    if (answer.status !== 200) throw new Error(`executions cannot be listed: HTTP ${answer.status}`);
    const { items } = (await answer.json()) as { items: { status: string }[] };
    quiet = items.every(({ status }) => status === 'succeeded' || status === 'failed') ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
