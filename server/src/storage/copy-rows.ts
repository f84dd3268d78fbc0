import type { ColumnType, RowLines } from './contract.ts';

/** A line is not what it was said to be; with PostgreSQL's code for a text that is not of its type. */
export class MalformedLine extends Error {
  readonly code = '22P02';
}

const char = {
  newline: 10,
  space: 32,
  quote: 34,
  comma: 44,
  openList: 91,
  backslash: 92,
  closeList: 93,
  n: 110,
  u: 117,
  open: 123,
  close: 125,
} as const;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const END = Buffer.from([0xff, 0xff]);
const NULL_LENGTH = -1;
/** A length and eight bytes: what a value takes at most, beside its text. */
const VALUE_MAX = 12;
/** Times are counted in microseconds from here. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
/** Later ones, of the next millennium, have microseconds that are no exact number. */
const TIME_MAX_MS = 2 ** 45;

/** Where reading and writing are. Most rows have the time of the row before. */
interface Cursor {
  readonly lines: Buffer;
  at: number;
  out: Buffer;
  to: number;
  time: Buffer;
  timeMs: number;
}

/**
 * Lines of JSON as rows of PostgreSQL's binary COPY. All that is drained into the embedded database comes through here: so
 * it goes over the bytes once, makes no strings of them, and leaves it to the database to look into JSON. Throws a
 * `MalformedLine` where a line is not one object with members of the columns, in their order.
 */
export function copyRows({ columns, same, lines: given }: RowLines): ArrayBuffer {
  const lines = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const fields = Object.entries(columns).map(([name, type]) => ({ key: Buffer.from(`"${name}":`), type }));
  const constants = Buffer.concat(Object.values(same).map(constantField));
  const columnCount = fields.length + Object.keys(same).length;
  const rowMax = 2 + VALUE_MAX * fields.length + constants.length + END.length;
  const out = roomFor(SIGNATURE.length + lines.length + rowMax);
  const cursor: Cursor = { lines, at: 0, out, to: SIGNATURE.copy(out), time: SIGNATURE, timeMs: Number.NaN };
  while (cursor.at < lines.length) {
    makeRoom(cursor, lines.length - cursor.at + rowMax);
    cursor.to = cursor.out.writeInt16BE(columnCount, cursor.to);
    expect(cursor, char.open);
    for (const { key, type } of fields) {
      if (!skip(cursor, key)) putInt32(cursor, NULL_LENGTH);
      else copyField(cursor, type);
    }
    expect(cursor, char.close);
    expect(cursor, char.newline);
    cursor.out.set(constants, cursor.to);
    cursor.to += constants.length;
  }
  cursor.to += END.copy(cursor.out, cursor.to);
  const { buffer, byteOffset } = cursor.out;
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + cursor.to);
}

/** Written into again and again: fresh memory costs more than what is written. */
let kept: Buffer = Buffer.alloc(0);
const KEPT_MAX_BYTES = 2 * 1024 * 1024;

function roomFor(bytes: number): Buffer {
  if (bytes > KEPT_MAX_BYTES) return Buffer.allocUnsafeSlow(bytes);
  if (bytes > kept.length) kept = Buffer.allocUnsafeSlow(2 * bytes);
  return kept;
}

function constantField(text: string): Buffer {
  const field = Buffer.from(`\0\0\0\0${text}`);
  field.writeInt32BE(field.length - 4);
  return field;
}

function makeRoom(cursor: Cursor, bytes: number): void {
  if (cursor.to + bytes <= cursor.out.length) return;
  const larger = Buffer.allocUnsafe(2 * (cursor.to + bytes));
  cursor.out.copy(larger, 0, 0, cursor.to);
  cursor.out = larger;
}

function expect(cursor: Cursor, code: number): void {
  if (cursor.lines[cursor.at++] !== code) throw malformed(cursor);
}

function malformed({ at }: Cursor): MalformedLine {
  return new MalformedLine(`a line is not as expected at byte ${at}`);
}

function skip(cursor: Cursor, text: Buffer): boolean {
  const { lines, at } = cursor;
  for (let index = 0; index < text.length; index++) if (lines[at + index] !== text[index]) return false;
  cursor.at += text.length;
  return true;
}

/** A member's value, behind its length, and the comma that follows it. */
function copyField(cursor: Cursor, type: ColumnType): void {
  if (cursor.lines[cursor.at] === char.n) {
    cursor.at += 'null'.length;
    putInt32(cursor, NULL_LENGTH);
  } else {
    const start = cursor.to;
    cursor.to += 4;
    copyValue(cursor, type);
    const end = cursor.to;
    cursor.to = start;
    putInt32(cursor, end - start - 4);
    cursor.to = end;
  }
  if (cursor.lines[cursor.at] === char.comma) cursor.at++;
}

function copyValue(cursor: Cursor, type: ColumnType): void {
  if (type === 'bigint') putInteger(cursor, readInteger(cursor));
  else if (type === 'double precision') cursor.to = cursor.out.writeDoubleBE(readNumber(cursor), cursor.to);
  else if (type === 'json') copyJson(cursor);
  else if (cursor.lines[cursor.at] !== char.quote) throw malformed(cursor);
  else if (type === 'timestamptz') putInteger(cursor, (readTimeMs(cursor) - EPOCH_MS) * 1000);
  else copyString(cursor);
}

/** Copies what a JSON string says. */
function copyString(cursor: Cursor): void {
  const { lines, out } = cursor;
  let { at, to } = cursor;
  for (at++; ; ) {
    const code = lines[at++] as number;
    if (code === char.quote) break;
    if (!(code >= char.space)) throw malformed(cursor);
    if (code === char.backslash) {
      cursor.at = at;
      out[to++] = readEscaped(cursor);
      at = cursor.at;
    } else {
      out[to++] = code;
    }
  }
  cursor.at = at;
  cursor.to = to;
}

function readEscaped(cursor: Cursor): number {
  const code = cursor.lines[cursor.at++] as number;
  if (code !== char.u) return ESCAPED[String.fromCharCode(code)]?.charCodeAt(0) ?? code;
  const written = Number(`0x${cursor.lines.toString('latin1', cursor.at, cursor.at + 4)}`);
  // Only control characters are written in this way, and NUL has no place in the database.
  if (!(written > 0 && written < char.space)) throw malformed(cursor);
  cursor.at += 4;
  return written;
}

/** Copies a JSON value byte for byte. */
function copyJson(cursor: Cursor): void {
  const { lines, out } = cursor;
  let { at, to } = cursor;
  let depth = 0;
  let quoted = false;
  do {
    const code = lines[at++] as number;
    if (!(code >= char.space)) throw malformed(cursor);
    out[to++] = code;
    if (code === char.quote) quoted = !quoted;
    else if (code === char.backslash) {
      if (lines[at] === char.u && lines.toString('latin1', at + 1, at + 5) === '0000')
        throw malformed(cursor);
      out[to++] = lines[at++] as number;
    } else if (quoted) continue;
    else if (code === char.open || code === char.openList) depth++;
    else if (code === char.close || code === char.closeList) depth--;
  } while (depth > 0 || quoted);
  cursor.at = at;
  cursor.to = to;
}

function readTimeMs(cursor: Cursor): number {
  if (!skip(cursor, cursor.time)) {
    const start = cursor.at;
    cursor.at = cursor.lines.indexOf(char.quote, start + 1) + 1;
    cursor.time = cursor.lines.subarray(start, cursor.at);
    cursor.timeMs = Date.parse(cursor.time.toString('latin1', 1, cursor.time.length - 1));
  }
  if (!(Math.abs(cursor.timeMs) < TIME_MAX_MS)) throw malformed(cursor);
  return cursor.timeMs;
}

function readInteger(cursor: Cursor): number {
  const value = readNumber(cursor);
  if (!Number.isSafeInteger(value)) throw malformed(cursor);
  return value;
}

function readNumber(cursor: Cursor): number {
  const start = cursor.at;
  while (cursor.lines[cursor.at] !== char.comma && cursor.lines[cursor.at] !== char.close) {
    if (cursor.at++ > start + 30) throw malformed(cursor);
  }
  const value = Number(cursor.lines.toString('latin1', start, cursor.at));
  if (!Number.isFinite(value)) throw malformed(cursor);
  return value;
}

function putInteger(cursor: Cursor, value: number): void {
  putInt32(cursor, Math.floor(value / 2 ** 32));
  putInt32(cursor, value);
}

function putInt32(cursor: Cursor, value: number): void {
  const { out, to } = cursor;
  out[to] = value >>> 24;
  out[to + 1] = value >>> 16;
  out[to + 2] = value >>> 8;
  out[to + 3] = value;
  cursor.to = to + 4;
}
