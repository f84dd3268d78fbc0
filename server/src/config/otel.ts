import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { booleanOf, type Env, headerLines, keyValues, oneOf, type Reader, readerOf } from './otel-values.ts';

/** What is sent to OpenTelemetry collectors, by OpenTelemetry's own variables. `headers` are secrets. */
export interface OtelSettings {
  readonly resource: Readonly<Record<string, string>>;
  readonly propagation: { readonly tracecontext: boolean; readonly baggage: boolean };
  readonly traces: (OtelSignal & { readonly batch: OtelBatch; readonly sampler: OtelSampler }) | null;
  readonly metrics: (OtelSignal & { readonly intervalMs: number; readonly exportTimeoutMs: number }) | null;
  readonly logs: (OtelSignal & { readonly batch: OtelBatch }) | null;
}

export interface OtelSignal {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly compression: 'gzip' | 'none';
  readonly timeoutMs: number;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
}

export interface OtelBatch {
  readonly delayMs: number;
  readonly maxQueue: number;
  readonly maxBatch: number;
  readonly exportTimeoutMs: number;
}

export interface OtelSampler {
  readonly root: 'always_on' | 'always_off' | 'traceidratio';
  readonly ratio: number;
  readonly parentBased: boolean;
}

/**
 * `null`: nothing is sent, and nothing else is looked at, as these variables are there for other programs, too. Mistakes are said
 * like those of all other variables.
 */
export function readOtelSettings(
  env: Env,
  workingDirectory: string,
  mistakes: string[],
): OtelSettings | null {
  const read = readerOf(env, mistakes);
  if (read('OTEL_SDK_DISABLED', false, booleanOf, 'true or false')) return null;
  const at = { read, workingDirectory, mistakes };
  const [traces, metrics, logs] = [signalOf('TRACES', at), signalOf('METRICS', at), signalOf('LOGS', at)];
  if (traces === null && metrics === null && logs === null) return null;
  return {
    resource: resourceOf(read),
    propagation: propagationOf(read),
    traces: traces && { ...traces, batch: batchOf('BSP', 5000, at), sampler: samplerOf(read) },
    metrics: metrics && {
      ...metrics,
      intervalMs: read('OTEL_METRIC_EXPORT_INTERVAL', 60_000, atLeastOne, msForm),
      exportTimeoutMs: read('OTEL_METRIC_EXPORT_TIMEOUT', 30_000, atLeastOne, msForm),
    },
    logs: logs && { ...logs, batch: batchOf('BLRP', 1000, at) },
  };
}

interface Reading {
  readonly read: Reader;
  readonly workingDirectory: string;
  readonly mistakes: string[];
}

const msForm = 'a whole number of milliseconds, at least 1';

function atLeastOne(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

function resourceOf(read: Reader): Readonly<Record<string, string>> {
  const form = 'a list such as team=tools,deployment.environment.name=prod';
  const given = read('OTEL_RESOURCE_ATTRIBUTES', {}, keyValues, form);
  const name = read('OTEL_SERVICE_NAME', '', (text) => text, 'a name');
  return { 'service.name': 'sallyport', ...given, ...(name === '' ? {} : { 'service.name': name }) };
}

/** Baggage may tell of people: it is passed on only where it is named. */
function propagationOf(read: Reader): OtelSettings['propagation'] {
  const parse = (text: string) => {
    const named = text.split(',').map((one) => one.trim());
    if (named.length === 1 && named[0] === 'none') return { tracecontext: false, baggage: false };
    if (!named.every((one) => one === 'tracecontext' || one === 'baggage')) return undefined;
    return { tracecontext: named.includes('tracecontext'), baggage: named.includes('baggage') };
  };
  const expected = 'none, or a list of tracecontext and baggage';
  return read('OTEL_PROPAGATORS', { tracecontext: true, baggage: false }, parse, expected);
}

const samplers = ['always_on', 'always_off', 'traceidratio'] as const;
const parentBased = samplers.map((name) => `parentbased_${name}` as const);

function samplerOf(read: Reader): OtelSampler {
  const named = read(
    'OTEL_TRACES_SAMPLER',
    'parentbased_always_on',
    oneOf([...samplers, ...parentBased]),
    `one of ${[...samplers, ...parentBased].join(', ')}; samplers that others decide for are not there`,
  );
  const ratioOf = (text: string) =>
    /^(0|1|0?\.\d+|1\.0+|0\.\d+e-\d+|\d(\.\d+)?e-\d+)$/i.test(text) && Number(text) <= 1
      ? Number(text)
      : undefined;
  const ratio = named.endsWith('traceidratio')
    ? read('OTEL_TRACES_SAMPLER_ARG', 1, ratioOf, 'a number from 0 to 1')
    : 1;
  const root = named.replace('parentbased_', '') as OtelSampler['root'];
  return { root, ratio, parentBased: named !== root };
}

function batchOf(kind: 'BSP' | 'BLRP', delayMs: number, { read, mistakes }: Reading): OtelBatch {
  const countForm = 'a whole number, at least 1';
  const most = (text: string) => {
    const count = atLeastOne(text);
    return count !== undefined && count <= maxKept ? count : undefined;
  };
  const batch = {
    delayMs: read(`OTEL_${kind}_SCHEDULE_DELAY`, delayMs, atLeastOne, msForm),
    exportTimeoutMs: read(`OTEL_${kind}_EXPORT_TIMEOUT`, 30_000, atLeastOne, msForm),
    maxQueue: read(`OTEL_${kind}_MAX_QUEUE_SIZE`, 2048, most, `${countForm} and at most ${maxKept}`),
    maxBatch: read(`OTEL_${kind}_MAX_EXPORT_BATCH_SIZE`, 512, atLeastOne, countForm),
  };
  if (batch.maxBatch <= batch.maxQueue) return batch;
  if (read(`OTEL_${kind}_MAX_EXPORT_BATCH_SIZE`, 0, atLeastOne, countForm) === 0)
    return { ...batch, maxBatch: batch.maxQueue };
  mistakes.push(`OTEL_${kind}_MAX_EXPORT_BATCH_SIZE: expected at most OTEL_${kind}_MAX_QUEUE_SIZE`);
  return batch;
}

/** What waits for a collector lies in memory. */
const maxKept = 1_000_000;

type SignalName = 'TRACES' | 'METRICS' | 'LOGS';

/** What is said of a signal alone goes before what is said of all. `null`: it is sent nowhere. */
function signalOf(signal: SignalName, { read, workingDirectory, mistakes }: Reading): OtelSignal | null {
  const endpoint = endpointOf(signal, read);
  if (endpoint === null) return null;
  if (read(`OTEL_${signal}_EXPORTER`, 'otlp', oneOf(['otlp', 'none']), 'otlp or none') === 'none')
    return null;
  const either = <T>(
    name: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    expected: string,
  ): T => {
    const ofAll = read(`OTEL_EXPORTER_OTLP_${name}`, fallback, parse, expected);
    return read(`OTEL_EXPORTER_OTLP_${signal}_${name}`, ofAll, parse, expected);
  };
  const protocol = either<OtelSignal['protocol']>(
    'PROTOCOL',
    'http/protobuf',
    oneOf(['http/protobuf', 'http/json']),
    'http/protobuf or http/json; grpc is not spoken here: collectors take HTTP on port 4318',
  );
  const headers = either<OtelSignal['headers']>(
    'HEADERS',
    {},
    headerLines,
    'a list such as name=value,name=value',
  );
  const compression = either<OtelSignal['compression']>(
    'COMPRESSION',
    'none',
    oneOf(['gzip', 'none']),
    'gzip or none',
  );
  const timeoutMs = either('TIMEOUT', 10_000, atLeastOne, msForm);
  const pem = (name: string) =>
    either<string | null>(
      name,
      null,
      (text) => pemIn(resolve(workingDirectory, text)),
      'a file with PEM in it',
    );
  const [ca, cert, key] = [pem('CERTIFICATE'), pem('CLIENT_CERTIFICATE'), pem('CLIENT_KEY')];
  const pair = `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY: expected both or neither`;
  if ((cert === null) !== (key === null) && !mistakes.includes(pair)) mistakes.push(pair);
  const tls =
    ca === null && cert === null && key === null
      ? null
      : {
          ...(ca === null ? {} : { ca }),
          ...(cert === null ? {} : { cert }),
          ...(key === null ? {} : { key }),
        };
  return { endpoint, headers, protocol, compression, timeoutMs, tls };
}

/** That of all signals is where their paths begin; that of one is the very address. */
function endpointOf(signal: SignalName, read: Reader): string | null {
  const form = 'an http or https address such as http://127.0.0.1:4318, without user, password and fragment';
  const ofAll = read<string | null>('OTEL_EXPORTER_OTLP_ENDPOINT', null, addressOf, form);
  const own = read<string | null>(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, null, addressOf, form);
  if (own !== null || ofAll === null) return own;
  const base = new URL(ofAll);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/${signal.toLowerCase()}`;
  return base.href;
}

function addressOf(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' && !text.includes('#') ? url.href : undefined;
}

function pemIn(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return text.includes('-----BEGIN ') ? text : undefined;
  } catch {
    return undefined;
  }
}
