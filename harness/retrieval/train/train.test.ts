import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStaticEmbedding } from '@sallyport/gateway/search';
import { epochOf, randomOf } from './batches.ts';
import { corpusOf } from './corpus.ts';
import { learn } from './learn.ts';
import { multiplyAdd, normOf, transposed } from './matrix.ts';
import { encode, type Model } from './model.ts';
import { centre, principalDirections } from './principal.ts';
import { fitPieces, packRows, writeTable } from './table.ts';

const operation = (server: string, name: string, description: string) => ({
  id: `${server}/${name}`,
  name,
  description,
  server,
  parameters: { page_size: { description: 'How many' } },
});

test('rows are multiplied and turned as by hand', () => {
  const [a, b] = [
    Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    Float64Array.from([1, 0, 0, 1, 1, 1, 2, 0, 0, 3]),
  ];
  const c = Float64Array.from([1, 1, 1, 1]);
  multiplyAdd(c, a, b, 2, 5, 2);
  assert.deepEqual([...c], [1 + 1 + 3 + 8, 1 + 2 + 3 + 15, 1 + 6 + 8 + 18, 1 + 7 + 8 + 30]);
  assert.deepEqual([...transposed(Float64Array.from([1, 2, 3, 4, 5, 6]), 2, 3)], [1, 4, 2, 5, 3, 6]);
});

test('the first directions are those in which rows differ, at right angles and of length 1', () => {
  const random = randomOf(3);
  // Much along (1, 1, 0), some along (0, 0, 1), nothing along (1, -1, 0).
  const rows = Float64Array.from({ length: 300 }, () => 0);
  for (let row = 0; row < 100; row++) {
    const [far, near] = [random() - 0.5, (random() - 0.5) / 4];
    rows.set([far, far, near], row * 3);
  }
  const found = transposed(principalDirections(rows, 3, 2, 50), 3, 2);
  const [x, y, z, x2, y2, z2] = found as unknown as [number, number, number, number, number, number];
  assert.ok(Math.abs(Math.abs(x) - Math.SQRT1_2) < 0.01 && Math.abs(x - y) < 0.01 && Math.abs(z) < 0.05);
  assert.ok(Math.abs(Math.abs(z2) - 1) < 0.01);
  assert.ok(Math.abs(x * x2 + y * y2 + z * z2) < 1e-9);
});

test('centred rows have no mean in common and are of length 1', () => {
  const rows = Float64Array.from([5, 1, 5, 2, 5, 6]);
  centre(rows, 2);
  for (let row = 0; row < 3; row++) {
    assert.ok(Math.abs(normOf(rows, row * 2, 2) - 1) < 1e-9);
    assert.ok(Math.abs(rows[row * 2] as number) < 1e-9);
  }
});

test('a corpus keeps the most frequent words, and pairs what an operation does with all else of it', () => {
  const { words, counts, total, pairs } = corpusOf(
    [operation('mail', 'sendMail', 'Send a mail. To anybody.'), operation('mail', 'listMails', '')],
    4,
  );
  assert.deepEqual(words.slice(0, 2), ['mail', 'how']);
  assert.equal(words.length, 4);
  assert.equal(counts[0], 4);
  assert.equal(total, 19);
  const said = ({ left, right }: (typeof pairs)[number]) =>
    [left, right].map((side) => [...side].map((at) => words[at]).join(' '));
  assert.deepEqual(
    pairs.map(({ service }) => service),
    ['mail', 'mail'],
  );
  assert.equal(said(pairs[0] as (typeof pairs)[number])[0], 'mail');
});

test('an epoch has each pair once, whole batches only, and groups of one service together; the same for the same lot', () => {
  const pairs = Array.from({ length: 96 }, (_, at) => ({
    left: Int32Array.of(at),
    right: Int32Array.of(at),
    service: at < 64 ? 'large' : `small-${at % 9}`,
  }));
  const batches = [...epochOf(pairs, 16, randomOf(1))];
  assert.equal(batches.length, 6);
  const seen = batches.flatMap(({ left }) => left.map((words) => words[0] as number));
  assert.equal(new Set(seen).size, 96);
  const whole = batches.filter(({ left }) => left.every((words) => (words[0] as number) < 64));
  assert.equal(whole.length, 4);
  const again = [...epochOf(pairs, 16, randomOf(1))];
  assert.deepEqual(again, batches);
  assert.equal([...epochOf(pairs, 40, randomOf(1))].length, 2);
});

test('learning brings together texts that belong to one operation, in words that the teacher knows nothing of', () => {
  const words = 32;
  const model: Model = {
    teacherDimensions: 4,
    dimensions: 8,
    teacher: new Float32Array(words * 4),
    projection: new Float32Array(4 * 8).fill(0.1),
    own: Float32Array.from({ length: words * 8 }, () => 0),
  };
  const random = randomOf(5);
  for (let at = 0; at < model.own.length; at++) model.own[at] = (random() - 0.5) / 10;
  const pairs = Array.from({ length: 16 }, (_, at) => ({
    left: Int32Array.of(at),
    right: Int32Array.of(at + 16),
    service: 'one',
  }));
  const losses: number[] = [];
  const rates = { projectionRate: 1e-3, wordRate: 0.1 };
  learn(model, pairs, {
    batchSize: 16,
    epochs: 60,
    mostSteps: 50,
    temperature: 0.2,
    ...rates,
    random,
    told: (_, loss) => losses.push(loss),
  });
  assert.equal(losses.length, 50);
  assert.ok((losses.at(-1) as number) < (losses[0] as number) / 4);
  const { vectors } = encode(model, [Int32Array.of(3), Int32Array.of(19), Int32Array.of(20)]);
  const like = (one: number, other: number): number => {
    let sum = 0;
    for (let at = 0; at < 8; at++)
      sum += (vectors[one * 8 + at] as number) * (vectors[other * 8 + at] as number);
    return sum;
  };
  assert.ok(like(0, 1) > like(0, 2) + 0.3);
});

test('rows are packed to within half a step', () => {
  const rows = Float32Array.from([0.5, -1, 0.25, 0, 0, 0]);
  const { scales, values } = packRows(rows, 3);
  for (const [at, one] of rows.entries()) {
    const scale = scales[Math.floor(at / 3)] as number;
    assert.ok(Math.abs((values[at] as number) * scale - one) <= scale / 2 + 1e-9);
  }
});

test('search opens a table that was written, and knows words that were not in it by their pieces', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'table-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [words, width] = [['calendar', 'invoice', 'repository'], 4];
  const rows = Float32Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
  writeTable(folder, words, rows, fitPieces(words, rows, width, 512, 30), width);
  const table = openStaticEmbedding(folder);
  assert.equal(table.dimensions, width);
  const vectorOf = (word: string): Float64Array => {
    const sum = new Float64Array(width);
    for (const row of table.rowsOf(word)) table.add(sum, row, 1);
    return sum;
  };
  assert.ok(Math.abs((vectorOf('invoice')[1] as number) - 1) < 0.01);
  const unknown = vectorOf('calendars');
  assert.ok((unknown[0] as number) > 0.5 && Math.abs(unknown[1] as number) < 0.3);
});
