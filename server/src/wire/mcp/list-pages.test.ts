import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPager } from './list-pages.ts';

interface Entry {
  readonly id: number;
}
const entries = Array.from({ length: 2500 }, (_, id) => ({ id }));
let written = 0;
const listOf = (member: string) =>
  createPager<Entry>({
    member,
    textOf: (entry) => {
      written++;
      return JSON.stringify(entry);
    },
  });
const pages = listOf('prompts');

function read(visible: readonly Entry[], cursor?: unknown, whole: readonly Entry[] = entries) {
  const page = pages(whole, visible, cursor);
  assert.ok(page.ok, page.ok ? '' : page.error.message);
  return JSON.parse(`{${page.value}}`) as { prompts: Entry[]; nextCursor?: string };
}

test('a list is read page by page, every entry once and in order', () => {
  const seen: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page = read(entries, cursor);
    seen.push(...page.prompts);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(seen, entries);
});

test('what one caller may see does not show in the list of another', () => {
  const few = entries.slice(0, 5);
  assert.equal(read(few, undefined, few).prompts.length, 5);
  assert.deepEqual(read(few.slice(1, 2), undefined, few).prompts, [{ id: 1 }]);
  assert.deepEqual(read([], undefined, few).prompts, []);
});

test('the text of an entry is written once', () => {
  const few = entries.slice(0, 3).map(({ id }) => ({ id }));
  written = 0;
  read(few, undefined, few);
  read(few, undefined, few);
  read(few.slice(1), undefined, few);
  assert.equal(written, 3);
});

test('a cursor past the end of a list that grew shorter ends it; it does not begin again', () => {
  const { nextCursor } = read(entries.slice(0, 1500));
  assert.deepEqual(read(entries.slice(0, 900), nextCursor, entries.slice(0, 900)), { prompts: [] });
});

test('cursors that this list did not give out are refused', () => {
  const foreign = listOf('resources')(entries, entries, undefined);
  assert.ok(foreign.ok);
  const { nextCursor } = JSON.parse(`{${foreign.value}}`);
  const made = ['prompts:0', 'prompts:-1', 'prompts:1e3', 'prompts:9999', 'prompts: 1000'];
  const cursors = [
    nextCursor,
    '',
    'x',
    7,
    null,
    ...made.map((text) => Buffer.from(text).toString('base64url')),
  ];
  for (const cursor of cursors) {
    const page = pages(entries, entries, cursor);
    assert.ok(!page.ok && page.error.code === 'request.params_invalid', JSON.stringify(cursor));
    assert.equal(page.error.field, 'params.cursor');
  }
});
