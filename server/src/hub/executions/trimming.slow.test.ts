import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import { createTrimming, most } from './trimming.ts';

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db?.close());
beforeEach(() => db.query('delete from hub_executions'));

interface Rows {
  readonly owner: string;
  readonly project?: string;
  readonly count: number;
  readonly status?: string;
  readonly bytes?: number;
}

/** The first of them ended first. */
async function insert({ owner, project = 'p', count, status = 'succeeded', bytes = 1 }: Rows): Promise<void> {
  const isOver = status === 'succeeded';
  await db.query(
    `insert into hub_executions (id, project_id, owner, request_hash, tool_id, ref, mode, status, attempt, repeatable, cancelled,
       request, answer, leased_by, leased_until, created_at, ended_at, expires_at)
     select $1 || lpad(n::text, 6, '0'), $2, $1, '', '', '', 'async', $3, 1, false, false, '', repeat('x', $4), '', now(),
       now(), case when $5 then now() - interval '1 hour' + n * interval '1 ms' end, now() + interval '1 day'
     from generate_series(1, $6::int) as n`,
    [owner, project, status, bytes, isOver, count],
  );
}

async function left(owner: string): Promise<{ count: number; first: string | null }> {
  const [row] = await db.query<{ count: number; first: string | null }>(
    'select count(*)::int as count, min(id) as first from hub_executions where owner = $1',
    [owner],
  );
  return row ?? assert.fail();
}

describe('what is kept of ended executions', () => {
  it('is so many of a caller, the newest; of others nothing goes for it, and nothing that has not ended', async () => {
    await insert({ owner: 'ada', count: most.ofCaller.count + 7 });
    await insert({ owner: 'ada_open', count: 3, status: 'running' });
    await db.query(`update hub_executions set owner = 'ada' where owner = 'ada_open'`);
    await insert({ owner: 'bob', count: 20 });
    await createTrimming(db).all();
    assert.deepEqual(await left('ada'), { count: most.ofCaller.count + 3, first: 'ada000008' });
    assert.deepEqual(await left('bob'), { count: 20, first: 'bob000001' });
  });

  it('is so many of a project, however many callers they are of; of other projects nothing goes for it', async () => {
    const each = 4_100;
    for (const owner of ['a', 'b', 'c', 'd', 'e']) await insert({ owner, count: each });
    await insert({ owner: 'z', project: 'q', count: 200 });
    await createTrimming(db).all();
    let all = 0;
    for (const owner of ['a', 'b', 'c', 'd', 'e']) all += (await left(owner)).count;
    assert.equal(all, most.ofProject.count);
    assert.equal((await left('z')).count, 200);
  });

  it('is so many bytes of a caller', async () => {
    const bytes = 2 * 1024 * 1024;
    await insert({ owner: 'ada', count: 140, bytes });
    await createTrimming(db).all();
    assert.equal((await left('ada')).count, most.ofCaller.bytes / bytes);
  });

  it('is looked at as soon as much has been added, and not for each', async () => {
    await insert({ owner: 'ada', count: most.ofCaller.count + 1 });
    let looks = 0;
    const { promise: looked, resolve } = Promise.withResolvers<void>();
    const counting: Pick<Db, 'query'> = {
      async query(sql, params) {
        looks++;
        const rows = await db.query(sql, params);
        resolve();
        return rows as never;
      },
    };
    const trimming = createTrimming(counting);
    for (let n = 0; n < 1999; n++) trimming.ended('p', 10);
    assert.equal(looks, 0);
    trimming.ended('p', 10);
    await looked;
    assert.equal(looks, 1);
    assert.equal((await left('ada')).count, most.ofCaller.count);
  });
});
