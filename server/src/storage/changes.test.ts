import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../test/database.ts';
import { type Changes, openChanges } from './changes.ts';
import type { Db } from './contract.ts';

let db: Db;
let clock: ReturnType<typeof manualClock>;
const opened: Changes[] = [];

before(async () => {
  db = await openTestDatabase();
});
after(async () => {
  await db.close();
});
beforeEach(async () => {
  for (const changes of opened.splice(0)) changes.close();
  await db.query('delete from changes');
  clock = manualClock();
});

async function replica(isShared = true) {
  const changes = await openChanges(db, { clock, log: silentLog }, isShared);
  opened.push(changes);
  const heard: (string | null)[] = [];
  changes.on('keys', (key) => void heard.push(key));
  return { changes, heard };
}

describe('changes', () => {
  it('are heard by every replica, each once, and only those of a topic', async () => {
    const [one, two] = [await replica(), await replica()];
    await db.tx(async (queries) => {
      await one.changes.tell(queries, 'keys', 'key_1');
      await one.changes.tell(queries, 'other', 'x');
    });
    for (const { changes, heard } of [one, two]) {
      await changes.look();
      await changes.look();
      assert.deepEqual(heard, ['key_1']);
    }
  });

  it('that are undone are not heard, and nothing from before the start is', async () => {
    const one = await replica();
    await one.changes.tell(db, 'keys', 'before');
    const two = await replica();
    await assert.rejects(
      db.tx(async (queries) => {
        await one.changes.tell(queries, 'keys', 'undone');
        throw new Error('undo');
      }),
    );
    await two.changes.look();
    assert.deepEqual(two.heard, []);
  });

  it('are heard again where the listener failed', async () => {
    const { changes } = await replica();
    const heard: (string | null)[] = [];
    let fails = true;
    changes.on('keys', (key) => {
      if (fails) throw new Error('the database is away');
      heard.push(key);
    });
    await changes.tell(db, 'keys', 'key_1');
    await changes.look();
    fails = false;
    await changes.look();
    assert.deepEqual(heard, ['key_1']);
  });

  it('that one listener can never look at keep nothing from any other', async () => {
    const { changes, heard } = await replica();
    changes.on('broken', () => {
      throw new Error('this one cannot');
    });
    const others: (string | null)[] = [];
    changes.on('keys', (key) => {
      if (key === 'poison') throw new Error('nor this one');
      others.push(key);
    });
    await changes.tell(db, 'broken', 'x');
    await changes.tell(db, 'keys', 'poison');
    await changes.tell(db, 'keys', 'key_1');
    await changes.look();
    await changes.tell(db, 'keys', 'key_2');
    await changes.look();
    assert.deepEqual([...new Set(heard)], ['poison', 'key_1', 'key_2']);
    assert.deepEqual(others, ['key_1', 'key_2']);
  });

  it('too many of which are not looked at are looked at as one', async () => {
    const { changes } = await replica();
    const heard: (string | null)[] = [];
    let fails = true;
    changes.on('many', (key) => {
      if (fails) throw new Error('the database is away');
      heard.push(key);
    });
    await db.query(
      `insert into changes (topic, key, at) select 'many', 'key_' || i, now() from generate_series(1, 2000) i`,
    );
    await changes.look();
    fails = false;
    await changes.look();
    assert.deepEqual(heard, [null]);
  });

  it('are heard by who listens later, too, once they are listened to', async () => {
    const { changes, heard } = await replica();
    const later: (string | null)[] = [];
    await changes.tell(db, 'later', 'key_1');
    await changes.tell(db, 'keys', 'key_1');
    clock.advance(5_000);
    assert.deepEqual(heard, []);
    changes.on('later', (key) => void later.push(key));
    changes.listen();
    clock.advance(500);
    await changes.look();
    assert.deepEqual([heard, later], [['key_1'], ['key_1']]);
  });

  it('after too long a silence anything may have changed', async () => {
    const { changes, heard } = await replica();
    clock.advance(31 * 60_000);
    await changes.look();
    await changes.look();
    assert.deepEqual(heard.slice(-1), [null]);
  });

  it('one that commits after a later one is not missed', async (t) => {
    if (db.kind === 'pglite') return t.skip('the embedded database runs one transaction at a time');
    const { changes, heard } = await replica();
    const early = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    const slow = db.tx(async (queries) => {
      await changes.tell(queries, 'keys', 'early');
      told.resolve();
      await early.promise;
    });
    await told.promise;
    await changes.tell(db, 'keys', 'late');
    await changes.look();
    assert.deepEqual(heard, ['late']);
    early.resolve();
    await slow;
    await changes.look();
    assert.deepEqual(heard, ['late', 'early']);
  });

  it('are counted once others can hear of them, and never where they are undone', async () => {
    const { changes } = await replica();
    await changes.tell(db, 'keys', 'key_1');
    assert.equal(changes.told(), 1);
    await db.tx(async (queries) => {
      await changes.tell(queries, 'keys', 'key_2');
      await changes.tell(queries, 'keys', 'key_3');
      assert.equal(changes.told(), 1);
    });
    assert.equal(changes.told(), 3);
    const undone = db.tx(async (queries) => {
      await changes.tell(queries, 'keys', 'key_4');
      throw new Error('undo');
    });
    await assert.rejects(undone);
    assert.equal(changes.told(), 3);
  });

  it('who looks learns whether everything was heard', async () => {
    const { changes } = await replica();
    let fails = true;
    changes.on('keys', () => {
      if (fails) throw new Error('the database is away');
    });
    await changes.tell(db, 'keys', 'key_1');
    assert.equal(await changes.look(), false);
    fails = false;
    assert.equal(await changes.look(), true);
  });

  it('are heard at once in the replica that makes them, on every database', async () => {
    for (const isShared of [true, false]) {
      const { changes, heard } = await replica(isShared);
      await changes.here('keys', 'key_1');
      assert.deepEqual(heard, ['key_1']);
    }
  });

  it('on a database of one process nobody is told', async () => {
    const { changes } = await replica(false);
    await changes.tell(db, 'keys', 'key_1');
    assert.deepEqual(await db.query('select 1 from changes'), []);
    assert.deepEqual([changes.told(), await changes.look()], [0, true]);
  });
});
