import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { OtelSettings } from './otel.ts';
import { readSettings } from './settings.ts';

const nowhere = '/nonexistent-working-directory';
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function read(env: Record<string, string>, directory = nowhere): OtelSettings | null {
  const settings = readSettings(env, directory);
  assert.ok(settings.ok, settings.ok ? '' : settings.error.join('\n'));
  return settings.value.otel;
}

function mistakes(env: Record<string, string>): readonly string[] {
  const settings = readSettings({ ...endpoint, ...env }, nowhere);
  return settings.ok ? [] : settings.error;
}

describe('the variables of OpenTelemetry', () => {
  it('stand in docs/config.md', () => {
    const page = readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8');
    const ofAll = [
      'HEADERS',
      'PROTOCOL',
      'COMPRESSION',
      'TIMEOUT',
      'CERTIFICATE',
      'CLIENT_CERTIFICATE',
      'CLIENT_KEY',
    ];
    const signals = ['TRACES', 'METRICS', 'LOGS'];
    const batch = ['SCHEDULE_DELAY', 'MAX_QUEUE_SIZE', 'MAX_EXPORT_BATCH_SIZE', 'EXPORT_TIMEOUT'];
    const names = [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      ...ofAll.map((name) => `OTEL_EXPORTER_OTLP_${name}`),
      ...signals.flatMap((signal) => [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, `OTEL_${signal}_EXPORTER`]),
      ...batch.flatMap((name) => [`OTEL_BSP_${name}`, `OTEL_BLRP_${name}`]),
      ...[...readFileSync(new URL('./otel.ts', import.meta.url), 'utf8').matchAll(/'(OTEL_[A-Z_]+)'/g)].map(
        ([, one]) => one,
      ),
    ];
    assert.ok(names.length > 30);
    for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
  });

  it('send nothing without an endpoint, whatever else they say', () => {
    assert.equal(read({}), null);
    assert.equal(read({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'xray' }), null);
    assert.equal(read({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }), null);
    const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
    assert.equal(read({ ...endpoint, ...none }), null);
  });

  it('have the defaults of the specification, but for baggage', () => {
    const signal = {
      headers: {},
      protocol: 'http/protobuf',
      compression: 'none',
      timeoutMs: 10_000,
      tls: null,
    };
    const batch = { maxQueue: 2048, maxBatch: 512, exportTimeoutMs: 30_000 };
    assert.deepEqual(read(endpoint), {
      resource: { 'service.name': 'sallyport' },
      propagation: { tracecontext: true, baggage: false },
      traces: {
        ...signal,
        endpoint: 'http://collector:4318/v1/traces',
        batch: { ...batch, delayMs: 5000 },
        sampler: { root: 'always_on', ratio: 1, parentBased: true },
      },
      metrics: {
        ...signal,
        endpoint: 'http://collector:4318/v1/metrics',
        intervalMs: 60_000,
        exportTimeoutMs: 30_000,
      },
      logs: { ...signal, endpoint: 'http://collector:4318/v1/logs', batch: { ...batch, delayMs: 1000 } },
    });
  });

  it('of one signal go before those of all, and its endpoint is the very address', () => {
    const settings = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp/?tenant=1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:9/as/it/is',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-all=1',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: ' authorization = Bearer%20a%2Cb%3D , x-b=2',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_METRICS_EXPORTER: 'otlp',
    });
    const { traces, metrics, logs } = settings ?? assert.fail();
    assert.deepEqual(
      [traces?.endpoint, metrics?.endpoint, logs?.endpoint],
      [
        'http://traces:9/as/it/is',
        'https://collector/otlp/v1/metrics?tenant=1',
        'https://collector/otlp/v1/logs?tenant=1',
      ],
    );
    assert.deepEqual(
      [traces?.headers, logs?.headers],
      [{ 'x-all': '1' }, { authorization: 'Bearer a,b=', 'x-b': '2' }],
    );
    assert.deepEqual([traces?.protocol, metrics?.protocol], ['http/protobuf', 'http/json']);
    assert.deepEqual([traces?.compression, logs?.compression, logs?.timeoutMs], ['none', 'gzip', 500]);
  });

  it('say whose telemetry it is, how it is gathered, and how much of it is kept', () => {
    const settings = read({
      ...endpoint,
      OTEL_SERVICE_NAME: 'edge',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,team=tools%20team',
      OTEL_PROPAGATORS: 'tracecontext, baggage',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BLRP_SCHEDULE_DELAY: '7',
      OTEL_METRIC_EXPORT_INTERVAL: '15000',
    });
    const { resource, propagation, traces, metrics, logs } = settings ?? assert.fail();
    assert.deepEqual(resource, { 'service.name': 'edge', team: 'tools team' });
    assert.deepEqual(propagation, { tracecontext: true, baggage: true });
    assert.deepEqual(traces?.sampler, { root: 'traceidratio', ratio: 0.01, parentBased: true });
    assert.deepEqual([traces?.batch.maxQueue, traces?.batch.maxBatch], [100, 100]);
    assert.deepEqual([logs?.batch.delayMs, metrics?.intervalMs], [7, 15_000]);
    const none = read({ ...endpoint, OTEL_PROPAGATORS: 'none' });
    assert.deepEqual(none?.propagation, { tracecontext: false, baggage: false });
  });

  it('read certificates from files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-otel-'));
    try {
      const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
      for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(directory, name), pem);
      const settings = read(
        {
          ...endpoint,
          OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem',
          OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: 'cert.pem',
          OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: join(directory, 'key.pem'),
        },
        directory,
      );
      assert.deepEqual(settings?.traces?.tls, { ca: pem, cert: pem, key: pem });
      assert.deepEqual(settings?.logs?.tls, { ca: pem });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('that are wrong are all named, once, with what was expected and without their values', () => {
    const wrong = {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'SEKRET',
      OTEL_EXPORTER_OTLP_HEADERS: 'host=SEKRET',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'SEKRET',
      OTEL_EXPORTER_OTLP_TIMEOUT: '0',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/SEKRET/no.pem',
      OTEL_RESOURCE_ATTRIBUTES: 'SEKRET',
      OTEL_PROPAGATORS: 'b3',
      OTEL_BSP_SCHEDULE_DELAY: 'SEKRET',
      OTEL_BSP_MAX_QUEUE_SIZE: '1e9',
      OTEL_TRACES_SAMPLER: 'SEKRET',
      OTEL_METRIC_EXPORT_INTERVAL: '-1',
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '4096',
    };
    const said = mistakes(wrong);
    assert.deepEqual(
      said.map((mistake) => mistake.split(': expected ')[0]),
      Object.keys(wrong),
    );
    assert.doesNotMatch(said.join('\n'), /SEKRET/);
  });

  for (const [what, env, says] of [
    ['grpc', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /grpc is not spoken here/],
    ['an endpoint with a password', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://a:b@c' }, /without user/],
    ['an endpoint that is no address', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, /http or https/],
    ['a header with a line break', { OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0D%0Ac' }, /a list such as/],
    ['a header that is no name', { OTEL_EXPORTER_OTLP_HEADERS: 'a b=c' }, /a list such as/],
    ['a console', { OTEL_TRACES_EXPORTER: 'console' }, /otlp or none/],
    [
      'a sampler of others',
      { OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' },
      /samplers that others decide/,
    ],
    [
      'a ratio above 1',
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1.5' },
      /from 0 to 1/,
    ],
    ['neither true nor false', { OTEL_SDK_DISABLED: 'yes' }, /true or false/],
    [
      'a key without its certificate',
      { OTEL_EXPORTER_OTLP_CLIENT_KEY: import.meta.filename },
      /both or neither/,
    ],
  ] as const) {
    it(`${what} is refused with words`, () => {
      const [first, ...more] = mistakes(env);
      assert.match(first ?? '', says);
      assert.equal(more.length, 0);
    });
  }
});
