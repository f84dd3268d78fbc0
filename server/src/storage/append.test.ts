import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '#telemetry';
import { anyCharacter } from '../../test/any-character.ts';
import { openEmbedded, openOnServer } from '../../test/database.ts';
import type { Db, RowLines } from './contract.ts';
import { sqlStateOf } from './sql-error.ts';

type Line = Readonly<Record<string, unknown>>;

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
const databases: [string, () => Promise<Db>][] = [['PGlite', () => openEmbedded({ log: silentLog })]];
if (server !== undefined) databases.push(['PostgreSQL', () => openOnServer(server, { log: silentLog })]);

for (const [name, open] of databases) {
  describe(`${name}, rows added as lines`, () => {
    let db: Db;
    before(async () => {
      db = await open();
      await db.query(`create table parcels (id text primary key, sent timestamptz, pieces bigint, weight double precision,
        contents json, note text, van text)`);
      await db.query('create table vans (van text primary key, parcels bigint not null)');
    });
    after(() => db.close());
    beforeEach(async () => {
      await db.query('delete from parcels');
      await db.query('delete from vans');
    });

    const rowsOf = (lines: string, more: Partial<RowLines> = {}): RowLines => ({
      table: 'parcels',
      columns: {
        id: 'text',
        sent: 'timestamptz',
        pieces: 'bigint',
        weight: 'double precision',
        contents: 'json',
        note: 'text',
      },
      same: { van: 'blue\tvan' },
      lines: Buffer.from(lines),
      existing: 'fail',
      statement: { sql: 'insert into vans values ($1, $2)', params: ['blue', 1] },
      ...more,
    });
    const linesOf = (parcels: readonly Line[]) => parcels.map((one) => `${JSON.stringify(one)}\n`).join('');
    const stored = () =>
      db.query('select id, sent, pieces, weight, contents::text, note, van from parcels order by id');
    const vans = async () => (await db.query('select * from vans')).length;

    it('come back as they were written, and what goes with them is done', async () => {
      const parcels = [
        {
          id: 'a',
          sent: '1999-12-31T23:59:59.999Z',
          pieces: -3,
          weight: -1.5e-7,
          contents: { b: [1, '"\\]'], a: null },
        },
        { id: 'b', sent: '2026-03-04T05:06:07.891Z', pieces: 9007199254740991, weight: 0, note: '' },
        { id: 'c', sent: '2026-03-04T05:06:07.891Z', contents: ['}'], note: 'null' },
        { id: 'd \n\t"\\/\u0001ü漢🎈', sent: null, pieces: null, weight: null, contents: null, note: '\\N' },
      ];
      await db.append(rowsOf(linesOf(parcels)));
      const empty = { sent: null, pieces: null, weight: null, contents: null, note: null, van: 'blue\tvan' };
      assert.deepEqual(
        await stored(),
        parcels.map((one) => ({
          ...{ ...empty, ...one },
          contents: one.contents == null ? null : JSON.stringify(one.contents),
        })),
      );
      assert.equal(await vans(), 1);
    });

    it('are the same whether they may be there already or not, whatever they say', async () => {
      const text = fc.string({ unit: anyCharacter }).map((any) => any.toWellFormed().replaceAll('\0', ''));
      const parcel = fc.record(
        {
          sent: fc
            .date({ min: new Date('1970-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
            .map((date) => date.toISOString()),
          pieces: fc.maxSafeInteger(),
          weight: fc.double({ noNaN: true, noDefaultInfinity: true }).map((weight) => weight + 0),
          contents: fc.oneof(
            fc.dictionary(text, fc.oneof(text, fc.array(text))),
            fc.array(fc.dictionary(text, text)),
          ),
          note: text,
        },
        { requiredKeys: [] },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(parcel, { minLength: 1, maxLength: 40 }), async (parcels) => {
          const order = ['sent', 'pieces', 'weight', 'contents', 'note'] as const;
          const lines = linesOf(
            parcels.map((one, index) => {
              const members = order.filter((key) => key in one).map((key) => [key, one[key]]);
              return Object.fromEntries([['id', String(1000 + index)], ...members]);
            }),
          );
          const found = [];
          for (const existing of ['fail', 'keep'] as const) {
            await db.query('delete from parcels');
            await db.query('delete from vans');
            await db.append(rowsOf(lines, { existing }));
            found.push(await stored());
          }
          assert.deepEqual(found[0], found[1]);
          assert.equal(found[0]?.length, parcels.length);
        }),
        { numRuns: 30 },
      );
    });

    it('that are there already fail all of them, unless they are to be kept: then they stay as they are', async () => {
      await db.append(rowsOf(linesOf([{ id: 'b', note: 'first' }])));
      await db.query('delete from vans');
      const lines = linesOf([{ id: 'a' }, { id: 'b', note: 'second' }, { id: 'c' }]);
      await assert.rejects(db.append(rowsOf(lines)), (thrown) => sqlStateOf(thrown) === '23505');
      assert.deepEqual([(await stored()).map(({ id }) => id), await vans()], [['b'], 0]);
      await db.append(rowsOf(lines, { existing: 'keep' }));
      assert.deepEqual(
        (await stored()).map(({ id, note }) => [id, note]),
        [
          ['a', null],
          ['b', 'first'],
          ['c', null],
        ],
      );
      assert.equal(await vans(), 1);
    });

    it('are undone when what goes with them fails', async () => {
      await db.query("insert into vans values ('blue', 0)");
      for (const existing of ['fail', 'keep'] as const)
        await assert.rejects(
          db.append(rowsOf(linesOf([{ id: 'a' }]), { existing })),
          (thrown) => sqlStateOf(thrown) === '23505',
        );
      assert.deepEqual(await stored(), []);
    });

    const sound = '{"id":"a"}\n';
    for (const damaged of [
      '\0\0\0\n',
      '{"id":"b"\n',
      '{"id":"b","note":"half\n',
      '{"id":"b","note":"\\u0000"}\n',
      '{"id":"b","contents":{"a":"\\u0000"}}\n',
      '{"id":"b","contents":{"a":]}}\n',
      '{"id":"b","contents":{"a":1}\n',
      '{"id":"b","sent":"yesterday at noon"}\n',
      '{"id":"b","pieces":"many"}\n',
      '{"id":"b","weight":1.2.3}\n',
      'null\n',
    ])
      it(`are refused, all of them, when one is ${JSON.stringify(damaged)}`, async () => {
        for (const lines of [sound + damaged, damaged + sound])
          await assert.rejects(
            db.append(rowsOf(lines)),
            (thrown) => sqlStateOf(thrown)?.startsWith('22') === true,
          );
        assert.deepEqual([await stored(), await vans()], [[], 0]);
      });

    it('may be none: then only what goes with them is done', async () => {
      for (const [index, existing] of (['fail', 'keep'] as const).entries())
        await db.append(
          rowsOf('', {
            existing,
            statement: { sql: 'insert into vans values ($1, 0)', params: [`${index}`] },
          }),
        );
      assert.deepEqual([await stored(), await vans()], [[], 2]);
    });
  });
}
