import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog } from '#telemetry';
import { eras } from './both-eras.ts';
import { type EchoWorker, startEchoWorker } from './echo-worker.ts';
import { type EraServer, startEraServer } from './era-server.ts';
import { type HookServer, startHookServer } from './hook-server.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';
import { type Json, messageOf, modern, startApp, type TestApp, toolCall } from './start-app.ts';

/** One trace, from the agent that began it through the gateway to whoever was asked, as a real collector gets it. */

const secret = 'a-worker-secret-of-more-than-32-bytes';
const collectorSecret = 'the-secret-of-the-collector';

let collector: OtlpReceiver;
let worker: EchoWorker;
let mcp: Readonly<Record<'legacy' | 'modern', EraServer>>;
let hooks: HookServer;
let app: TestApp;
const lines: Json[] = [];

before(async () => {
  [collector, worker, hooks] = await Promise.all([startOtlpReceiver(), startEchoWorker(), startHookServer()]);
  mcp = { legacy: await startEraServer('legacy'), modern: await startEraServer('modern') };
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${collectorSecret}`,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_BLRP_SCHEDULE_DELAY: '20',
    OTEL_METRIC_EXPORT_INTERVAL: '100',
    OTEL_SERVICE_NAME: 'edge',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,team=tools%20team',
  };
  const log = createLog({ level: 'info', write: (line) => void lines.push(JSON.parse(line)) });
  const hook = (point: string) => ({ name: point, plugin_id: 'watcher', hook_point: `tool.${point}` });
  const config = {
    workers: [
      { id: 'kit', http: { uri: worker.uri, secret } },
      { id: 'legacy', mcp: { uri: mcp.legacy.uri } },
      { id: 'modern', mcp: { uri: mcp.modern.uri } },
    ],
    gateways: [{ name: 'All', slug: 'all' }],
    plugins: [
      {
        id: 'watcher',
        name: 'Watcher',
        plugin_type: 'webhook',
        webhook_config: {
          endpoints: { pre: { url: `${hooks.url}/pre` }, post: { url: `${hooks.url}/post` } },
        },
      },
    ],
    hooks: ['pre', 'post'].map((point) => ({ ...hook(point), phase: 'before', failure_mode: 'fail_closed' })),
  };
  app = await startApp(JSON.stringify(config), { env, log });
  for (const id of ['kit', 'legacy', 'modern']) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  await app?.close();
  await Promise.all([collector?.close(), worker?.stop(), hooks?.close()]);
  await Promise.all([mcp?.legacy.close(), mcp?.modern.close()]);
});

const spanIdIn = (traceparent: Json) => String(traceparent).slice(36, 52);
const traceIdIn = (traceparent: Json) => String(traceparent).slice(3, 35);
let count = 0;
/** A trace of its own for each test, as an agent sends it. */
const sender = (flags = '01') => `00-${(++count).toString(16).padStart(32, 'a')}-00f067aa0ba902b7-${flags}`;

const kinds = { internal: 1, server: 2, client: 3 };

/** The spans of one trace, once that of the request is there: it ends last. */
async function traceOf(traceparent: Json): Promise<readonly ReceivedSpan[]> {
  const id = traceIdIn(traceparent);
  const spans = () => collector.spans().filter((span) => span.traceId === id);
  await collector.until(() => spans().some(({ kind }) => kind === kinds.server));
  return spans();
}

const only = (spans: readonly ReceivedSpan[], kind: number, name?: string): ReceivedSpan => {
  const [found, ...more] = spans.filter((span) => span.kind === kind && (name ?? span.name) === span.name);
  assert.equal(more.length, 0, `several spans ${name}`);
  return found ?? assert.fail(`no span ${name}`);
};

const echo = (name = 'Kit_Echo') => toolCall(name, { text: 'hello' });

describe('a call to a worker', () => {
  const given = sender();
  let answer: Response;
  let spans: readonly ReceivedSpan[];
  before(async () => {
    answer = await app.rpc('all', echo(), { traceparent: given, tracestate: 'vendor=1' });
    assert.equal((await messageOf(answer)).result.isError, false);
    spans = await traceOf(given);
  });

  it('is one trace: what was sent, what its caller, its worker and its hooks saw, what was recorded and logged', async () => {
    const whole = only(spans, kinds.server);
    assert.equal(whole.parentSpanId, spanIdIn(given));
    assert.equal(whole.traceState, 'vendor=1');
    const own = `00-${whole.traceId}-${whole.spanId}-01`;
    assert.deepEqual([answer.headers.get('traceresponse'), answer.headers.get('traceparent')], [own, own]);

    const headers = worker.heads.at(-1) ?? assert.fail();
    const asked = only(spans, kinds.client, 'tools/call Echo');
    assert.equal(headers.traceparent, `00-${whole.traceId}-${asked.spanId}-01`);
    assert.equal(headers.tracestate, 'vendor=1');

    const heard = hooks.asked.slice(-2).map((one) => one.headers.traceparent);
    const toHooks = spans.filter(({ name }) => name === 'POST 127.0.0.1');
    assert.deepEqual(heard.map(spanIdIn).sort(), toHooks.map(({ spanId }) => spanId).sort());
    assert.equal(toHooks.length, 2);

    const [record] = await app.records('&kind=tool_call');
    assert.equal(record.trace_id, whole.traceId);
    const told = lines.filter(({ trace_id }) => trace_id === whole.traceId);
    assert.deepEqual(
      told.map(({ msg, execution_id }) => [msg, execution_id]),
      [['tool call', record.execution_id]],
    );
    await collector.until(() => collector.logs().some(({ traceId }) => traceId === whole.traceId));
  });

  it('has every stage below the request, and whoever was asked below the stage', () => {
    const whole = only(spans, kinds.server);
    const stages = spans.filter(({ kind }) => kind === kinds.internal);
    assert.deepEqual(
      stages.map(({ name }) => name),
      [
        'authenticate',
        'resolve',
        'authorize',
        'consent',
        'screen_input',
        'attach_credential',
        'dispatch',
        'screen_output',
        'record',
      ],
    );
    assert.ok(stages.every(({ parentSpanId }) => parentSpanId === whole.spanId));
    const under = (stage: string) =>
      spans
        .filter(({ parentSpanId }) => parentSpanId === only(spans, kinds.internal, stage).spanId)
        .map(({ name }) => name);
    assert.deepEqual(under('screen_input'), ['POST 127.0.0.1']);
    assert.deepEqual(under('dispatch'), ['tools/call Echo']);
    assert.deepEqual(under('screen_output'), ['POST 127.0.0.1']);
    for (const { startNano, endNano } of spans) {
      assert.ok(startNano >= whole.startNano && startNano <= endNano && endNano <= whole.endNano);
    }
  });

  it('says what it was by the conventions, and nothing of who it was or with what', async () => {
    const [record] = await app.records('&kind=tool_call');
    const { attributes, name, statusCode } = only(spans, kinds.server);
    assert.equal(name, 'tools/call Kit_Echo');
    assert.equal(statusCode, 0);
    assert.deepEqual(attributes, {
      'mcp.method.name': 'tools/call',
      'jsonrpc.request.id': '1',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'Kit_Echo',
      'http.request.method': 'POST',
      'http.route': '/mcp/{slug}',
      'http.response.status_code': 200,
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'sallyport.project': 'default',
      'sallyport.gateway': 'all',
      'sallyport.source': 'kit',
      'sallyport.tool': 'Kit.Echo',
      'sallyport.decision': 'allowed',
      'sallyport.execution.id': record.execution_id,
    });
    const { hostname, port } = new URL(worker.uri);
    assert.deepEqual(only(spans, kinds.client, 'tools/call Echo').attributes, {
      'server.address': hostname,
      'server.port': Number(port),
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'Echo',
      'sallyport.source': 'kit',
    });
    const said = JSON.stringify(collector.requests);
    assert.doesNotMatch(said, /hello|alice/);
  });

  it('comes under the name of the service, with what its operator says of it', () => {
    const { 'service.instance.id': instance, ...resource } = collector.resource();
    assert.match(instance, /^[0-9a-f-]{36}$/);
    assert.deepEqual(resource, {
      'service.name': 'edge',
      'service.version': '0.0.0-test',
      'deployment.environment.name': 'test',
      team: 'tools team',
    });
    assert.ok(collector.requests.every(({ headers }) => headers['x-collector-key'] === collectorSecret));
  });
});

for (const era of eras) {
  it(`an MCP server (${era}) is told in the head and in _meta, in place of what the client said`, async () => {
    const fromMeta = sender();
    const _meta = { traceparent: fromMeta, tracestate: 'meta=1', baggage: 'k=v', 'vendor/x': 1 };
    const message = { ...echo(`${era}_Echo`), params: { ...echo(`${era}_Echo`).params, _meta } };
    const answer = await app.rpc('all', message, {
      traceparent: sender(),
      tracestate: 'head=1',
      baggage: 'from=head',
    });
    assert.equal((await messageOf(answer)).error, undefined);
    const spans = await traceOf(fromMeta);
    const asked = only(spans, kinds.client, 'tools/call Echo');
    const { message: heard, headers } =
      mcp[era].heard.findLast((one) => one.message.method === 'tools/call') ?? assert.fail();
    const told = `00-${traceIdIn(fromMeta)}-${asked.spanId}-01`;
    const { traceparent, tracestate, baggage, 'vendor/x': kept } = heard.params._meta;
    assert.deepEqual([traceparent, tracestate, baggage, kept], [told, 'meta=1', 'k=v', 1]);
    assert.deepEqual([headers.traceparent, headers.tracestate], [told, 'meta=1']);
    assert.equal(headers.baggage, undefined, 'baggage goes nowhere else unless OTEL_PROPAGATORS names it');
    assert.equal(asked.attributes['mcp.method.name'], 'tools/call');
  });
}

it('what is garbled in _meta is ignored, and what the head says counts', async () => {
  const given = sender();
  const message = {
    ...echo(),
    params: { ...echo().params, _meta: { traceparent: '00-garbled', tracestate: 'a\r\nb: c' } },
  };
  const answer = await app.rpc('all', message, { traceparent: given });
  assert.equal(traceIdIn(answer.headers.get('traceparent')), traceIdIn(given));
  assert.equal(worker.heads.at(-1)?.tracestate, undefined);
});

it('a call through the API is a trace, too', async () => {
  const given = sender();
  const answer = await fetch(`${app.url}/v1/tools/execute`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${app.key}`,
      'content-type': 'application/json',
      traceparent: given,
    },
    body: JSON.stringify({ tool_name: 'Kit.Echo', input: { text: 'hello' }, user_id: 'alice' }),
  });
  assert.equal(((await answer.json()) as Json).success, true);
  const spans = await traceOf(given);
  const whole = only(spans, kinds.server, 'execute_tool Kit.Echo');
  assert.equal(answer.headers.get('traceresponse'), `00-${whole.traceId}-${whole.spanId}-01`);
  assert.equal(answer.headers.get('traceparent'), answer.headers.get('traceresponse'));
  assert.equal(whole.parentSpanId, spanIdIn(given));
  assert.equal(whole.attributes['http.route'], '/v1/tools/execute');
  const asked = only(spans, kinds.client, 'tools/call Echo');
  assert.equal(worker.heads.at(-1)?.traceparent, `00-${whole.traceId}-${asked.spanId}-01`);
});

it('what its sender does not keep is not kept here, and is passed on all the same', async () => {
  const given = sender('00');
  const answer = await app.rpc('all', echo(), { traceparent: given, tracestate: 'a=1' });
  assert.equal((await messageOf(answer)).result.isError, false);
  const own = answer.headers.get('traceparent') ?? '';
  assert.match(own, new RegExp(`^00-${traceIdIn(given)}-[0-9a-f]{16}-00$`));
  assert.notEqual(spanIdIn(own), spanIdIn(given));
  const headers = worker.heads.at(-1) ?? assert.fail();
  assert.deepEqual([headers.traceparent, headers.tracestate], [own, 'a=1']);
  assert.equal(hooks.asked.at(-1)?.headers.traceparent, own);
  const [record] = await app.records('&kind=tool_call');
  assert.equal(record.trace_id, traceIdIn(given));
  // Another one, which is kept, has arrived since.
  await traceOf((await app.rpc('all', echo())).headers.get('traceparent'));
  assert.deepEqual(
    collector.spans().filter(({ traceId }) => traceId === traceIdIn(given)),
    [],
  );
});

it('a client that says nothing of a trace, or garbles it, begins one', async () => {
  for (const traceparent of [
    undefined,
    'garbage',
    sender().toUpperCase(),
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  ]) {
    const answer = await app.rpc('all', echo(), traceparent === undefined ? {} : { traceparent });
    const spans = await traceOf(answer.headers.get('traceparent'));
    assert.equal(only(spans, kinds.server).parentSpanId, '');
    const [record] = await app.records('&kind=tool_call');
    assert.equal(record.trace_id, traceIdIn(answer.headers.get('traceparent')));
  }
});

it('every answer tells the trace: of lists, of refusals, at the door, and in streams', async () => {
  const auth = { authorization: `Bearer ${app.key}` };
  const post = (slug: string, headers: Record<string, string>, body = '{}') =>
    fetch(`${app.url}/mcp/${slug}`, { method: 'POST', headers, body });
  const json = { 'content-type': 'application/json' };
  const list = modern('tools/list');
  const steps = toolCall('legacy_Steps');
  const params = { ...steps.params, _meta: { progressToken: 'p' } };
  const answers = {
    list: () => app.rpc('all', { id: 1, method: 'tools/list' }),
    modern: () => app.rpc('all', list.message, list.headers),
    stream: () => app.rpc('all', { ...steps, params }),
    notification: () => app.rpc('all', { method: 'notifications/initialized' }),
    unknownTool: () => app.rpc('all', toolCall('nothing_there')),
    unknownMethod: () => app.rpc('all', { id: 1, method: 'no/such' }),
    noKey: () => post('all', json),
    noGateway: () => post('none', { ...json, ...auth }),
    noJson: () => post('all', { ...auth, 'content-type': 'text/plain' }),
    garbled: () => post('all', { ...json, ...auth }, '{'),
    execute: () => app.api('POST', '/v1/tools/execute', { tool_name: 'Kit.Echo' }),
  };
  for (const [what, ask] of Object.entries(answers)) {
    const answer = await ask();
    await answer.text();
    const told = answer.headers.get('traceresponse');
    assert.match(told ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, what);
    assert.equal(answer.headers.get('traceparent'), told, what);
    const whole = only(await traceOf(told), kinds.server);
    assert.equal(whole.spanId, spanIdIn(told), what);
  }
  const streamed = await answers.stream();
  assert.match(streamed.headers.get('content-type') ?? '', /event-stream/);
});

it('a tool that fails, and a refusal, say why in their own way', async () => {
  const errorOf = async (message: object) => {
    const answer = await app.rpc('all', message);
    const { error } = await messageOf(answer);
    const { attributes, statusCode, name } = only(
      await traceOf(answer.headers.get('traceparent')),
      kinds.server,
    );
    return [
      name,
      statusCode,
      attributes['error.type'],
      attributes['rpc.response.status_code'],
      String(error?.code),
    ];
  };
  mcp.legacy.raw = '{"content":[],"isError":true}';
  assert.deepEqual(await errorOf(toolCall('legacy_Raw')), [
    'tools/call legacy_Raw',
    2,
    'tool_error',
    undefined,
    'undefined',
  ]);
  // A name that is not known here does not become one of a span.
  const [name, status, type, rpc, told] = await errorOf(toolCall('no_such_tool'));
  assert.deepEqual([name, status, type], ['tools/call', 2, 'catalog.tool_unknown']);
  assert.equal(rpc, told);
});

it('metrics come under our names and that of the conventions, counted from the start', async () => {
  const mcpName = 'mcp.server.operation.duration';
  await collector.until(() => collector.metrics().has(mcpName));
  const metrics = collector.metrics();
  const calls = metrics.get('sallyport_calls_total').sum;
  assert.deepEqual([calls.aggregationTemporality, calls.isMonotonic], [2, true]);
  const { unit, histogram } = metrics.get(mcpName);
  assert.equal(unit, 's');
  assert.equal(histogram.aggregationTemporality, 2);
  const [point] = histogram.dataPoints;
  assert.equal(point.bucketCounts.length, point.explicitBounds.length + 1);
  const inBuckets = point.bucketCounts.reduce((sum: number, one: string) => sum + Number(one), 0);
  assert.equal(String(inBuckets), point.count);
  assert.ok(BigInt(point.startTimeUnixNano) < BigInt(point.timeUnixNano));
});

it('what opens the collector is nowhere', async () => {
  const audit = await (await app.api('GET', '/v1/audit_events?limit=100')).text();
  const ready = (await (await fetch(`${app.url}/readyz`)).json()) as Json;
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  const status = await (await app.api('GET', '/v1/status')).text();
  const bodies = JSON.stringify(collector.requests.map(({ message }) => message));
  for (const text of [audit, JSON.stringify(ready), metrics, status, bodies, JSON.stringify(lines)])
    assert.ok(!text.includes(collectorSecret));
  assert.deepEqual(ready.checks.telemetry, {
    ok: true,
    traces: { ok: true },
    metrics: { ok: true },
    logs: { ok: true },
  });
  assert.match(metrics, /sallyport_telemetry_exporter_up\{signal="traces"\} 1/);
});
