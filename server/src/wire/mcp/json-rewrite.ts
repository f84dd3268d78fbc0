import { type JsonMember, jsonItems, jsonMembers } from '#foundation';

/** Puts what a value's bytes hold into other bytes; what is not of the shape that it is meant for stays. */
export type Rewrite = (value: Buffer) => Buffer;

/** In every member of that name of an object. */
export function inMember(name: string, rewrite: Rewrite): Rewrite {
  return inMembers((member) => (member.name === name ? rewrite : null));
}

/** In every item of an array. */
export function inItems(rewrite: Rewrite): Rewrite {
  return (json) =>
    opensWith(json, 0x5b)
      ? spliced(
          json,
          jsonItems(json).map(({ start, end }) => ({ start, end, rewrite })),
        )
      : json;
}

/** In every member of that name, in whatever object it stands, down to `depth` levels. */
export function inMembersAnywhere(name: string, rewrite: Rewrite, depth = 8): Rewrite {
  if (depth === 0) return (json) => json;
  const deeper = inMembersAnywhere(name, rewrite, depth - 1);
  const inObject = inMembers((member) => (member.name === name ? rewrite : deeper));
  const inArray = inItems(deeper);
  return (json) => inArray(inObject(json));
}

/** In place of a string, where it is `from`. */
export function ofString(from: string, to: string): Rewrite {
  return (json) =>
    opensWith(json, 0x22) && JSON.parse(json.toString('utf8')) === from
      ? Buffer.from(JSON.stringify(to))
      : json;
}

function inMembers(rewriteOf: (member: JsonMember) => Rewrite | null): Rewrite {
  return (json) => {
    if (!opensWith(json, 0x7b)) return json;
    const values = jsonMembers(json).flatMap((member) => {
      const rewrite = rewriteOf(member);
      return rewrite === null ? [] : [{ start: member.valueStart, end: member.end, rewrite }];
    });
    return spliced(json, values);
  };
}

/** Space may stand before a value where it was cut out of its message. */
function opensWith(json: Buffer, byte: number): boolean {
  return json.find((one) => one > 0x20) === byte;
}

interface Spliced {
  readonly start: number;
  readonly end: number;
  readonly rewrite: Rewrite;
}

function spliced(json: Buffer, values: readonly Spliced[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, rewrite } of values) {
    parts.push(json.subarray(at, start), rewrite(json.subarray(start, end)));
    at = end;
  }
  return at === 0 ? json : Buffer.concat([...parts, json.subarray(at)]);
}
