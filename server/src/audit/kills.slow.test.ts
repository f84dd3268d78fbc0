import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#foundation';
import { type Db, openDatabase } from '#storage';
import { silentLog } from '#telemetry';
import { temporaryDirectory } from '../../test/database.ts';
import { createAudit } from './audit.ts';
import type { Audit } from './contract.ts';
import { killWhileRecording } from './fixtures/kill-while-recording.ts';

describe('after the process was killed, again and again,', () => {
  const dir = temporaryDirectory();
  const acknowledged: string[] = [];
  let db: Db;
  let audit: Audit;
  before(async () => {
    for (const [run, kills] of [1, 25, 400, 3000, 12_000].entries())
      acknowledged.push(...(await killWhileRecording(dir, run, kills)));
    db = await openDatabase({ dataDir: dir }, { log: silentLog });
    audit = await createAudit({ dir, db, clock: systemClock, log: silentLog, durability: 'relaxed' });
  });
  after(async () => {
    await audit?.close();
    await db?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('the journal has lost nothing acknowledged and doubles nothing', async () => {
    const answer = await audit.query({ projectId: 'p', limit: 1 });
    assert.ok(answer.ok);
    const rows = await db.query<{ execution_id: string; times: number }>(
      'select execution_id, count(*) as times from audit_events group by execution_id',
    );
    const times = new Map(rows.map((row) => [row.execution_id, row.times]));
    assert.deepEqual(
      acknowledged.filter((id) => times.get(id) !== 1),
      [],
    );
    assert.ok(rows.every((row) => row.times === 1));
    assert.deepEqual(audit.lag(), { bytes: 0, error: null, writable: true });
  });

  it('the chain is whole', async () => {
    const { valid, checked, chains } = await audit.verify();
    assert.deepEqual([valid, chains.length, chains[0]?.first_seq], [true, 1, 1]);
    assert.ok(checked >= acknowledged.length);
  });
});
