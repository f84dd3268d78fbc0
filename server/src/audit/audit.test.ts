import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { auditEvent, type PolicyTrace } from '@sallyport/contracts';
import fc from 'fast-check';
import { Fault, manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { anyCharacter } from '../../test/any-character.ts';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { type AuditDeps, createAudit } from './audit.ts';
import type { Audit, AuditCallsQuery, AuditEntry, AuditPage, AuditQuery } from './contract.ts';
import type { JournalFiles } from './journal.ts';

let db: Db;
let dir: string;
const clock = manualClock();
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  dir = temporaryDirectory();
  await db.query('delete from audit_events');
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const open = (more: Partial<AuditDeps> = {}): Promise<Audit> =>
  createAudit({ dir, db, clock, log: silentLog, durability: 'relaxed', ...more });

const call = (executionId: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  kind: 'tool_call',
  decision: 'allowed',
  projectId: 'p',
  executionId,
  ...more,
});

/** Everything that a trace may say. */
const policy: PolicyTrace = {
  version: 'p7',
  access: 'granted',
  grants: ['grt_1', 'grt_2'],
  rules: [
    { id: 'rul_1', name: 'no "numbers"', outcome: 'redacted', count: 2, places: ['content[0].text'] },
    { id: 'rul_2', name: 'r', outcome: 'blocked', count: 0, places: [], error: 'no such field' },
  ],
  limits: [{ id: 'lim_1', name: 'hourly', outcome: 'passed' }],
  hooks: [{ hook_id: 'hok_1', plugin_id: 'plg_1', hook_point: 'tool.pre', code: 'OK', override: ['inputs'] }],
  approval: { id: 'apr_1', decided_by: 'bob' },
  groups: ['staff'],
  claims: { team: ['a', 'b'], level: 3.5 },
};

async function page(audit: Audit, query: Partial<AuditQuery> = {}): Promise<AuditPage> {
  const result = await audit.query({ projectId: 'p', limit: 1000, ...query });
  assert.ok(result.ok, 'the query was refused');
  return result.value;
}

const executionIds = ({ items }: AuditPage) => items.map((item) => item.execution_id).sort();
const numbered = (count: number, prefix = 'te') =>
  Array.from({ length: count }, (_, at) => `${prefix}_${100 + at}`);
const segments = () => fs.readdirSync(join(dir, 'journal')).filter((file) => file.endsWith('.jsonl'));

describe('a record', () => {
  it('comes back with every field', async () => {
    const audit = await open();
    clock.advance(1);
    audit.record({
      kind: 'admin',
      decision: 'failed',
      projectId: 'p',
      code: 'source.timeout',
      reason: 'the worker did not answer',
      userId: 'ann@example.com',
      principal: 'key_1',
      gateway: 'gw_1',
      tool: 'Math.Add',
      toolId: 'tool_1',
      source: 'math',
      executionId: 'te_1',
      durationMs: 12.25,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      clientId: 'https://client.example/metadata.json',
      changes: { name: ['old', 'new'], count: 3, gone: null },
      policy,
    });
    const [item] = (await page(audit)).items;
    assert.deepEqual(auditEvent.parse(item), item);
    assert.match(item?.id ?? '', /^aud_[0-9a-f]{32}$/);
    assert.deepEqual(
      { ...item, id: '' },
      {
        id: '',
        time: clock.iso(),
        kind: 'admin',
        decision: 'failed',
        code: 'source.timeout',
        reason: 'the worker did not answer',
        user_id: 'ann@example.com',
        principal: 'key_1',
        project_id: 'p',
        gateway: 'gw_1',
        tool: 'Math.Add',
        tool_id: 'tool_1',
        source: 'math',
        execution_id: 'te_1',
        duration_ms: 12.25,
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        client_id: 'https://client.example/metadata.json',
        changes: { name: ['old', 'new'], count: 3, gone: null },
        policy,
      },
    );
    assert.deepEqual(await audit.get('p', item?.id ?? ''), item);
    assert.equal(await audit.get('other', item?.id ?? ''), null, 'of another project');
    assert.equal(await audit.get('p', "aud_' or true"), null);
    await audit.close();
  });

  it('has null for every field that was left out', async () => {
    const audit = await open();
    audit.record({ kind: 'tool_list', decision: 'allowed', projectId: 'p' });
    const [item] = (await page(audit)).items;
    const { id, time, kind, decision, project_id, ...rest } = item ?? assert.fail();
    assert.ok(id && time && kind && decision && project_id);
    assert.deepEqual([...new Set(Object.values(rest))], [null]);
    await audit.close();
  });

  it('keeps any text, but for lone surrogates and NUL characters, which are replaced', async () => {
    const audit = await open();
    const text = fc.string({ unit: anyCharacter, maxLength: 60 });
    const surrogates = fc.array(
      fc.integer({ min: 0xd7fe, max: 0xe001 }).map((code) => String.fromCharCode(code)),
    );
    const awkward = fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\r\n',
      '\t',
      '\u0000',
      '\u0007',
      '\u2028',
      '\ud800',
      '\\u0000',
      '💡',
    );
    const any = fc.oneof(
      text,
      surrogates.map((chars) => chars.join('')),
      fc.array(fc.oneof(awkward, text)).map((parts) => parts.join('')),
    );
    const kept = (value: string) => value.toWellFormed().replaceAll('\0', '\ufffd');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(any, any, any, any), { minLength: 1, maxLength: 30 }),
        async (records) => {
          clock.advance(1);
          const since = clock.iso();
          records.forEach(([reason, userId, tool, value], at) => {
            audit.record(
              call(`te_${at}`, { reason, userId, tool, changes: { value, [`${value}!`]: [value] } }),
            );
          });
          const { items } = await page(audit, { since });
          const found = items.toSorted(
            (a, b) => Number(a.execution_id?.slice(3)) - Number(b.execution_id?.slice(3)),
          );
          assert.deepEqual(
            found.map(({ reason, user_id, tool, changes }) => ({ reason, user_id, tool, changes })),
            records.map(([reason, userId, tool, value]) => ({
              reason: kept(reason),
              user_id: kept(userId),
              tool: kept(tool),
              changes: { value: kept(value), [`${kept(value)}!`]: [kept(value)] },
            })),
          );
          const [first] = records;
          const byUser = await page(audit, { since, userId: first?.[1] ?? '' });
          assert.ok(byUser.items.length >= 1);
        },
      ),
      { numRuns: 12 },
    );
    await audit.close();
  });

  it('is cut rather than lost when its texts are too long for the database', async () => {
    const audit = await open();
    const userId = Array.from({ length: 20_000 }, (_, at) =>
      String.fromCharCode(0x4e00 + ((at * 7919) % 20_000)),
    ).join('');
    audit.record(call('te_long', { userId, reason: 'r'.repeat(1_000_000) }));
    const { items } = await page(audit, { userId });
    assert.equal(items.length, 1);
    assert.ok(userId.startsWith(items[0]?.user_id?.slice(0, -1) ?? '?'));
    await audit.close();
  });

  it('larger than a chunk of the journal arrives like any other', async () => {
    const audit = await open();
    const changes = { text: 'x'.repeat(3_000_000) };
    audit.record(call('te_1'));
    audit.record(call('te_2', { changes }));
    audit.record(call('te_3'));
    const found = await page(audit);
    assert.deepEqual(executionIds(found), ['te_1', 'te_2', 'te_3']);
    assert.deepEqual(found.items.find((item) => item.execution_id === 'te_2')?.changes, changes);
    await audit.close();
  });
});

describe('the journal', () => {
  it('is drained by the next start when the database was away, and says meanwhile what is wrong', async () => {
    let gone = false;
    const switchable: Db = {
      ...db,
      append: (rows) => (gone ? Promise.reject(new Error('connection lost')) : db.append(rows)),
    };
    const audit = await open({ db: switchable });
    gone = true;
    for (const id of numbered(5)) audit.record(call(id));
    await assert.rejects(audit.query({ projectId: 'p', limit: 10 }), Fault);
    assert.equal(audit.lag().error, 'connection lost');
    assert.ok(audit.lag().bytes > 0);
    await audit.close();
    const next = await open();
    assert.deepEqual(executionIds(await page(next)), numbered(5));
    assert.deepEqual(next.lag(), { bytes: 0, error: null, writable: true });
    await next.close();
  });

  it('read again from an earlier position doubles nothing', async () => {
    const audit = await open();
    for (const id of numbered(20)) audit.record(call(id));
    await audit.close();
    await db.query('update journal_positions set "offset" = 0');
    const next = await open();
    assert.ok(next.lag().bytes > 0);
    assert.deepEqual(executionIds(await page(next)), numbered(20));
    await next.close();
  });

  it('gives a database that went back in time what it lost, once', async () => {
    const audit = await open({ segmentBytes: 2000 });
    for (const id of numbered(10)) audit.record(call(id));
    await page(audit);
    const before = await db.query<{ journal_id: string }>('select * from journal_positions');
    for (const id of numbered(90, 'later')) audit.record(call(id));
    await audit.close();
    await db.query("delete from audit_events where execution_id like 'later%'");
    await db.query('delete from journal_positions');
    for (const row of before) {
      await db.query(
        'insert into journal_positions select * from jsonb_to_record($1::jsonb) as (journal_id text, segment bigint, "offset" bigint)',
        [row],
      );
    }
    const next = await open();
    assert.deepEqual(executionIds(await page(next)), [...numbered(90, 'later'), ...numbered(10)]);
    assert.equal((await page(next)).totalCount, 100);
    await next.close();
  });

  it('ignores a line that a crash cut off, and appends behind it', async () => {
    const audit = await open();
    for (const id of numbered(3)) audit.record(call(id));
    await audit.close();
    const [file = ''] = segments();
    fs.appendFileSync(join(dir, 'journal', file), '{"id":"aud_0000","time":"2026-');
    const next = await open();
    assert.deepEqual(next.lag(), { bytes: 0, error: null, writable: true });
    next.record(call('te_later'));
    assert.deepEqual(executionIds(await page(next)), [...numbered(3), 'te_later']);
    await next.close();
  });

  it('skips damaged lines and keeps the sound ones around them', async () => {
    const audit = await open();
    await audit.close();
    const line = (id: string) =>
      `{"id":"aud_${id}","time":"2026-01-01T00:00:00.000Z","kind":"tool_call","decision":"allowed","project_id":"p","execution_id":"${id}"}\n`;
    fs.writeFileSync(
      join(dir, 'journal', '00000001.jsonl'),
      `${line('te_1')}${'\0'.repeat(100)}\n${line('te_2')}{"id":"aud_half\n${line('te_3')}`,
    );
    const next = await open();
    assert.deepEqual(executionIds(await page(next)), ['te_1', 'te_2', 'te_3']);
    await next.close();
  });

  it('rolls over to new files and deletes those that were drained a while ago', async () => {
    const audit = await open({ segmentBytes: 2000 });
    for (const id of numbered(200)) audit.record(call(id));
    assert.ok(segments().length > 10);
    const found = await page(audit);
    assert.deepEqual(executionIds(found), numbered(200));
    assert.ok(segments().length > 10, 'kept while the database may still lose what it has just committed');
    clock.advance(120_000);
    audit.record(call('te_more'));
    assert.equal((await page(audit)).totalCount, 201);
    assert.ok(segments().length <= 2);
    await audit.close();
    const next = await open();
    next.record(call('te_next'));
    assert.equal((await page(next)).totalCount, 202);
    await next.close();
  });

  it('throws when a record cannot be written, and is whole again when there is room', async () => {
    let room = Number.POSITIVE_INFINITY;
    const writeSync = ((fd: number, line: string) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return fs.writeSync(fd, Buffer.from(line).subarray(0, room));
    }) as JournalFiles['writeSync'];
    const audit = await open({ files: { writeSync, fdatasync: fs.fdatasync } });
    audit.record(call('te_1'));
    room = 20;
    assert.throws(() => audit.record(call('te_lost')), Fault);
    room = 0;
    for (let tries = 0; tries < 10; tries++) assert.throws(() => audit.record(call('te_lost')), Fault);
    assert.equal(audit.lag().writable, false);
    assert.match(audit.lag().error ?? '', /ENOSPC/);
    assert.ok(segments().length <= 2, 'a full disk makes no heap of empty files');
    room = Number.POSITIVE_INFINITY;
    assert.equal(audit.lag().writable, true, 'known before a call tries it');
    audit.record(call('te_2'));
    assert.deepEqual(executionIds(await page(audit)), ['te_1', 'te_2']);
    await audit.close();
  });
});

describe('strict durability', () => {
  /** Keeps every fdatasync waiting until the test lets it go. */
  function heldSyncs() {
    const held: ((error: NodeJS.ErrnoException | null) => void)[] = [];
    const fdatasync = ((_fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
      held.push(done);
    }) as JournalFiles['fdatasync'];
    const next = async () => {
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
      return held.shift() ?? assert.fail();
    };
    return { held, next, files: { writeSync: fs.writeSync, fdatasync } as JournalFiles };
  }
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('settles a record when the fdatasync that began after it has ended, not an earlier one', async () => {
    const { held, next, files } = heldSyncs();
    const audit = await open({ files, durability: 'strict' });
    const settled: string[] = [];
    const record = (id: string) => Promise.resolve(audit.record(call(id))).then(() => settled.push(id));
    const first = record('te_1');
    const finishFirst = await next();
    const rest = [record('te_2'), record('te_3')];
    await turns();
    assert.deepEqual(
      [settled, held.length],
      [[], 0],
      'one fdatasync at a time, and nobody is told before it ends',
    );
    finishFirst(null);
    await first;
    const finishSecond = await next();
    await turns();
    assert.deepEqual([settled, held.length], [['te_1'], 0]);
    finishSecond(null);
    await Promise.all(rest);
    assert.deepEqual(settled, ['te_1', 'te_2', 'te_3']);
    const closed = audit.close();
    (await next())(null);
    await closed;
  });

  it('rejects the record, and refuses later ones, when the disk fails', async () => {
    const { next, files } = heldSyncs();
    const audit = await open({ files, durability: 'strict' });
    const record = Promise.resolve(audit.record(call('te_1')));
    (await next())(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
    await assert.rejects(record, Fault);
    assert.throws(() => audit.record(call('te_2')), Fault);
    const closed = audit.close();
    (await next())(null);
    await closed;
  });

  it('is not waited for when it is relaxed', async () => {
    const { next, files } = heldSyncs();
    const audit = await open({ files });
    assert.equal(audit.record(call('te_1')), undefined);
    (await next())(null);
    const closed = audit.close();
    (await next())(null);
    await closed;
  });
});

describe('a query', () => {
  let audit: Audit;
  beforeEach(async () => {
    audit = await open();
  });
  afterEach(() => audit.close());

  it('filters by every field, and counts what it filtered', async () => {
    const start = clock.iso();
    audit.record(call('te_a', { userId: 'ann', gateway: 'gw_1', tool: 'Math.Add' }));
    audit.record(
      call('te_b', {
        userId: 'bob',
        gateway: 'gw_2',
        tool: 'Math.AddAll',
        decision: 'refused',
        code: 'policy.not_granted',
        principal: 'key_2',
        clientId: 'client_2',
        policy: { ...policy, groups: ['rul_3'] },
      }),
    );
    clock.advance(1000);
    const middle = clock.iso();
    audit.record(
      call('te_c', {
        userId: 'ann',
        gateway: 'gw_2',
        tool: 'Mail_x.Send%',
        decision: 'failed',
        code: 'source.timeout',
      }),
    );
    audit.record(call('te_d', { kind: 'admin', tool: 'workers.create' }));
    audit.record(call('te_e', { projectId: 'other', userId: 'ann', tool: 'Math.Add' }));
    const cases: [Partial<AuditQuery>, string[]][] = [
      [{}, ['te_a', 'te_b', 'te_c', 'te_d']],
      [{ projectId: 'other' }, ['te_e']],
      [{ userId: 'ann' }, ['te_a', 'te_c']],
      [{ gateway: 'gw_2' }, ['te_b', 'te_c']],
      [{ kind: 'admin' }, ['te_d']],
      [{ principal: 'key_2' }, ['te_b']],
      [{ clientId: 'client_2' }, ['te_b']],
      [{ executionId: 'te_c' }, ['te_c']],
      [{ rule: 'rul_2' }, ['te_b']],
      [{ rule: 'rul_3' }, []],
      [{ rule: 'rul_' }, []],
      [{ rule: 'lim_1' }, []],
      [{ decision: 'refused' }, ['te_b']],
      [{ code: 'source.timeout' }, ['te_c']],
      [{ tool: 'math.add' }, ['te_a']],
      [{ tool: 'MATH.*' }, ['te_a', 'te_b']],
      [{ tool: 'Math.?dd' }, ['te_a']],
      [{ tool: 'Mail_x.Send%' }, ['te_c']],
      [{ tool: 'Mail?x.*%' }, ['te_c']],
      [{ tool: 'Math_Add' }, []],
      [{ tool: 'Math.%' }, []],
      [{ tool: 'Math\\.Add' }, []],
      [{ since: middle }, ['te_c', 'te_d']],
      [{ until: middle, since: start }, ['te_a', 'te_b']],
      [{ userId: 'ann', tool: '*.Send*', gateway: 'gw_2', decision: 'failed' }, ['te_c']],
      [{ userId: 'nobody\0' }, []],
    ];
    for (const [query, expected] of cases) {
      const found = await page(audit, query);
      assert.deepEqual(executionIds(found), expected, JSON.stringify(query));
      assert.equal(found.totalCount, expected.length);
    }
  });

  it('pages newest first to the end, without gaps or doubles, while records arrive', async () => {
    for (const id of numbered(25)) {
      clock.advance(1);
      audit.record(call(id));
    }
    const seen: (string | null)[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const found: AuditPage = await page(audit, { limit: 10, ...(cursor !== null && { cursor }) });
      seen.push(...found.items.map((item) => item.execution_id));
      assert.equal(found.totalCount, 25 + pages);
      cursor = found.nextCursor;
      pages++;
      clock.advance(1);
      audit.record(call('te_new'));
    } while (cursor !== null);
    assert.deepEqual(seen, numbered(25).reverse());
    assert.equal(pages, 3);
  });

  it('gives no cursor with the last page, even when it is full', async () => {
    for (const id of numbered(4)) audit.record(call(id));
    const first = await page(audit, { limit: 2 });
    const second = await page(audit, { limit: 2, cursor: first.nextCursor ?? '' });
    assert.equal(second.items.length, 2);
    assert.equal(second.nextCursor, null);
  });

  it('refuses a cursor or a time that is none, and names the field', async () => {
    for (const [field, value] of [
      ['cursor', 'nonsense'],
      ['cursor', ''],
      ['cursor', Buffer.from("aud_' or 1=1").toString('base64url')],
      ['since', 'yesterday'],
      ['until', ''],
    ] as const) {
      const result = await audit.query({ projectId: 'p', limit: 10, [field]: value });
      assert.ok(!result.ok);
      assert.deepEqual([result.error.code, result.error.field], ['request.params_invalid', field]);
    }
  });

  it('for calls gives the newest, with what policy said', async () => {
    const times: string[] = [];
    for (const [at, id] of numbered(6).entries()) {
      clock.advance(5);
      times.push(clock.iso());
      audit.record(
        call(id, { userId: 'ann', tool: 'A.B', toolId: 't', gateway: at % 2 ? 'odd' : 'even', policy }),
      );
      audit.record({ kind: 'tool_list', decision: 'allowed', projectId: 'p' });
      audit.record(call(id, { projectId: 'other' }));
    }
    const asked = async (query: Partial<AuditCallsQuery>) =>
      (await audit.calls({ projectId: 'p', limit: 100, ...query })).map(({ time }) => times.indexOf(time));
    assert.deepEqual(await asked({}), [5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await asked({ limit: 2 }), [5, 4]);
    assert.deepEqual(await asked({ since: times[2] as string, until: times[5] as string }), [4, 3, 2]);
    assert.deepEqual(await asked({ gateway: 'odd', since: '1900-01-01T00:00:00Z' }), [5, 3, 1]);
    const [newest] = await audit.calls({ projectId: 'p', limit: 1 });
    const { id, ...rest } = newest ?? assert.fail();
    assert.match(id, /^aud_/);
    assert.deepEqual(rest, {
      time: times[5],
      decision: 'allowed',
      code: null,
      user_id: 'ann',
      client_id: null,
      gateway: 'odd',
      tool: 'A.B',
      tool_id: 't',
      policy,
    });
  });
});
