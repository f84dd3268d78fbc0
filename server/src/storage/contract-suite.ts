import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Fault } from '#foundation';
import type { Db } from './contract.ts';
import { sqlStateOf } from './sql-error.ts';

/** What every driver promises. `open` gives a fresh, migrated database. */
export function describeDb(name: string, open: () => Promise<Db>): void {
  describe(name, () => {
    let db: Db;
    before(async () => {
      db = await open();
      await db.query('create table notes (id integer primary key, text text not null)');
    });
    after(() => db.close());

    const count = async () => (await db.query<{ count: number }>('select count(*) from notes'))[0]?.count;

    it('gives timestamps as ISO strings in UTC', async () => {
      const [row] = await db.query(
        `select timestamptz '2026-03-04 05:06:07.891234+05:30' as a,
        timestamptz '2026-03-04 05:06:07+00' as b, null::timestamptz as c, $1::timestamptz as d`,
        ['2026-01-02T03:04:05.678Z'],
      );
      assert.deepEqual(row, {
        a: '2026-03-03T23:36:07.891Z',
        b: '2026-03-04T05:06:07.000Z',
        c: null,
        d: '2026-01-02T03:04:05.678Z',
      });
    });

    it('gives json parsed, bigint as number, and the other types of the schema as they are', async () => {
      const [row] = await db.query(
        `select $1::jsonb as object, $2::jsonb as list, 9007199254740991::bigint as big, count(*) as counted,
          1.5::float8 as float, 7::int as int, true as yes, 'text' as text, date '2026-03-04' as day,
          $3::text[] as texts, $4::text as nothing from notes`,
        [{ a: [1, { b: 'ü' }] }, JSON.stringify(['x', null]), ['p,"q', 'r'], null],
      );
      assert.deepEqual(row, {
        object: { a: [1, { b: 'ü' }] },
        list: ['x', null],
        big: 9007199254740991,
        counted: 0,
        float: 1.5,
        int: 7,
        yes: true,
        text: 'text',
        day: '2026-03-04',
        texts: ['p,"q', 'r'],
        nothing: null,
      });
    });

    it('refuses an array for a json parameter', async () => {
      await assert.rejects(db.query('select $1::jsonb', [[1, { a: 2 }]]));
      assert.deepEqual(await db.query('select 1 as one'), [{ one: 1 }]);
    });

    it('rejects with the SQLSTATE of a statement that fails, and works on', async () => {
      await db.query("insert into notes values (1, 'first')");
      await assert.rejects(db.query("insert into notes values (1, 'again')"), (thrown) => {
        assert.equal(sqlStateOf(thrown), '23505');
        assert.equal((thrown as { constraint?: string }).constraint, 'notes_pkey');
        return true;
      });
      await assert.rejects(db.query('select nonsense'), (thrown) => sqlStateOf(thrown) === '42703');
      assert.equal(await count(), 1);
    });

    it('repeats no parameter of a statement that fails', async () => {
      for (const run of [db.query, (sql: string, params: unknown[]) => db.tx((q) => q.query(sql, params))]) {
        const thrown = await run('select $1::jsonb', ['{"secret":"hunter2","other":"\\u0000"}']).catch(
          (error: unknown) => error,
        );
        assert.match(sqlStateOf(thrown) ?? '', /^22/);
        assert.doesNotMatch(inspect(thrown, { depth: 5 }), /hunter2/);
      }
    });

    it('keeps what a transaction wrote and returns its result', async () => {
      const result = await db.tx(async (queries) => {
        await queries.query("insert into notes values (2, 'second')");
        return 'done';
      });
      assert.equal(result, 'done');
      assert.equal(await count(), 2);
    });

    it('undoes a transaction whose work throws, and rejects with what it threw', async () => {
      const thrown = new Error('no');
      const work = db.tx(async (queries) => {
        await queries.query("insert into notes values (3, 'third')");
        throw thrown;
      });
      await assert.rejects(work, (caught) => caught === thrown);
      assert.equal(await count(), 2);
    });

    it('undoes a transaction in which a statement failed, even when its work swallows the error', async () => {
      const work = db.tx(async (queries) => {
        await queries.query("insert into notes values (3, 'third')");
        await queries.query("insert into notes values (3, 'twice')").catch(() => undefined);
      });
      await assert.rejects(work, (thrown) => sqlStateOf(thrown) === '23505');
      assert.equal(await count(), 2);
    });

    it('refuses a query on a transaction that has ended', async () => {
      let leaked: Parameters<Parameters<Db['tx']>[0]>[0] | undefined;
      await db.tx(async (queries) => {
        leaked = queries;
      });
      await assert.rejects(async () => leaked?.query('select 1'), Fault);
    });

    it('keeps queries from outside out of a transaction', async () => {
      let seen: Promise<unknown> | undefined;
      await db
        .tx(async (queries) => {
          await queries.query("insert into notes values (4, 'unseen')");
          seen = count();
          await queries.query('select 1');
          throw new Error('undo');
        })
        .catch(() => undefined);
      assert.equal(await seen, 2);
    });

    it('runs transactions that were started together, each whole', async () => {
      await db.query("insert into notes values (10, '0')");
      const add = () =>
        db.tx(async (queries) => {
          const [row] = await queries.query<{ text: string }>(
            'select text from notes where id = 10 for update',
          );
          await queries.query('update notes set text = $1 where id = 10', [String(Number(row?.text) + 1)]);
        });
      await Promise.all(Array.from({ length: 20 }, add));
      assert.deepEqual(await db.query('select text from notes where id = 10'), [{ text: '20' }]);
    });

    it('leaves the event loop free while a query runs', async () => {
      let settled = false;
      const slow = db.query('select count(*) from generate_series(1, 3000000)').finally(() => {
        settled = true;
      });
      for (let turn = 0; turn < 50; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(settled, false, `the query settled before turn ${turn} of the event loop`);
      }
      assert.deepEqual(await slow, [{ count: 3000000 }]);
    });

    it('answers a ping', async () => {
      await db.ping();
    });
  });

  describe(`${name}, closing`, () => {
    it('waits for queries and transactions under way, and refuses later ones', async () => {
      const db = await open();
      const query = db.query('select pg_sleep(0.01), 1 as one');
      const work = db.tx(async (queries) => {
        await queries.query('select pg_sleep(0.01)');
        return queries.query('select 2 as two');
      });
      const closed = db.close();
      await assert.rejects(db.query('select 3'), Fault);
      await closed;
      assert.equal((await query)[0]?.one, 1);
      assert.deepEqual(await work, [{ two: 2 }]);
      await assert.rejects(db.ping(), Fault);
    });
  });
}
