import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog } from '#telemetry';
import { linkIn, startActing } from './acting.ts';
import { type EchoWorker, startEchoWorker } from './echo-worker.ts';
import { freePort } from './free-port.ts';
import { consentAt, startMicrosoft } from './oauth-providers/index.ts';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

/** Collectors that are away, slow to come back, or there only for the last words. */

const secret = 'a-worker-secret-of-more-than-32-bytes';
const collectorSecret = 'the-secret-of-the-collector';
const echo = toolCall('Kit_Echo', { text: 'hello' });

interface Seen {
  readonly app: TestApp;
  readonly lines: readonly Json[];
  /** Once a line of the log says so. */
  said(what: RegExp): Promise<Json>;
}

async function startWith(env: Record<string, string>, worker: EchoWorker): Promise<Seen> {
  const lines: Json[] = [];
  const waiting = new Set<() => void>();
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    for (const look of waiting) look();
  };
  const config = {
    workers: [{ id: 'kit', http: { uri: worker.uri, secret } }],
    gateways: [{ name: 'All', slug: 'all' }],
  };
  const app = await startApp(JSON.stringify(config), { env, log: createLog({ level: 'info', write }) });
  await app.app.rooms.sources.refresh('default', 'kit');
  const said = (what: RegExp) =>
    new Promise<Json>((resolve) => {
      const look = () => {
        const line = lines.find(({ msg }) => what.test(msg));
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      look();
    });
  return { app, lines, said };
}

async function called(app: TestApp): Promise<void> {
  const { result } = await messageOf(await app.rpc('all', echo));
  assert.equal(result.structuredContent.result, 'hello');
}

const readiness = async (app: TestApp): Promise<Json> => (await fetch(`${app.url}/readyz`)).json();

describe('a collector that is away', () => {
  let worker: EchoWorker;
  let seen: Seen;
  let port: number;
  let collector: OtlpReceiver | null = null;

  before(async () => {
    worker = await startEchoWorker();
    port = await freePort();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${collectorSecret}`,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '10',
      // Shorter than the first pause: what is not taken at once is given up.
      OTEL_BSP_EXPORT_TIMEOUT: '790',
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '16',
    };
    seen = await startWith(env, worker);
  });
  after(async () => {
    await seen?.app.close();
    await collector?.close();
    await worker?.stop();
  });

  it('harms no call, and is told once: in the log, at /readyz, in a metric', async () => {
    const { app, lines, said } = seen;
    assert.deepEqual((await readiness(app)).checks.telemetry, { ok: true, traces: { ok: true } });
    await called(app);
    const line = await said(/does not arrive/);
    assert.deepEqual([line.signal, line.endpoint], ['traces', `http://127.0.0.1:${port}/v1/traces`]);
    for (let calls = 0; calls < 30; calls++) await called(app);
    const ready = await readiness(app);
    assert.equal(ready.ready, true);
    const { ok, traces } = ready.checks.telemetry;
    assert.deepEqual([ok, traces.ok], [false, false]);
    assert.ok(Date.parse(traces.failing_since) <= Date.now());
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    assert.match(metrics, /sallyport_telemetry_exporter_up\{signal="traces"\} 0/);
    assert.match(metrics, /sallyport_telemetry_exports_total\{signal="traces",outcome="failed"\} [1-9]/);
    assert.match(metrics, /sallyport_telemetry_dropped_total\{signal="traces"\} [1-9]/);
    assert.equal(lines.filter(({ msg }) => /telemetry/.test(msg)).length, 1);
  });

  it('is told once when it is back, and gets what happens from then on', async () => {
    const { app, lines, said } = seen;
    collector = await startOtlpReceiver(port);
    const isBack = said(/arrives again/);
    let isOver = false;
    void isBack.then(() => {
      isOver = true;
    });
    while (!isOver) await called(app);
    const { lost, failed_for_ms: failedForMs } = await isBack;
    assert.ok(lost > 0 && failedForMs > 0);
    assert.deepEqual((await readiness(app)).checks.telemetry, { ok: true, traces: { ok: true } });
    assert.equal(lines.filter(({ msg }) => /telemetry/.test(msg)).length, 2);
    assert.ok(collector.spans().length > 0);
    assert.equal(collector.requests[0]?.headers.authorization, `Bearer ${collectorSecret}`);
    assert.ok(!JSON.stringify(lines).includes(collectorSecret));
  });
});

it('what was not sent yet is sent when the server stops; a collector that hangs does not hold it up', async () => {
  const worker = await startEchoWorker();
  const [collector, hanging] = [await startOtlpReceiver(), await startOtlpReceiver()];
  hanging.answer = () => true;
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${hanging.endpoint}/v1/logs`,
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
    OTEL_METRIC_EXPORT_INTERVAL: '3600000',
  };
  const { app } = await startWith(env, worker);
  await called(app);
  assert.equal(collector.requests.length, 0);
  await app.close();
  assert.ok(collector.spans().some(({ name }) => name === 'tools/call Kit_Echo'));
  assert.ok(collector.metrics().has('sallyport_calls_total'));
  assert.ok(hanging.posts > 0);
  await Promise.all([collector.close(), hanging.close(), worker.stop()]);
});

it('baggage goes on to workers where it is named, and only then; a rule screens it like arguments', async () => {
  const [worker, collector] = [await startEchoWorker(), await startOtlpReceiver()];
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_PROPAGATORS: 'tracecontext,baggage' };
  const { app } = await startWith(env, worker);
  const call = async (baggage: string) => messageOf(await app.rpc('all', echo, { baggage }));
  await call('tenant=blue');
  assert.equal(worker.heads.at(-1)?.baggage, 'tenant=blue');
  const rule = { direction: 'input', tools: ['*'], action: 'block', match: { pattern: 'secret-word' } };
  const made = await app.api('POST', '/v1/rules', { name: 'words', ...rule });
  assert.equal(made.status, 201, await made.text());
  const before = worker.heads.length;
  assert.match(JSON.stringify(await call('tenant=secret-word')), /policy\.input_blocked|does not let/);
  assert.equal(worker.heads.length, before);
  await app.close();
  await Promise.all([worker.stop(), collector.close()]);
});

/** An MCP server by hand, which says what it finds in `_meta`. */
const stdioServer = `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const results = {
    initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
    'tools/list': { tools: [{ name: 'meta', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: JSON.stringify(params?._meta) }] },
  };
  const answer = results[method] ? { result: results[method] } : { error: { code: -32601, message: 'what?' } };
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
});`;

it('a server that we start ourselves is told of the trace in _meta', async () => {
  const collector = await startOtlpReceiver();
  const config = {
    workers: [{ id: 'own', mcp: { stdio: { command: process.execPath, args: ['-e', stdioServer] } } }],
    gateways: [{ slug: 'all' }],
  };
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const app = await startApp(JSON.stringify(config), { env });
  await app.app.rooms.sources.refresh('default', 'own');
  const call = toolCall('own_meta');
  const _meta = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01', tracestate: 'a=1' };
  const answer = await app.rpc('all', { ...call, params: { ...call.params, _meta } });
  const { result } = await messageOf(answer);
  const { traceparent, tracestate } = JSON.parse(result.content[0].text);
  await app.close();
  const asked = collector.spans().find(({ name }) => name === 'tools/call meta') ?? assert.fail();
  assert.deepEqual(
    [traceparent, tracestate],
    [`00-0af7651916cd43dd8448eb211c80319c-${asked.spanId}-01`, 'a=1'],
  );
  assert.equal(asked.attributes['network.transport'], 'pipe');
  await collector.close();
});

it('a token that is renewed for a call is asked for as a part of its trace', async () => {
  const collector = await startOtlpReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '20' };
  const acting = await startActing(startMicrosoft, { env });
  try {
    await consentAt(linkIn(await acting.call('ann')), { as: 'ann', allow: true });
    assert.equal(await acting.actsAs('ann'), 'ann');
    acting.clock.forward(2 * 3600_000);
    const given = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';
    const answer = await acting.app.rpc('main', toolCall('Acting_Read'), {
      traceparent: given,
      'arcade-user-id': 'ann',
    });
    assert.equal((await messageOf(answer)).result.structuredContent.user, 'ann');
    const asked = acting.provider.requests.findLast(({ place }) => place === 'token') ?? assert.fail();
    const told = String(asked.headers.traceparent);
    const ofTrace = () => collector.spans().filter(({ traceId }) => told.includes(traceId));
    await collector.until(() => ofTrace().some(({ kind }) => kind === 2));
    const renewal = ofTrace().find(({ spanId }) => told.includes(spanId)) ?? assert.fail();
    const stage = ofTrace().find(({ spanId }) => spanId === renewal.parentSpanId);
    assert.deepEqual([renewal.kind, stage?.name], [3, 'attach_credential']);
    assert.ok(told.startsWith(given.slice(0, 36)));
  } finally {
    await acting.close();
    await collector.close();
  }
});
