import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import type { Finder } from '../pattern.ts';

/** Texts in which something stands between « and », and texts in which nothing is to be found. */
export interface Corpus {
  readonly found: readonly string[];
  readonly passed: readonly string[];
  /** Values that are found for the name of their member, and ones that are not. */
  readonly named?: readonly (readonly [name: string, value: string, found: boolean])[];
}

export function testCorpus(name: string, finder: Finder, { found, passed, named = [] }: Corpus): void {
  const hint = RE2JS.compile(finder.hint);
  const pieces = (text: string, member = ''): string[] =>
    finder.find(text, member).map(({ start, end }) => text.slice(start, end));

  test(`${name}: finds what is one, exactly, and its hint does not pass it over`, () => {
    for (const marked of found) {
      const text = marked.replace(/[«»]/g, '');
      const wanted = [...marked.matchAll(/«([^»]*)»/gs)].map(([, piece]) => piece);
      assert.deepEqual(pieces(text), wanted, marked);
      assert.ok(hint.test(`{"a":"${text}"}`), marked);
    }
  });

  test(`${name}: leaves alone what only looks like one`, () => {
    for (const text of passed) assert.deepEqual(pieces(text), [], text);
  });

  test(`${name}: a text made to be slow is looked through like any other`, () => {
    for (const piece of [
      '0',
      '1 ',
      '+1',
      'a@',
      '@a.',
      'ey',
      'eyJ.',
      'ey-',
      'key=',
      'sk-',
      'DE89',
      '-----BEGIN PRIVATE KEY-----',
    ]) {
      finder.find(piece.repeat(200_000 / piece.length), '');
    }
  });

  if (named.length === 0) return;
  test(`${name}: goes by the name of the member where the value alone does not tell`, () => {
    for (const [member, value, isFound] of named) {
      assert.deepEqual(pieces(value, member), isFound ? [value] : [], `${member}: ${value}`);
      if (isFound) assert.ok(hint.test(`{"${member}" :\n  "${value}"}`), member);
    }
  });
}
