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
  const own = `"${serverInfoKey}":${serverInfo}`;
  if (!result.includes('"resultType"') && !result.includes('"_meta"')) return withFront(result, own);
  const bytes = bytesOf(result);
  const members = jsonMembers(bytes);
  const meta = members.findLast(({ name }) => name === '_meta');
  const kept = meta === undefined ? [] : metaMembers(bytes.subarray(meta.valueStart, meta.end));
  const rest = members.filter(({ name }) => name !== 'resultType' && name !== '_meta');
  const head = Buffer.from('"resultType":"complete"');
  return objectOf([head, named('_meta', objectOf([Buffer.from(own), ...kept])), ...texts(bytes, rest)]);
}

/** What most results need: members in front of those that are there. */
function withFront(result: string | Buffer, own: string): string | Buffer {
  const front = `{"resultType":"complete","_meta":{${own}}`;
  if (typeof result === 'string') {
    const rest = result.slice(result.indexOf('{') + 1);
    return `${front}${rest.trimStart().startsWith('}') ? '' : ','}${rest}`;
  }
  const rest = result.subarray(result.indexOf(0x7b) + 1);
  const isEmpty = rest.find((byte) => byte > 0x20) === 0x7d;
  return Buffer.concat([Buffer.from(isEmpty ? front : `${front},`), rest]);
}

/** A result as the revisions with a handshake want it: structured content is an object, and nothing says `resultType`. */
export function legacyResult(result: string | Buffer): string | Buffer {
  if (!result.includes('"resultType"') && !result.includes('"structuredContent"')) return result;
  const bytes = bytesOf(result);
  const members = jsonMembers(bytes);
  const isFit = ({ name, valueStart }: JsonMember) =>
    name === 'structuredContent' ? bytes[valueStart] === 0x7b : name !== 'resultType';
  if (members.every(isFit)) return result;
  return objectOf(
    members
      .filter(({ name }) => name !== 'resultType')
      .map((member) => {
        const value = bytes.subarray(member.valueStart, member.end);
        return isFit(member)
          ? bytes.subarray(member.start, member.end)
          : named('structuredContent', objectOf([named('result', value)]));
      }),
  );
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
