import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../test/database.ts';
import { wipe } from './wipe.ts';

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());

const tables = ['server_keys', 'sources', 'policy_entries', 'user_sources', 'signing_keys', 'gateways'];

async function fileOf(table: string): Promise<unknown> {
  const [row] = await db.query(`select pg_relation_filenode('${table}')::text as file`);
  return row?.file;
}

function listening() {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: unknown, message?: string) => void warnings.push(message ?? '') };
  return { log: log as typeof silentLog, warnings };
}

describe('a table with rows that lay there in plain text', () => {
  for (const kind of ['pglite', 'postgres'] as const)
    it(`is written anew, as it is done on ${kind}`, async () => {
      const { log, warnings } = listening();
      for (const table of tables) {
        const before = await fileOf(table);
        await wipe({ ...db, kind }, table, log);
        assert.notEqual(await fileOf(table), before, table);
      }
      assert.deepEqual(warnings, []);
    });

  it('that somebody else reads for long holds up nobody, and whoever runs the server is told', {
    skip: process.env.SALLYPORT_TEST_DATABASE_URL === undefined,
  }, async () => {
    const { log, warnings } = listening();
    await db.tx(async (queries) => {
      await queries.query('select 1 from sources');
      await wipe(db, 'sources', log);
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /run "vacuum full" on this table/);
  });
});
