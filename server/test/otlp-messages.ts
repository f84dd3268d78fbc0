import type { Json } from './start-app.ts';

/** The messages of OTLP that we send, read by their published field numbers alone: no code of those who wrote them. */

type Kind =
  | 'text'
  | 'hex'
  | 'int'
  | 'bool'
  | 'double'
  | 'fixed64'
  | 'fixed32'
  | 'doubles'
  | 'fixed64s'
  | readonly [message: () => Message]
  | readonly [message: () => Message, 'many'];
type Message = Readonly<Record<number, readonly [name: string, kind: Kind]>>;

const anyValue: Message = {
  1: ['stringValue', 'text'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int'],
  4: ['doubleValue', 'double'],
};
const keyValue: Message = { 1: ['key', 'text'], 2: ['value', [() => anyValue]] };
const attributes = ['attributes', [() => keyValue, 'many']] as const;
const resource: Message = { 1: attributes };
const scope: Message = { 1: ['name', 'text'], 2: ['version', 'text'] };
const status: Message = { 2: ['message', 'text'], 3: ['code', 'int'] };
const span: Message = {
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  3: ['traceState', 'text'],
  4: ['parentSpanId', 'hex'],
  5: ['name', 'text'],
  6: ['kind', 'int'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: attributes,
  15: ['status', [() => status]],
  16: ['flags', 'fixed32'],
};
const numberPoint: Message = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  7: attributes,
};
const histogramPoint: Message = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['bucketCounts', 'fixed64s'],
  7: ['explicitBounds', 'doubles'],
  9: attributes,
};
const gauge: Message = { 1: ['dataPoints', [() => numberPoint, 'many']] };
const sum: Message = { ...gauge, 2: ['aggregationTemporality', 'int'], 3: ['isMonotonic', 'bool'] };
const histogram: Message = {
  1: ['dataPoints', [() => histogramPoint, 'many']],
  2: ['aggregationTemporality', 'int'],
};
const metric: Message = {
  1: ['name', 'text'],
  2: ['description', 'text'],
  3: ['unit', 'text'],
  5: ['gauge', [() => gauge]],
  7: ['sum', [() => sum]],
  9: ['histogram', [() => histogram]],
};
const logRecord: Message = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['severityNumber', 'int'],
  3: ['severityText', 'text'],
  5: ['body', [() => anyValue]],
  6: attributes,
  9: ['traceId', 'hex'],
  10: ['spanId', 'hex'],
};

/** What each signal's requests hold: resources, of these scopes, of these items. */
function requestOf(resources: string, scopes: string, items: string, item: Message): Message {
  const ofScope: Message = { 1: ['scope', [() => scope]], 2: [items, [() => item, 'many']] };
  const ofResource: Message = {
    1: ['resource', [() => resource]],
    2: [scopes, [() => ofScope, 'many']],
  };
  return { 1: [resources, [() => ofResource, 'many']] };
}

const requests = {
  traces: requestOf('resourceSpans', 'scopeSpans', 'spans', span),
  metrics: requestOf('resourceMetrics', 'scopeMetrics', 'metrics', metric),
  logs: requestOf('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
};

export type Signal = keyof typeof requests;

/** A request as OTLP writes it in JSON. Throws for what is none. */
export function decodeRequest(signal: Signal, bytes: Buffer): Json {
  return decode(requests[signal], bytes);
}

function decode(message: Message, bytes: Buffer): Json {
  const decoded: Json = {};
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('a field is longer than its message');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    const raw =
      wireType === 0
        ? varint()
        : wireType === 1
          ? take(8)
          : wireType === 5
            ? take(4)
            : wireType === 2
              ? take(Number(varint()))
              : null;
    if (raw === null) throw new Error(`there is no wire type ${wireType}`);
    const field = message[tag >> 3];
    if (field === undefined) continue;
    const [name, kind] = field;
    if (typeof kind === 'string') decoded[name] = scalar(kind, raw);
    else if (kind[1] === 'many') decoded[name] = [...(decoded[name] ?? []), decode(kind[0](), raw as Buffer)];
    else decoded[name] = decode(kind[0](), raw as Buffer);
  }
  return decoded;
}

function scalar(kind: Extract<Kind, string>, raw: bigint | Buffer): Json {
  if (typeof raw === 'bigint') return kind === 'bool' ? raw === 1n : Number(raw);
  switch (kind) {
    case 'text':
      return new TextDecoder('utf-8', { fatal: true }).decode(raw);
    case 'hex':
      return raw.toString('hex');
    case 'double':
      return raw.readDoubleLE();
    case 'fixed64':
      return raw.readBigUInt64LE().toString();
    case 'fixed32':
      return raw.readUInt32LE();
    case 'doubles':
      return eights(raw).map((one) => one.readDoubleLE());
    case 'fixed64s':
      return eights(raw).map((one) => one.readBigUInt64LE().toString());
    default:
      throw new Error(`${kind} is no field of bytes`);
  }
}

function eights(raw: Buffer): Buffer[] {
  return Array.from({ length: raw.length / 8 }, (_, index) => raw.subarray(index * 8, index * 8 + 8));
}

/** An answer that says how much of a request was rejected. */
export function partialSuccess(rejected: number, message: string): Buffer {
  const text = Buffer.from(message);
  const partial = Buffer.concat([Buffer.from([0x08, rejected, 0x12, text.length]), text]);
  return Buffer.concat([Buffer.from([0x0a, partial.length]), partial]);
}
