import { silentLog } from '#telemetry';
import { openDatabase } from './open-database.ts';

/**
 * For open-database.slow.test.ts: writes pairs of rows, each pair in a transaction, and says each number that was
 * committed, until it is killed.
 */
const db = await openDatabase({ dataDir: process.argv[2] ?? '' }, { log: silentLog });
await db.query('create table if not exists pairs (id integer primary key, other integer not null)');
const [row] = await db.query<{ last: number }>('select coalesce(max(id), 0)::int as last from pairs');
for (let id = (row?.last ?? 0) + 1; ; id += 2) {
  await db.tx(async (queries) => {
    await queries.query('insert into pairs values ($1, $2)', [id, id + 1]);
    await queries.query('insert into pairs values ($1, $2)', [id + 1, id]);
  });
  process.stdout.write(`${id + 1}\n`);
}
