/** A JSON object, parsed, of which nothing is known but that it is one. */
export type Members = { readonly [member: string]: unknown };

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a parsed JSON value is nested deeper than `levels`. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeperThan(item, levels - 1)) return true;
    return false;
  }
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}

/** Whether a value holds more than `limit` characters and members. Looks at no more than that. */
export function isHeavierThan(value: unknown, limit: number): boolean {
  let left = limit;
  const take = (part: unknown): void => {
    left -= typeof part === 'string' ? part.length + 1 : 1;
    if (left < 0 || typeof part !== 'object' || part === null) return;
    for (const key in part) {
      left -= key.length;
      take((part as Members)[key]);
      if (left < 0) return;
    }
  };
  take(value);
  return left < 0;
}

/** Where one member of a JSON object lies in its bytes. */
export interface JsonMember {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The members of a JSON object, in order and with repeated names, of bytes that are known to be JSON. Nothing is decoded
 * but the names, so whoever passes a member's bytes on passes on what was written.
 */
export function jsonMembers(json: Buffer): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipSpace(json, 0) + 1;
  for (;;) {
    at = skipSpace(json, at);
    if (json[at] === 0x2c) at = skipSpace(json, at + 1);
    if (json[at] !== QUOTE) return members;
    const start = at;
    const nameEnd = endOfString(json, start);
    const valueStart = skipSpace(json, skipSpace(json, nameEnd) + 1);
    at = endOfValue(json, valueStart);
    members.push({ name: JSON.parse(json.toString('utf8', start, nameEnd)), start, valueStart, end: at });
  }
}

/** Where the items of a JSON array lie, of bytes that are known to be JSON. */
export function jsonItems(json: Buffer): readonly JsonItem[] {
  return [...eachJsonItem(json)];
}

export interface JsonItem {
  readonly start: number;
  readonly end: number;
}

/**
 * The same one after another. Of bytes that may not be JSON, an item may be none, too; what is returned is where the array
 * ended, `null` where it did not.
 */
export function* eachJsonItem(json: Buffer): Generator<JsonItem, number | null> {
  let at = skipSpace(json, 0) + 1;
  for (let isFirst = true; ; isFirst = false) {
    at = skipSpace(json, at);
    if (json[at] === 0x5d) return at + 1;
    if (!isFirst && json[at] !== 0x2c) return null;
    const start = isFirst ? at : skipSpace(json, at + 1);
    if (start >= json.length) return null;
    at = endOfValue(json, start);
    yield { start, end: at };
  }
}

function endOfValue(json: Buffer, start: number): number {
  const first = json[start];
  if (first === QUOTE) return endOfString(json, start);
  return first === 0x7b || first === 0x5b ? endOfNested(json, start) : endOfScalar(json, start);
}

function endOfNested(json: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      at = endOfString(json, at);
      continue;
    }
    at++;
    if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return at;
  }
  return at;
}

function endOfScalar(json: Buffer, start: number): number {
  let at = start;
  while (at < json.length && !endsScalar(json[at] as number)) at++;
  return at;
}

/** Just after the string that begins at `start`. */
function endOfString(json: Buffer, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return json.length;
    let back = quote - 1;
    while (json[back] === BACKSLASH) back--;
    if ((quote - back) % 2 === 1) return quote + 1;
    at = quote + 1;
  }
}

function endsScalar(byte: number): boolean {
  return byte === 0x2c || byte === 0x7d || byte === 0x5d || isSpace(byte);
}

function skipSpace(json: Buffer, start: number): number {
  let at = start;
  while (at < json.length && isSpace(json[at] as number)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
