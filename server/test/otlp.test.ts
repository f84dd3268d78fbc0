import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { createTelemetry, type OtlpSettings, silentLog, type Telemetry } from '#telemetry';
import { partialSuccess } from './otlp-messages.ts';
import { membersOf, type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import type { Json } from './start-app.ts';

/** What is sent to collectors, and what becomes of it, before a real one on loopback. */

const headers = { 'x-key': 'the-secret-of-the-collector' };
const nothing = { traceparent: undefined, tracestate: undefined };

let collector: OtlpReceiver;
let clock: ReturnType<typeof manualClock>;
/** For how long anything was to be waited for. */
let waits: number[];
let telemetry: Telemetry;
const lines: { readonly message: string; readonly fields: Json }[] = [];
const say = (fields: object, message: string) => void lines.push({ message, fields });
const log = { ...silentLog, info: say, warn: say };

async function open(how: Partial<NonNullable<OtlpSettings['traces']>> = {}, logs = false): Promise<void> {
  const batch = { delayMs: 1000, maxQueue: 4, maxBatch: 4, exportTimeoutMs: 30_000 };
  const signal = {
    headers,
    protocol: 'http/protobuf',
    compression: 'none',
    timeoutMs: 10_000,
    tls: null,
    ...how,
  } as const;
  const at = (name: string) => `${collector.endpoint}/v1/${name}`;
  telemetry = await createTelemetry({
    log,
    logLevel: 'info',
    clock,
    version: '1.2.3',
    otlp: {
      resource: { 'service.name': 'sallyport' },
      propagation: { tracecontext: true, baggage: false },
      traces: {
        ...{ endpoint: at('traces'), batch, ...signal },
        sampler: { root: 'always_on', ratio: 1, parentBased: true, ...how.sampler },
      },
      metrics: { endpoint: at('metrics'), ...signal, intervalMs: 60_000, exportTimeoutMs: 30_000 },
      logs: logs ? { endpoint: at('logs'), batch, ...signal } : null,
    },
    egress: () => createEgress({ allow: [] }),
  });
}

beforeEach(async () => {
  collector = await startOtlpReceiver();
  const manual = manualClock();
  waits = [];
  clock = {
    ...manual,
    every(everyMs, run) {
      waits.push(everyMs);
      return manual.every(everyMs, run);
    },
  };
  lines.splice(0);
});
afterEach(async () => {
  collector.answer = null;
  await telemetry?.close();
  await collector.close();
});

/** One span, on its way. */
function sendSpan(): void {
  telemetry.tracer.server('work', nothing).end();
  clock.advance(1000);
}

async function metricOf(name: string): Promise<Record<string, number>> {
  const metric = (await telemetry.metrics.read()).find((one) => one.name === name);
  return Object.fromEntries((metric?.series ?? []).map(({ values, value }) => [values.join(' '), value]));
}

const statusOf = (signal: string) => telemetry.exporters().find((one) => one.signal === signal);

/** Lets what was answered be taken note of. */
async function settled(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

for (const protocol of ['http/protobuf', 'http/json'] as const) {
  for (const compression of ['none', 'gzip'] as const) {
    it(`spans, metrics and log lines say the same in ${protocol}, with compression ${compression}`, async () => {
      await open({ protocol, compression }, true);
      const calls = telemetry.metrics.counter({ name: 'calls_total', help: 'Calls', labels: ['kind'] });
      calls.of('tool').add(3);
      const times = telemetry.metrics.histogram({ name: 'took_seconds', help: 'Times', labels: [] });
      times.of().observe(3);
      const span = telemetry.tracer.server('whole', nothing, {
        attributes: { text: 'ü', count: 2, is: true },
      });
      const part = span.child('part', { kind: 'client' });
      clock.advance(250);
      part.end('source.timeout');
      span.end();
      telemetry.log.info({ trace_id: span.traceId, count: 1, none: null }, 'something happened');
      telemetry.log.warn({ err: new TypeError('it broke') }, 'something failed');
      clock.advance(60_000);
      await collector.until(() => new Set(collector.requests.map(({ signal }) => signal)).size === 3);

      const [first, second] = collector.spans();
      assert.deepEqual(
        [first?.name, first?.kind, first?.parentSpanId, first?.statusCode, first?.attributes],
        ['part', 3, span.spanId, 2, { 'error.type': 'source.timeout' }],
      );
      assert.deepEqual(
        [second?.name, second?.kind, second?.parentSpanId, second?.statusCode],
        ['whole', 2, '', 0],
      );
      assert.deepEqual(second?.attributes, { text: 'ü', count: 2, is: true });
      const startNano = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
      assert.deepEqual([second?.startNano, second?.endNano], [startNano, startNano + 250_000_000n]);

      const counter = collector.metrics().get('calls_total');
      const [point] = counter.sum.dataPoints;
      assert.deepEqual([point.asDouble, membersOf(point.attributes)], [3, { kind: 'tool' }]);
      const { histogram, unit } = collector.metrics().get('took_seconds');
      assert.deepEqual(
        [unit, Number(histogram.dataPoints[0].count), histogram.dataPoints[0].sum],
        ['s', 1, 0.003],
      );

      const [info, warn] = collector.logs();
      assert.deepEqual(
        [info.severityNumber, info.body.stringValue, info.traceId, info.attributes],
        [9, 'something happened', span.traceId, { count: 1 }],
      );
      const { 'exception.stacktrace': stack, ...rest } = warn.attributes;
      assert.deepEqual(rest, { 'exception.type': 'TypeError', 'exception.message': 'it broke' });
      assert.match(stack, /TypeError: it broke/);
      assert.deepEqual([warn.severityNumber, warn.severityText], [13, 'WARN']);
      assert.ok(collector.requests.every((one) => one.headers['x-key'] === headers['x-key']));
    });
  }
}

it('nothing of OpenTelemetry is loaded where nothing is sent', () => {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { createTelemetry, silentLog } = await import(${JSON.stringify(import.meta.resolve('#telemetry'))});
    const { systemClock: clock } = await import(${JSON.stringify(import.meta.resolve('#foundation'))});
    const log = { log: silentLog, logLevel: 'info', clock, version: '1' };
    await createTelemetry({ ...log, otlp: null, egress: () => null });
    console.log(JSON.stringify(loaded));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  const loaded: string[] = JSON.parse(stdout || assert.fail(stderr));
  assert.ok(loaded.some((url) => url.endsWith('/telemetry/telemetry.ts')));
  assert.deepEqual(
    loaded.filter((url) => url.includes('@opentelemetry')),
    [],
  );
});

describe('a collector that', () => {
  it('refuses for good is asked once, and everybody is told', async () => {
    await open();
    collector.answer = (_, response) => {
      response.writeHead(400).end(`bad: ${headers['x-key']}`);
      return true;
    };
    sendSpan();
    await settled(() => statusOf('traces')?.ok === false);
    assert.equal(collector.posts, 1);
    const status = statusOf('traces');
    assert.deepEqual(
      [status?.error, status?.failingSince],
      ['the collector answered with HTTP 400', clock.iso()],
    );
    assert.deepEqual(await metricOf('sallyport_telemetry_exports_total'), { 'traces failed': 1 });
    assert.deepEqual(await metricOf('sallyport_telemetry_dropped_total'), { traces: 1, metrics: 0 });
    assert.deepEqual(await metricOf('sallyport_telemetry_exporter_up'), { traces: 0, metrics: 1 });
    sendSpan();
    await collector.until(() => collector.posts === 2);
    assert.doesNotMatch(JSON.stringify([lines, telemetry.exporters()]), /the-secret/);
    collector.answer = null;
    sendSpan();
    await settled(() => statusOf('traces')?.ok === true);
    assert.equal(lines.length, 2);
    assert.deepEqual([lines[1]?.message, lines[1]?.fields.lost], ['telemetry arrives again', 2]);
  });

  it('asks for patience gets it, and then what it was to get', async () => {
    await open();
    collector.answer = (_, response) => {
      response.writeHead(429, { 'retry-after': '7' }).end();
      return true;
    };
    sendSpan();
    await settled(() => waits.includes(7000));
    collector.answer = null;
    clock.advance(6999);
    assert.equal(collector.posts, 1);
    clock.advance(1);
    await collector.until(() => collector.spans().length === 1);
    assert.equal(statusOf('traces')?.ok, true);
    assert.deepEqual(lines, []);
  });

  it('asks for more patience than there is time loses what it did not take', async () => {
    await open();
    collector.answer = (_, response) => {
      response.writeHead(503, { 'retry-after': '31' }).end();
      return true;
    };
    sendSpan();
    await settled(() => statusOf('traces')?.ok === false);
    assert.equal(collector.posts, 1);
  });

  it('takes only a part says how much, and that is told', async () => {
    await open();
    collector.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      response.end(partialSuccess(1, `no: ${headers['x-key']}`));
      return true;
    };
    telemetry.tracer.server('one', nothing).end();
    sendSpan();
    await settled(() => statusOf('traces')?.ok === false);
    assert.equal(statusOf('traces')?.error, 'the collector rejected 1 of 2');
    assert.deepEqual(await metricOf('sallyport_telemetry_exports_total'), { 'traces partial': 1 });
    assert.equal((await metricOf('sallyport_telemetry_dropped_total')).traces, 1);
    assert.doesNotMatch(JSON.stringify([lines, telemetry.exporters()]), /the-secret/);
  });

  it('is slow is sent no more than fits, and what does not fit is counted', async () => {
    await open();
    const held: (() => void)[] = [];
    collector.answer = (_, response) => {
      held.push(() => response.writeHead(200).end());
      return true;
    };
    for (let at = 0; at < 4; at++) telemetry.tracer.server('first', nothing).end();
    await collector.until(() => held.length === 1);
    for (let at = 0; at < 10; at++) telemetry.tracer.server('then', nothing).end();
    assert.equal((await metricOf('sallyport_telemetry_dropped_total')).traces, 6);
    collector.answer = null;
    held[0]?.();
    await collector.until(() => collector.spans().length === 4);
  });
});

describe('sampling', () => {
  const parent = (flags: string) => ({
    traceparent: `00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-${flags}`,
    tracestate: undefined,
  });
  const decided = () => {
    const { tracer } = telemetry;
    return [nothing, parent('01'), parent('00')].map((carried) => tracer.server('x', carried).sampled);
  };

  for (const [root, parentBased, expected] of [
    ['always_on', true, [true, true, false]],
    ['always_off', true, [false, true, false]],
    ['always_on', false, [true, true, true]],
    ['always_off', false, [false, false, false]],
  ] as const) {
    it(`is ${root}${parentBased ? ', unless the sender decided' : ''}`, async () => {
      await open({ sampler: { root, parentBased, ratio: 1 } });
      assert.deepEqual(decided(), expected);
    });
  }

  it('by ratio keeps about so many, and the same ones everywhere', async () => {
    await open({ sampler: { root: 'traceidratio', parentBased: false, ratio: 0.25 } });
    const { tracer } = telemetry;
    const spans = Array.from({ length: 2000 }, () => tracer.server('x', nothing));
    const kept = spans.filter(({ sampled }) => sampled).length;
    assert.ok(kept > 380 && kept < 620, String(kept));
    for (const { traceparent, sampled } of spans)
      assert.equal(tracer.server('x', { traceparent, tracestate: undefined }).sampled, sampled);
  });
});
