import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ToolListing } from '#domain';
import { ok } from '#foundation';
import { listKnownFrom, seenIn } from './read-list.ts';
import { createToolIntake, maxTools, type ToolForm, type ToolIntake } from './tool-intake.ts';
import { listingOf, workerForm } from './worker/listing.ts';

type Entry = { readonly name: string; readonly description?: string };

/** Counts what it looks into. */
function countingForm() {
  let read = 0;
  const form: ToolForm = {
    read(entry) {
      read += 1;
      return ok(listingOf({ ...(entry as Entry), toolkit: { name: 'Kit' } } as never) as ToolListing);
    },
    nameOf: (entry) => (entry as Entry).name,
  };
  return { form, read: () => read };
}

const named = (...names: string[]): Entry[] => names.map((name) => ({ name, description: `does ${name}` }));
const bytesOf = (entries: readonly unknown[]) => Buffer.from(JSON.stringify(entries));

async function taken(intake: ToolIntake, ...pages: (readonly unknown[])[]) {
  for (const page of pages) {
    intake.begin(false);
    intake.write(bytesOf(page));
    assert.equal(await intake.end(), null);
  }
  return intake.taken();
}
const namesOf = (tools: readonly { readonly name: string }[]) => tools.map(({ name }) => name);

describe('a list that is taken while it comes', () => {
  it('is that of all its pages, and of two tools with one name the first', async () => {
    const all = await taken(createToolIntake(countingForm().form, null), named('a', 'b'), named('b', 'c'));
    assert.deepEqual(namesOf(all.tools), ['a', 'b', 'c']);
    assert.deepEqual(namesOf(all.rejected), ['b']);
    assert.equal(all.isSame, false);
  });

  it('is not looked into where it is what it was, and is said to be the same', async () => {
    const entries = named('a', 'b', 'c', 'a');
    const { list, tools } = await taken(createToolIntake(countingForm().form, null), entries);
    const { form, read } = countingForm();
    const again = await taken(createToolIntake(form, list), entries);
    assert.equal(again.isSame, true);
    assert.equal(read(), 1, 'only what could not be used');
    assert.deepEqual(namesOf(again.rejected), ['a']);
    assert.ok(again.tools.every((tool, at) => tool === tools[at]));
  });

  it('costs what is new in it, wherever that stands', async () => {
    const { list } = await taken(createToolIntake(countingForm().form, null), named('a', 'b', 'c', 'd'));
    const others: [readonly Entry[], number][] = [
      [[{ name: 'new' }, ...named('a', 'b', 'c', 'd')], 1],
      [named('d', 'c', 'b', 'a'), 0],
      [named('a', 'd'), 0],
      [[...named('a'), { name: 'b', description: 'another' }, ...named('c', 'd')], 1],
    ];
    for (const [entries, looked] of others) {
      const { form, read } = countingForm();
      const now = await taken(createToolIntake(form, list), entries);
      assert.deepEqual(namesOf(now.tools), namesOf(entries));
      assert.equal(read(), looked);
      assert.equal(now.isSame, false);
    }
  });

  it('is known again by what was kept of it, as long as it depends on the same', async () => {
    const first = await taken(createToolIntake(workerForm, null), [{ name: 7 }, ...tools('a', 'b')]);
    assert.equal(first.rejected.length, 1);
    const kept = { tools: first.tools, seen: seenIn(first.list, 'basis') };
    assert.equal(listKnownFrom(kept, 'another basis'), null);
    const known = listKnownFrom(kept, 'basis');
    const again = await taken(createToolIntake(workerForm, known), [{ name: 7 }, ...tools('a', 'b')]);
    assert.ok(again.tools.every((tool, at) => tool === first.tools[at]));
    assert.equal(again.rejected.length, 1);
    const damaged = { ...kept, seen: { ...kept.seen, marks: kept.seen.marks.subarray(1) } };
    assert.equal(listKnownFrom(damaged, 'basis'), null);
  });

  it('begins again where a page does', async () => {
    const intake = createToolIntake(countingForm().form, null);
    await taken(intake, named('a'));
    intake.begin(false);
    intake.write(bytesOf(named('b', 'c')).subarray(0, 20));
    intake.begin(true);
    intake.write(bytesOf(named('b', 'd')));
    assert.equal(await intake.end(), null);
    assert.deepEqual(namesOf(intake.taken().tools), ['a', 'b', 'd']);
  });

  it('begins again where a page does that is still being read', async () => {
    const { form, read } = countingForm();
    const intake = createToolIntake(form, null);
    const entries = named(...Array.from({ length: 20_000 }, (_, nth) => `tool${nth}`));
    intake.begin(false);
    intake.write(bytesOf(entries));
    while (read() === 0) await nextTurn();
    assert.ok(read() < entries.length);
    intake.begin(true);
    intake.write(bytesOf(entries));
    assert.equal(await intake.end(), null);
    const taken = intake.taken();
    assert.deepEqual([taken.tools.length, taken.rejected.length], [entries.length, 0]);
  });

  it('gives back what was lent once it was read, and needs it no more', async () => {
    const intake = createToolIntake(countingForm().form, null);
    const bytes = bytesOf(named(...Array.from({ length: 5000 }, (_, nth) => `tool${nth}`)));
    intake.begin(false);
    let lent = 0;
    const most: number[] = [];
    for (let at = 0; at < bytes.length; at += 10_000) {
      const piece = Buffer.from(bytes.subarray(at, at + 10_000));
      lent += piece.length;
      await new Promise<void>((resolve) => {
        intake.write(piece, () => {
          lent -= piece.length;
          piece.fill(0);
          resolve();
        });
      });
      most.push(lent);
    }
    assert.equal(await intake.end(), null);
    assert.deepEqual([...new Set(most)], [0]);
    assert.equal(intake.taken().tools.length, 5000);
  });

  it('leaves out what is nested without end, before it is looked into', async () => {
    const nested = (opening: string, closing: string) =>
      `${opening.repeat(100_000)}{}${closing.repeat(100_000)}`;
    const value = nested('{"val_type":"json","inner_properties":{"a":', '}}');
    const extras = nested('{"a":', '}');
    const members = [
      `"metadata":{"extras":${extras}}`,
      `"output":{"value_schema":${value}}`,
      `"input":{"parameters":[{"name":"p","value_schema":${value}}]}`,
    ];
    const deep = members.map((member, nth) => `{"name":"d${nth}","toolkit":{"name":"Kit"},${member}}`);
    const intake = createToolIntake(workerForm, null);
    intake.begin(false);
    // Nobody is there yet who waits for what comes of it.
    await new Promise<void>((read) =>
      intake.write(Buffer.from(`[${deep.join(',')},${JSON.stringify(tools('good')[0])}]`), read),
    );
    assert.equal(await intake.end(), null);
    const taken = intake.taken();
    assert.deepEqual(namesOf(taken.tools), ['good']);
    const reason = 'it is nested more than 64 deep';
    assert.deepEqual(
      taken.rejected,
      ['d0', 'd1', 'd2'].map((name) => ({ name, reason })),
    );
  });

  it('is refused where it is no array, or longer than any that is taken', async () => {
    for (const text of ['{}', '[1', '[{"name":}]', '']) {
      const intake = createToolIntake(countingForm().form, null);
      intake.begin(false);
      intake.write(Buffer.from(text));
      assert.equal(await intake.end(), 'no array', text);
    }
    const intake = createToolIntake({ ...workerForm, read: countingForm().form.read }, null);
    intake.begin(false);
    intake.write(bytesOf(Array.from({ length: maxTools + 1 }, (_, nth) => ({ name: `${nth}` }))));
    assert.equal(await intake.end(), 'too long');
  });
});

function tools(...names: string[]): object[] {
  return names.map((name) => ({ name, toolkit: { name: 'Kit' } }));
}
