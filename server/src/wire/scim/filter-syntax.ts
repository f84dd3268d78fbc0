import { err, ok, type Result } from '#foundation';
import type { Comparison } from '#identity';
import { type Cursor, createCursor, type Literal, Wrong } from './filter-cursor.ts';

/** A filter as it is written (RFC 7644 §3.4.2.2); names are not looked up yet. */
export type Syntax =
  | { readonly all: readonly Syntax[] }
  | { readonly any: readonly Syntax[] }
  | { readonly not: Syntax }
  | { readonly present: string }
  | { readonly name: string; readonly is: Comparison; readonly value: Literal }
  /** `emails[…]` */
  | { readonly items: string; readonly where: Syntax };

/** A path of a patch: `name.familyName`, `emails[type eq "work"].value`. */
export interface PathSyntax {
  readonly name: string;
  readonly where: Syntax | null;
  readonly sub: string | null;
}

const maxDepth = 30;

/** The filter, or what is wrong with it. */
export function parseFilter(text: string): Result<Syntax, string> {
  return parsed(text, (cursor) => either(cursor, 0));
}

export function parsePath(text: string): Result<PathSyntax, string> {
  return parsed(text, (cursor) => {
    const name = cursor.word('a name');
    if (!cursor.takes('[')) return { name, where: null, sub: null };
    const where = either(cursor, 0);
    cursor.expect(']');
    return { name, where, sub: cursor.subName() };
  });
}

function parsed<T>(text: string, read: (cursor: Cursor) => T): Result<T, string> {
  try {
    const cursor = createCursor(text);
    const value = read(cursor);
    cursor.end();
    return ok(value);
  } catch (thrown) {
    if (thrown instanceof Wrong) return err(thrown.message);
    throw thrown;
  }
}

/** `or` binds less than `and`, `and` less than `not` and brackets. */
function either(cursor: Cursor, depth: number): Syntax {
  if (depth > maxDepth) throw new Wrong('is nested too deep');
  const any = [both(cursor, depth)];
  while (cursor.takesWord('or')) any.push(both(cursor, depth));
  return any.length === 1 ? (any[0] as Syntax) : { any };
}

function both(cursor: Cursor, depth: number): Syntax {
  const all = [one(cursor, depth)];
  while (cursor.takesWord('and')) all.push(one(cursor, depth));
  return all.length === 1 ? (all[0] as Syntax) : { all };
}

function one(cursor: Cursor, depth: number): Syntax {
  if (cursor.takesNot()) return { not: one(cursor, depth) };
  if (cursor.takes('(')) {
    const inner = either(cursor, depth + 1);
    cursor.expect(')');
    return inner;
  }
  const name = cursor.word('a name');
  return cursor.takes('[') ? items(cursor, name, depth) : comparison(cursor, name);
}

/** Directories also compare a part of the item that fits: `emails[type eq "work"].value eq "a@b"`. */
function items(cursor: Cursor, name: string, depth: number): Syntax {
  const where = either(cursor, depth + 1);
  cursor.expect(']');
  const sub = cursor.subName();
  return { items: name, where: sub === null ? where : { all: [where, comparison(cursor, sub)] } };
}

function comparison(cursor: Cursor, name: string): Syntax {
  const is = cursor.operator();
  return is === 'pr' ? { present: name } : { name, is, value: cursor.literal() };
}
