import { type JsonMember, jsonMembers } from '#foundation';

/**
 * Puts a result into the form of the client's generation. What must not change is passed on as the bytes that the source
 * wrote: numbers that JavaScript cannot hold, repeated members, spaces.
 */

const serverInfoKey = 'io.modelcontextprotocol/serverInfo';

/**
 * A result as 2026-07-28 wants it: complete, and from this gateway. `serverInfo` is JSON text; other members of the
 * result's own `_meta` stay.
 */
export function completeResult(result: string | Buffer, serverInfo: string): string | Buffer {
  return completed(result, serverInfo, '', []);
}

/**
 * The result of `resources/read`: complete, with hints for caches. What one caller may read is nobody else's; how long it
 * stays fresh the source may know, and nobody knows it of the answer to a retry, which must not be kept.
 */
export function readResult(result: string | Buffer, serverInfo: string, isRetry: boolean): string | Buffer {
  const ttlMs = isRetry ? 0 : ownTtlMs(result);
  return completed(result, serverInfo, `,"ttlMs":${ttlMs},"cacheScope":"private"`, cacheHints);
}

const cacheHints: readonly string[] = ['ttlMs', 'cacheScope'];

function ownTtlMs(result: string | Buffer): number {
  if (!result.includes('"ttlMs"')) return 0;
  const bytes = bytesOf(result);
  const member = jsonMembers(bytes).findLast(({ name }) => name === 'ttlMs');
  const value = Number(member && bytes.toString('latin1', member.valueStart, member.end));
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** Puts `hints` in front, in place of the result's own members of those names. */
function completed(
  result: string | Buffer,
  serverInfo: string,
  hints: string,
  replaced: readonly string[],
): string | Buffer {
  const own = `"${serverInfoKey}":${serverInfo}`;
  const isPlain =
    !result.includes('"_meta"') &&
    !result.includes('"resultType"') &&
    !replaced.some((name) => result.includes(`"${name}"`));
  if (isPlain) return withFront(result, `{"resultType":"complete"${hints},"_meta":{${own}}`);
  const bytes = bytesOf(result);
  const members = jsonMembers(bytes);
  const meta = members.findLast(({ name }) => name === '_meta');
  const kept = meta === undefined ? [] : metaMembers(bytes.subarray(meta.valueStart, meta.end));
  const rest = members.filter(
    ({ name }) => name !== 'resultType' && name !== '_meta' && !replaced.includes(name),
  );
  return objectOf([
    Buffer.from(`"resultType":"${isTask(bytes, members) ? 'task' : 'complete'}"${hints}`),
    named('_meta', objectOf([Buffer.from(own), ...kept])),
    ...texts(bytes, rest),
  ]);
}

/** A source that starts a task says so in the same words. */
function isTask(bytes: Buffer, members: readonly JsonMember[]): boolean {
  const type = members.findLast(({ name }) => name === 'resultType');
  return type !== undefined && bytes.toString('latin1', type.valueStart, type.end) === '"task"';
}

/** What most results need: members in front of those that are there. */
function withFront(result: string | Buffer, front: string): string | Buffer {
  if (typeof result === 'string') {
    const rest = result.slice(result.indexOf('{') + 1);
    return `${front}${rest.trimStart().startsWith('}') ? '' : ','}${rest}`;
  }
  const rest = result.subarray(result.indexOf(0x7b) + 1);
  const isEmpty = rest.find((byte) => byte > 0x20) === 0x7d;
  return Buffer.concat([Buffer.from(isEmpty ? front : `${front},`), rest]);
}

/** What becomes of a member's value; `null`: the member goes. The same bytes: it stays as it was written. */
type Reworded = (value: Buffer) => Buffer | null;

interface OlderForm {
  /** Whether anything in it may have to change. */
  readonly concerns: (result: string | Buffer) => boolean;
  readonly members: Readonly<Record<string, Reworded>>;
}

const gone: Reworded = () => null;
/** Who a server is, it says in the handshake. */
const legacyMeta: Reworded = (meta) => {
  if (!meta.includes(serverInfoKey)) return meta;
  const kept = metaMembers(meta);
  return kept.length === 0 ? null : objectOf(kept);
};
const legacyForm: OlderForm = {
  concerns: (result) => holds(result, ['"resultType"', serverInfoKey]) || mayHoldNoObject(result),
  members: {
    resultType: gone,
    _meta: legacyMeta,
    structuredContent: (value) => (value[0] === 0x7b ? value : objectOf([named('result', value)])),
  },
};
const legacyReadForm: OlderForm = {
  concerns: (result) => holds(result, ['"resultType"', '"ttlMs"', '"cacheScope"', serverInfoKey]),
  members: { resultType: gone, ttlMs: gone, cacheScope: gone, _meta: legacyMeta },
};

/** The result of `resources/read` as the revisions with a handshake know it. */
export function legacyRead(result: string | Buffer): string | Buffer {
  return reworded(result, legacyReadForm);
}

/**
 * A result as the revisions with a handshake want it: structured content is an object, and nothing says `resultType` or who
 * the source is.
 */
export function legacyResult(result: string | Buffer): string | Buffer {
  return reworded(result, legacyForm);
}

function holds(result: string | Buffer, marks: readonly string[]): boolean {
  return marks.some((mark) => result.includes(mark));
}

/** Structured content that is not plainly an object, as that of every answer of a worker is. */
function mayHoldNoObject(result: string | Buffer): boolean {
  const name = '"structuredContent"';
  for (let at = result.indexOf(name); at >= 0; at = result.indexOf(name, at)) {
    at += name.length;
    const isObject =
      typeof result === 'string'
        ? result.startsWith(':{', at)
        : result[at] === 0x3a && result[at + 1] === 0x7b;
    if (!isObject) return true;
  }
  return false;
}

function reworded(result: string | Buffer, { concerns, members }: OlderForm): string | Buffer {
  if (!concerns(result)) return result;
  const bytes = bytesOf(result);
  let isSame = true;
  const texts = jsonMembers(bytes).flatMap(({ name, start, valueStart, end }) => {
    const value = bytes.subarray(valueStart, end);
    const told = Object.hasOwn(members, name) ? (members[name] as Reworded)(value) : value;
    if (told === value) return [bytes.subarray(start, end)];
    isSame = false;
    return told === null ? [] : [named(name, told)];
  });
  return isSame ? result : objectOf(texts);
}

function metaMembers(meta: Buffer): Buffer[] {
  if (meta[0] !== 0x7b) return [];
  return texts(
    meta,
    jsonMembers(meta).filter(({ name }) => name !== serverInfoKey),
  );
}

function texts(json: Buffer, members: readonly JsonMember[]): Buffer[] {
  return members.map(({ start, end }) => json.subarray(start, end));
}

function named(name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`"${name}":`), value]);
}

function objectOf(members: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',');
  const parts = members.flatMap((member, index) => (index === 0 ? [member] : [comma, member]));
  return Buffer.concat([Buffer.from('{'), ...parts, Buffer.from('}')]);
}

function bytesOf(result: string | Buffer): Buffer {
  return typeof result === 'string' ? Buffer.from(result) : result;
}
