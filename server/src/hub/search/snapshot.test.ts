import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { temporaryDirectory } from '../../../test/database.ts';
import { documents, query, sampleIndex } from './sample-index.ts';
import { openSnapshot, pieceOf, readNumbers, writeSnapshot } from './snapshot.ts';

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
      const snapshot = await openSnapshot(path, 1);
      assert.ok(snapshot !== null && typeof snapshot !== 'string');
      assert.ok(await read.unpack(snapshot));
      await snapshot.close();
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

/** The pieces of `small`; or why they cannot be had. */
async function readSmall(fingerprint = 7): Promise<string | null> {
  const read = await openSnapshot(path, fingerprint);
  if (read === null || typeof read === 'string') return read;
  try {
    const [length = 0] = read.lengths('rows');
    const bytes = await readNumbers(read, Uint8Array, length);
    return (await read.isWhole()) ? `${read.stamp}: ${Buffer.from(bytes)}` : 'not whole';
  } catch (thrown) {
    return String(thrown);
  } finally {
    await read.close();
  }
}
const whole = 'as of today: abc';

it('gives back what it was stamped with, and leaves nothing else behind', async () => {
  await writeSnapshot(path, small);
  assert.equal(await readSmall(), whole);
  assert.deepEqual(readdirSync(directory), ['index']);
});

it('is refused when any byte of it is another, or the end is missing, or there is more', async () => {
  await writeSnapshot(path, small);
  const written = readFileSync(path);
  for (let at = 0; at < written.length; at++) {
    const damaged = Buffer.from(written);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    writeFileSync(path, damaged);
    assert.notEqual(await readSmall(), whole, `byte ${at}`);
    writeFileSync(path, written.subarray(0, at));
    assert.notEqual(await readSmall(), whole, `only ${at} bytes`);
  }
  writeFileSync(path, Buffer.concat([written, Buffer.from('x')]));
  assert.equal(await readSmall(), 'not whole');
});

it('that is damaged leaves an index empty, and good for use', async () => {
  const [written, read] = [sampleIndex(), sampleIndex()];
  const [document] = fc.sample(documents(1), { numRuns: 1, seed: 1 });
  assert.ok(document?.[0] !== undefined);
  const query = { text: document[0].name, vector: null, bits: null, limit: 5 };
  written.put([{ slot: 0, document: document[0] }]);
  await writeSnapshot(path, { fingerprint: 1, stamp: '', sections: written.packed() });
  const bytes = readFileSync(path);
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
  writeFileSync(path, bytes);
  const snapshot = await openSnapshot(path, 1);
  assert.ok(snapshot !== null && typeof snapshot !== 'string');
  assert.equal(await read.unpack(snapshot), false);
  await snapshot.close();
  assert.deepEqual(read.search(query), []);
  read.put([{ slot: 0, document: document[0] }]);
  assert.deepEqual(read.search(query), written.search(query));
});

it('is refused where another embedding is used, and missed where there is none', async () => {
  await writeSnapshot(path, small);
  assert.match(String(await readSmall(8)), /another embedding/);
  writeFileSync(path, 'a letter to somebody else, and a rather long one');
  assert.match(String(await readSmall()), /no snapshot/);
  assert.equal(await openSnapshot(join(directory, 'nowhere'), 7), null);
});
