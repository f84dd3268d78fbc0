import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type AuditVerifyResponse, auditDecisions, auditKinds, type PolicyTrace } from '@sallyport/contracts';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { anyCharacter } from '../../test/any-character.ts';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { type AuditDeps, createAudit } from './audit.ts';
import type { Audit, AuditEntry } from './contract.ts';

let db: Db;
let dir: string;
let audit: Audit;
const clock = manualClock();
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  dir = temporaryDirectory();
  await db.query('delete from audit_events');
  await db.query('delete from journal_positions');
  audit = await open();
});
afterEach(async () => {
  await audit.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const open = (more: Partial<AuditDeps> = {}): Promise<Audit> =>
  createAudit({ dir, db, clock, log: silentLog, durability: 'relaxed', ...more });

const reopen = async (more: Partial<AuditDeps> = {}) => {
  await audit.close();
  audit = await open(more);
};

const call = (executionId: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  kind: 'tool_call',
  decision: 'allowed',
  projectId: 'p',
  executionId,
  ...more,
});

/** Records of `te_1`, `te_2`, …, which are also their places in the chain. */
async function recordCalls(count: number, from = 1): Promise<void> {
  for (let at = from; at < from + count; at++) {
    clock.advance(1);
    audit.record(call(`te_${at}`, { policy: { ...policy, version: `v${at}` }, durationMs: at / 7 }));
  }
  assert.equal((await audit.verify()).valid, true);
}

const policy: PolicyTrace = { version: 'v', access: 'open', grants: [], rules: [], limits: [], hooks: [] };

const found = ({ chains }: AuditVerifyResponse) =>
  chains.flatMap(({ problems }) =>
    problems.map(({ kind, seq, through }) => (through === undefined ? [kind, seq] : [kind, seq, through])),
  );

async function idAt(seq: number): Promise<string> {
  const [row] = await db.query<{ id: string }>('select id from audit_events where chain_seq = $1', [seq]);
  return row?.id ?? assert.fail(`nothing at ${seq}`);
}

describe('a chain', () => {
  it('is whole for whatever was recorded, made again from the rows', async () => {
    const text = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 40 }),
      fc.string({ maxLength: 40 }),
      fc
        .array(fc.integer({ min: 0xd7fe, max: 0xe001 }).map((code) => String.fromCharCode(code)))
        .map((chars) => chars.join('')),
      fc.constantFrom(
        'x'.repeat(5000),
        `${'x'.repeat(4094)}💡💡`,
        `${'é'.repeat(4096)}`,
        '',
        '\u0000',
        'null',
      ),
    );
    const maybe = fc.option(text, { nil: null });
    const json = fc.dictionary(text, fc.jsonValue());
    const trace: fc.Arbitrary<PolicyTrace> = fc.record({
      version: text,
      access: fc.constantFrom('open' as const, 'granted' as const),
      grants: fc.array(text, { maxLength: 3 }),
      rules: fc.constantFrom(
        [],
        [{ id: 'r', name: 'n', outcome: 'blocked' as const, count: 1, places: ['a'] }],
      ),
      limits: fc.constant([]),
      hooks: fc.constant([]),
    });
    const entry: fc.Arbitrary<AuditEntry> = fc.record({
      kind: fc.constantFrom(...auditKinds),
      decision: fc.constantFrom(...auditDecisions),
      projectId: text,
      reason: maybe,
      userId: maybe,
      principal: maybe,
      gateway: maybe,
      tool: maybe,
      toolId: maybe,
      source: maybe,
      executionId: maybe,
      traceId: maybe,
      durationMs: fc.option(fc.double(), { nil: null }),
      changes: fc.option(json, { nil: null }),
      policy: fc.option(
        fc.oneof(
          trace,
          fc.tuple(trace, json).map(([known, claims]): PolicyTrace => ({ ...known, claims })),
        ),
        { nil: null },
      ),
    });
    let recorded = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(entry, fc.integer({ min: 0, max: 1e12 })), { maxLength: 30 }),
        async (records) => {
          for (const [one, atMs] of records) {
            audit.record(one);
            clock.advance(atMs % 100_003);
          }
          recorded += records.length;
          const { valid, checked, unchained, chains } = await audit.verify();
          assert.deepEqual([valid, checked, unchained], [true, recorded, 0], JSON.stringify(chains));
        },
      ),
      { numRuns: 20 },
    );
    assert.ok(recorded > 20);
  });

  it('can be followed with nothing but its journal and SHA-256', async () => {
    await recordCalls(3);
    const journal = join(dir, 'journal');
    const id = fs.readFileSync(join(journal, 'id'), 'utf8').trim();
    const lines = fs.readFileSync(join(journal, '00000001.jsonl'), 'utf8').trim().split('\n');
    let hash = id;
    for (const [at, line] of lines.entries()) {
      const { chain_seq, chain_hash, ...record } = JSON.parse(line);
      hash = createHash('sha256')
        .update(hash + JSON.stringify(record))
        .digest('hex');
      assert.deepEqual([chain_seq, chain_hash], [at + 1, hash]);
    }
    const { chains } = await audit.verify();
    assert.deepEqual(chains, [
      {
        journal_id: id,
        records: 3,
        first_seq: 1,
        last_seq: 3,
        head_hash: hash,
        anchor: `${id}:3:${hash}`,
        problems: [],
      },
    ]);
  });

  it('goes on over restarts, whatever is left of the journal, and in the database', async () => {
    await recordCalls(3);
    await reopen();
    await recordCalls(3, 4);
    await audit.close();
    for (const file of fs.readdirSync(join(dir, 'journal')))
      if (file.endsWith('.jsonl')) fs.rmSync(join(dir, 'journal', file));
    audit = await open();
    await recordCalls(3, 7);
    await audit.close();
    await db.query('delete from audit_events where chain_seq > 6');
    await db.query(
      'update journal_positions set chain_seq = 6, "offset" = 0, chain_hash = (select chain_hash from audit_events where chain_seq = 6)',
    );
    audit = await open();
    await recordCalls(3, 10);
    const { checked, chains } = await audit.verify();
    assert.deepEqual([checked, chains.length, chains[0]?.last_seq], [12, 1, 12]);
  });

  it('is not broken by a line that was cut off, or could not be written, nor by reading the journal again', async () => {
    await recordCalls(3);
    await audit.close();
    const [file = ''] = fs.readdirSync(join(dir, 'journal')).filter((name) => name.endsWith('.jsonl'));
    const path = join(dir, 'journal', file);
    const last = fs.readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
    fs.appendFileSync(path, last.slice(0, -1));
    let room = Number.POSITIVE_INFINITY;
    const writeSync = ((fd: number, line: string) =>
      fs.writeSync(fd, Buffer.from(line).subarray(0, room))) as typeof fs.writeSync;
    audit = await open({ files: { writeSync, fdatasync: fs.fdatasync } });
    await recordCalls(2, 4);
    room = 50;
    assert.throws(() => audit.record(call('te_lost')));
    room = Number.POSITIVE_INFINITY;
    await recordCalls(2, 6);
    await audit.close();
    await db.query('update journal_positions set segment = 0, "offset" = 0');
    await db.query('delete from audit_events where chain_seq between 2 and 6');
    audit = await open();
    assert.deepEqual((await audit.verify()).checked, 7);
    await recordCalls(1, 8);
  });
});

describe('verification finds', () => {
  const problems = async () => {
    const answer = await audit.verify();
    assert.equal(answer.valid, answer.problems.length === 0 && found(answer).length === 0);
    return found(answer);
  };

  it('a change of any column, and says which record it was', async () => {
    await recordCalls(5);
    const id = await idAt(3);
    const changes: Record<string, string> = {
      time: "time + interval '1 microsecond'",
      duration_ms: "'NaN'::float8",
      reason: "repeat('x', 5000)",
      changes: "'{}'::json",
      policy: "(policy::text || ' ')::json",
      kind: "'tool_list'",
      chain_seq: 'chain_seq + 7',
      chain_hash: "repeat('0', 64)",
      journal_id: "'jrn_other'",
      id: "'aud_' || repeat('0', 32)",
    };
    const columns = await db.query<{ name: string }>(
      "select column_name as name from information_schema.columns where table_name = 'audit_events'",
    );
    assert.equal(columns.length, 22);
    for (const { name } of columns) {
      const [row] = await db.query('select * from audit_events where chain_seq = 3');
      const [{ text } = { text: null }] = await db.query<{ text: string }>(
        `select ${name}::text as text from audit_events where chain_seq = 3`,
      );
      await db.query(`update audit_events set ${name} = ${changes[name] ?? "'changed'"} where id = $1`, [id]);
      const told = await audit.verify();
      assert.equal(told.valid, false, name);
      if (!name.startsWith('chain_seq') && name !== 'journal_id') {
        assert.deepEqual(found(told), [['altered', 3]], name);
        const [problem] = told.chains[0]?.problems ?? [];
        assert.equal(problem?.event_id === id, name !== 'id', name);
      }
      const [{ type } = { type: '' }] = await db.query<{ type: string }>(
        `select pg_typeof(${name})::text as type from audit_events limit 1`,
      );
      await db.query(
        `update audit_events set ${name} = $1::text::${type} where id in ($2, 'aud_' || repeat('0', 32))`,
        [text, id],
      );
      assert.deepEqual(await db.query('select * from audit_events where chain_seq = 3'), [row]);
      assert.deepEqual(await problems(), [], `${name} is as it was`);
    }
  });

  it('records that were taken out: the first, one between, several, the last, all', async () => {
    for (const [where, expected] of [
      ['chain_seq = 1', [['missing', 1, 1]]],
      ['chain_seq = 3', [['missing', 3, 3]]],
      [
        'chain_seq between 2 and 4 or chain_seq = 6',
        [
          ['missing', 2, 4],
          ['missing', 6, 6],
        ],
      ],
      ['chain_seq = 7', [['missing', 7, 7]]],
      ['chain_seq > 5', [['missing', 6, 7]]],
      ['true', [['missing', 1, 7]]],
    ] as const) {
      await recordCalls(7);
      await db.query(`delete from audit_events where ${where}`);
      assert.deepEqual(await problems(), expected, where);
      await audit.close();
      fs.rmSync(dir, { recursive: true });
      await db.query('delete from audit_events');
      await db.query('delete from journal_positions');
      audit = await open();
    }
  });

  it('an end that was taken away with the head: this process knows better, and so does its journal', async () => {
    await recordCalls(7);
    const cut = async () => {
      await db.query('delete from audit_events where chain_seq > 4');
      await db.query(
        'update journal_positions set chain_seq = 4, chain_hash = (select chain_hash from audit_events where chain_seq = 4)',
      );
    };
    await cut();
    assert.deepEqual(await problems(), [['missing', 5, 7]]);
    await reopen();
    assert.deepEqual(await problems(), [['missing', 5, 7]]);
    audit.record(call('te_8'));
    assert.deepEqual(await problems(), [['missing', 5, 7]]);
  });

  it('a head that was taken away, or set elsewhere', async () => {
    await recordCalls(3);
    for (const [set, expected] of [
      ['chain_seq = 2', [['altered', 2]]],
      ['chain_seq = 5', [['missing', 4, 5]]],
      ["chain_hash = repeat('0', 64)", [['altered', 3]]],
      ['chain_seq = null', [['missing', null]]],
    ] as const) {
      await db.query(`update journal_positions set ${set}`);
      assert.deepEqual(await problems(), expected, set);
      await db.query(
        'update journal_positions set chain_seq = 3, chain_hash = (select chain_hash from audit_events where chain_seq = 3)',
      );
    }
    assert.deepEqual(await problems(), []);
  });

  it('two records that changed places, whichever way', async () => {
    await recordCalls(6);
    const swapContent = `update audit_events a set execution_id = b.execution_id, policy = b.policy,
      duration_ms = b.duration_ms from audit_events b
      where (a.chain_seq, b.chain_seq) in ((2, 4), (4, 2))`;
    await db.query(swapContent);
    assert.deepEqual(await problems(), [
      ['altered', 2],
      ['altered', 4],
    ]);
    await db.query(swapContent);
    assert.deepEqual(await problems(), []);
    const swapPlaces = `update audit_events a set chain_seq = b.chain_seq from audit_events b
      where (a.execution_id, b.execution_id) in (('te_3', 'te_4'), ('te_4', 'te_3'))`;
    await db.query(swapPlaces);
    assert.equal((await audit.verify()).valid, false);
    await db.query(swapPlaces);
    assert.deepEqual(await problems(), []);
  });

  it('records that were put in: at a place that is taken, behind the end, before the beginning, in no chain', async () => {
    await recordCalls(4);
    const columns =
      'time, project_id, kind, decision, execution_id, policy, duration_ms, journal_id, chain_seq, chain_hash';
    const put = (id: string, as = columns) =>
      db.query(
        `insert into audit_events (id, ${columns}) select $1, ${as} from audit_events where chain_seq = 2`,
        [id],
      );
    const [low, high] = [`aud_${'0'.repeat(32)}`, `aud_${'f'.repeat(32)}`];
    for (const id of [low, high]) {
      await put(id);
      const told = await audit.verify();
      assert.deepEqual(found(told), [['inserted', 2]]);
      assert.equal(told.chains[0]?.problems[0]?.event_id, id);
      await db.query('delete from audit_events where id = $1', [id]);
    }
    for (const [seq, id] of [
      ['5', high],
      ['0', low],
      ['-3', low],
      ['9223372036854775807', high],
    ] as const) {
      await put(id, columns.replace('chain_seq', seq));
      assert.deepEqual(await problems(), [['inserted', Number(seq)]]);
      await db.query('delete from audit_events where id = $1', [id]);
    }
    // A low id makes it look old, and its time does not.
    for (const id of [high, low]) {
      await put(id, columns.replace('journal_id, chain_seq, chain_hash', 'null, null, null'));
      const loose = await audit.verify();
      assert.deepEqual([loose.valid, loose.unchained, found(loose)], [false, 1, []]);
      assert.deepEqual(
        loose.problems.map(({ kind, event_id }) => [kind, event_id]),
        [['inserted', id]],
      );
      await db.query('delete from audit_events where id = $1', [id]);
    }
    assert.deepEqual(await problems(), []);
  });

  it('a forged record whose hash was made to fit it: by the record behind it', async () => {
    await recordCalls(5);
    const lines = fs.readFileSync(join(dir, 'journal', '00000001.jsonl'), 'utf8').split('\n');
    const [second, third] = [JSON.parse(lines[1] ?? ''), JSON.parse(lines[2] ?? '')];
    const { chain_seq: _seq, chain_hash: _hash, ...record } = { ...third, reason: 'forged' };
    const hash = createHash('sha256')
      .update(second.chain_hash + JSON.stringify(record))
      .digest('hex');
    await db.query("update audit_events set reason = 'forged', chain_hash = $1 where chain_seq = 3", [hash]);
    assert.deepEqual(await problems(), [['altered', 4]]);
    // The last has none behind it; but there is the head.
    await db.query('delete from audit_events where chain_seq > 3');
    await db.query('update journal_positions set chain_seq = 3');
    await audit.close();
    fs.rmSync(join(dir, 'journal', '00000001.jsonl'));
    audit = await open();
    assert.deepEqual(await problems(), [['altered', 3]]);
  });

  it('a chain written anew up to its end, by a hash of it that was kept elsewhere', async () => {
    await recordCalls(6);
    const earlier = await audit.verify();
    const anchor = {
      journalId: earlier.chains[0]?.journal_id ?? '',
      seq: 6,
      hash: earlier.chains[0]?.head_hash ?? '',
    };
    const id = anchor.journalId;
    // Another journal's chain in the place of this one's, made by who knows how it is made.
    const forged = temporaryDirectory();
    fs.mkdirSync(join(forged, 'journal'));
    fs.writeFileSync(join(forged, 'journal', 'id'), `${id}\n`);
    await audit.close();
    fs.rmSync(dir, { recursive: true });
    dir = forged;
    await db.query('delete from audit_events');
    await db.query('delete from journal_positions');
    audit = await open();
    for (let at = 1; at <= 8; at++) audit.record(call(`te_forged_${at}`));
    assert.equal((await audit.verify()).valid, true, 'nothing in the database can tell');
    const told = await audit.verify({ anchor });
    assert.deepEqual([told.valid, found(told)], [false, [['altered', 6]]]);
    const beyond = await audit.verify({ anchor: { ...anchor, seq: 20 } });
    assert.deepEqual(found(beyond), [['missing', 9, 20]]);
    const elsewhere = await audit.verify({ anchor: { ...anchor, journalId: 'jrn_gone' } });
    assert.equal(elsewhere.valid, false);
  });

  it('the same in thousands of records as in a few, and tells at most a hundred', async () => {
    for (let at = 1; at <= 2100; at++) {
      if (at % 7 === 0) clock.advance(1);
      audit.record(call(`te_${at}`));
    }
    assert.equal((await audit.verify()).checked, 2100);
    await db.query('delete from audit_events where chain_seq in (500, 501, 1000, 2000)');
    await db.query("update audit_events set reason = 'x' where chain_seq in (499, 502, 1001, 1500, 1501)");
    assert.deepEqual(await problems(), [
      ['altered', 499],
      ['missing', 500, 501],
      ['missing', 1000, 1000],
      ['altered', 1500],
      ['altered', 1501],
      ['missing', 2000, 2000],
    ]);
    await db.query("update audit_events set reason = 'y'");
    assert.equal((await problems()).length, 100);
  });
});

it('what is verified since a time trusts what was before', async () => {
  await recordCalls(10);
  const [sixth] =
    (await db.query<{ time: string }>('select time from audit_events where chain_seq = 6')) ?? [];
  const since = sixth?.time ?? '';
  const verify = async () => {
    const told = await audit.verify({ since });
    return [told.valid, told.checked, found(told)];
  };
  assert.deepEqual(await verify(), [true, 5, []]);
  await db.query("update audit_events set reason = 'x' where chain_seq = 4");
  assert.deepEqual(await verify(), [true, 5, []]);
  await db.query('delete from audit_events where chain_seq = 8');
  assert.deepEqual(await verify(), [false, 4, [['missing', 8, 8]]]);
  await db.query('delete from audit_events where chain_seq > 5');
  assert.deepEqual(await verify(), [false, 0, [['missing', 6, 10]]]);
  const tomorrow = await audit.verify({ since: '2126-01-01T00:00:00.000Z' });
  assert.deepEqual([tomorrow.checked, found(tomorrow)], [0, [['missing', 6, 10]]]);
});

it('two journals in one database are two chains, and neither stands for the other', async () => {
  await recordCalls(3);
  const otherDir = temporaryDirectory();
  const other = await open({ dir: otherDir });
  for (let at = 1; at <= 4; at++) {
    clock.advance(1);
    (at % 2 === 0 ? audit : other).record(call(`te_other_${at}`));
    other.record(call(`te_more_${at}`));
  }
  await audit.verify();
  const { valid, checked, chains } = await other.verify();
  assert.deepEqual([valid, checked, chains.map(({ records }) => records).sort()], [true, 11, [5, 6]]);
  const swap = `update audit_events a set journal_id = b.journal_id from audit_events b
    where a.chain_seq = 2 and b.chain_seq = 2 and a.id <> b.id`;
  await db.query(swap);
  const swapped = await audit.verify();
  assert.deepEqual(found(swapped).slice(0, 2), [
    ['altered', 2],
    ['altered', 3],
  ]);
  assert.deepEqual(found(swapped).slice(2), found(swapped).slice(0, 2), 'the other journal, too');
  await db.query(swap);
  assert.equal((await audit.verify()).valid, true);
  await other.close();
  fs.rmSync(otherDir, { recursive: true });
});

it('a log book from before the chain goes on into it, and says how many records it can tell nothing of', async () => {
  const migrations = join(import.meta.dirname, '..', '..', 'migrations');
  const older = join(dir, 'migrations');
  fs.mkdirSync(older);
  for (const file of fs.readdirSync(migrations))
    if (file < '0009') fs.copyFileSync(join(migrations, file), join(older, file));
  const old = await openTestDatabase({ migrationsDir: older });
  try {
    const line = (at: number) =>
      `{"id":"aud_${'0'.repeat(31)}${at}","time":"2025-01-01T00:00:00.000Z","kind":"tool_call","decision":"allowed",` +
      `"code":null,"project_id":"p","execution_id":"te_old_${at}","changes":{"b":1,"a":[1.0]}}`;
    await old.query(
      `insert into audit_events (id, time, project_id, kind, decision, execution_id, changes)
       select id, time, project_id, kind, decision, execution_id, changes from jsonb_to_recordset($1::jsonb)
       as line (id text, time timestamptz, project_id text, kind text, decision text, execution_id text, changes jsonb)`,
      [`[${line(1)},${line(2)}]`],
    );
    const oldDir = temporaryDirectory();
    fs.mkdirSync(join(oldDir, 'journal'));
    // Two records that the older version had not moved into the database yet.
    fs.writeFileSync(join(oldDir, 'journal', '00000001.jsonl'), `${line(3)}\n${line(4)}\n`);
    for (const file of fs.readdirSync(migrations).sort()) {
      if (file < '0009') continue;
      const sql = fs.readFileSync(join(migrations, file), 'utf8').replaceAll(/^\s*--.*$/gm, '');
      for (const statement of sql.split(';')) if (statement.trim() !== '') await old.query(statement);
    }

    const upgraded = await open({ db: old, dir: oldDir });
    assert.deepEqual(await upgraded.verify(), {
      valid: true,
      checked: 0,
      unchained: 4,
      chains: [],
      problems: [],
    });
    for (let at = 1; at <= 3; at++) upgraded.record(call(`te_${at}`));
    const told = await upgraded.verify();
    assert.deepEqual([told.valid, told.checked, told.unchained], [true, 3, 4]);
    const page = await upgraded.query({ projectId: 'p', limit: 10 });
    assert.ok(page.ok);
    assert.equal(page.value.totalCount, 7);
    assert.deepEqual(page.value.items.at(-1)?.changes, { a: [1], b: 1 });
    await upgraded.close();
    fs.rmSync(oldDir, { recursive: true });
  } finally {
    await old.close();
  }
});
