import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { temporaryDirectory } from '../../../test/database.ts';
import { documents, query, sampleIndex } from './sample-index.ts';
import { pieceOf, readSnapshot, writeSnapshot } from './snapshot.ts';

const directory = temporaryDirectory();
const path = join(directory, 'index');
after(() => rmSync(directory, { recursive: true }));

const small = { fingerprint: 7, stamp: 'as of today', sections: { rows: [pieceOf(Buffer.from('abc'))] } };

it('is read as the index that was written', async () => {
  await fc.assert(
    fc.asyncProperty(documents(20), fc.array(query, { minLength: 3 }), async (given, asked) => {
      const [written, read] = [sampleIndex(), sampleIndex()];
      written.put(given.map((document, slot) => ({ slot, document })));
      written.remove([given.length - 1]);
      await writeSnapshot(path, { fingerprint: 1, stamp: 's', sections: written.packed() });
      const snapshot = await readSnapshot(path, 1);
      assert.ok(snapshot !== null && typeof snapshot !== 'string');
      read.unpack(snapshot.sections);
      const more = given.map((document, at) => ({
        slot: given.length + at,
        document: { ...document, id: `more-${at}` },
      }));
      for (const step of ['as it was written', 'after more has come']) {
        for (const { text, vector } of asked) {
          const query = { text, vector, bits: null, limit: 5 };
          assert.deepEqual(read.search(query), written.search(query), step);
        }
        for (const index of [written, read]) index.put(more);
      }
      for (const index of [written, read]) index.release();
    }),
    { numRuns: 40 },
  );
});

it('gives back what it was stamped with, and leaves nothing else behind', async () => {
  await writeSnapshot(path, small);
  const read = await readSnapshot(path, 7);
  assert.ok(read !== null && typeof read !== 'string');
  assert.equal(read.stamp, 'as of today');
  assert.deepEqual(read.sections.rows?.map(String), ['abc']);
  assert.deepEqual(readdirSync(directory), ['index']);
});

it('is refused when any byte of it is another, or the end is missing', async () => {
  await writeSnapshot(path, small);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    writeFileSync(path, damaged);
    assert.equal(typeof (await readSnapshot(path, 7)), 'string', `byte ${at}`);
    writeFileSync(path, whole.subarray(0, at));
    assert.equal(typeof (await readSnapshot(path, 7)), 'string', `only ${at} bytes`);
  }
});

it('is refused where another embedding is used, and missed where there is none', async () => {
  await writeSnapshot(path, small);
  assert.match(String(await readSnapshot(path, 8)), /another embedding/);
  writeFileSync(path, 'a letter to somebody else, and a rather long one');
  assert.match(String(await readSnapshot(path, 7)), /no snapshot/);
  assert.equal(await readSnapshot(join(directory, 'nowhere'), 7), null);
});
