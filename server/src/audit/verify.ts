import type { AuditChain, AuditProblem, AuditVerifyResponse } from '@sallyport/contracts';
import type { Db } from '#storage';
import { type ChainHead, chainStart, further } from './chain.ts';
import { type ChainedRecord, createChainCheck, PROBLEMS_MAX } from './chain-check.ts';
import type { ChainAnchor, VerifyOptions } from './contract.ts';
import { eventColumns, firstIdAt } from './log-book.ts';

/** So few that a batch holds up nobody's call for long. */
const BATCH = 500;

/**
 * Makes every record's hash again. `own` is the head that this process knows of its own chain: it finds a chain whose end, and
 * whose head in the database, were taken away.
 */
export async function verifyChains(
  db: Db,
  own: ChainAnchor,
  { since, anchor }: VerifyOptions,
): Promise<AuditVerifyResponse> {
  const firstId = since === undefined ? null : firstIdAt(since);
  const points = own.seq > 0 ? [own] : [];
  if (anchor !== undefined) points.push(anchor);
  const chains: AuditChain[] = [];
  for (const [journalId, head] of await readHeads(db, points)) {
    const known = points.filter((point) => point.journalId === journalId);
    chains.push(await verifyChain(db, { journalId, head, known, firstId }));
  }
  const { unchained, problems } = await readUnchained(db, firstId);
  return {
    valid: problems.length === 0 && chains.every((chain) => chain.problems.length === 0),
    checked: chains.reduce((sum, { records }) => sum + records, 0),
    unchained,
    chains,
    problems,
  };
}

interface Chain {
  readonly journalId: string;
  /** As the database has it. */
  readonly head: ChainHead | null;
  /** What it must go through, beside its head. */
  readonly known: readonly ChainHead[];
  readonly firstId: string | null;
}

async function verifyChain(db: Db, chain: Chain): Promise<AuditChain> {
  const { journalId, head, known, firstId } = chain;
  const start = firstId === null ? chainStart(journalId) : await readStart(db, journalId, firstId);
  const points = head === null ? known : [...known, head];
  const check = createChainCheck(start, points);
  const end = points.reduce(further, chainStart(journalId));
  let records = 0;
  let first: number | null = null;
  let last: number | null = null;
  for await (const batch of readChain(db, journalId, start.seq, head === null ? null : end.seq)) {
    for (const record of batch) check.add(record);
    records += batch.length;
    first ??= batch[0]?.chain_seq ?? null;
    last = batch.at(-1)?.chain_seq ?? last;
  }
  for (const { seq, id } of await readStrays(db, journalId, end.seq, head === null)) check.addStray(seq, id);
  const checked = check.end();
  const { problems } = checked;
  if (head === null && problems.length < PROBLEMS_MAX)
    problems.push({
      kind: 'missing',
      seq: null,
      message: 'the head of this chain is gone from the database',
    });
  const { seq, hash } = further(checked.last, end);
  return {
    journal_id: journalId,
    records,
    first_seq: first,
    last_seq: last,
    head_hash: hash,
    anchor: `${journalId}:${seq}:${hash}`,
    problems,
  };
}

/** The journals that there are records of; one step of the recursion, and so of the index, for each. */
const RECORDED = `with recursive known (journal_id) as (
    (select min(journal_id) from audit_events)
    union all
    select (select min(journal_id) from audit_events where journal_id > known.journal_id)
    from known where known.journal_id is not null
  ),
  recorded as (select journal_id from known where journal_id is not null)`;

/** Every journal that there are records or a head of, and `points`. */
async function readHeads(db: Db, points: readonly ChainAnchor[]): Promise<Map<string, ChainHead | null>> {
  const rows = await db.query<{ journal_id: string; seq: number | null; hash: string | null }>(
    `${RECORDED}
     select journal_id, chain_seq as seq, chain_hash as hash
     from (select journal_id from recorded
       union select journal_id from journal_positions where chain_seq is not null) as journal
       left join journal_positions using (journal_id)
     order by journal_id`,
  );
  const heads = new Map<string, ChainHead | null>();
  for (const { journalId } of points) heads.set(journalId, null);
  for (const { journal_id, seq, hash } of rows)
    heads.set(journal_id, seq === null || hash === null ? null : { seq, hash });
  return heads;
}

/** The place before the first record of `firstId` or later; the last, where there is none. */
async function readStart(db: Db, journalId: string, firstId: string): Promise<ChainHead> {
  const [first] = await db.query<{ seq: number | null }>(
    'select min(chain_seq) as seq from audit_events where journal_id = $1 and id >= $2',
    [journalId, firstId],
  );
  const [row] = await db.query<{ seq: number; hash: string | null }>(
    `select chain_seq as seq, chain_hash as hash from audit_events
     where journal_id = $1 and chain_seq between 1 and $2::bigint - 1 order by chain_seq desc limit 1`,
    [journalId, first?.seq ?? Number.MAX_SAFE_INTEGER],
  );
  return row === undefined ? chainStart(journalId) : { seq: row.seq, hash: row.hash ?? '' };
}

async function* readChain(
  db: Db,
  journalId: string,
  after: number,
  end: number | null,
): AsyncGenerator<readonly ChainedRecord[]> {
  const time = `to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time`;
  const columns = eventColumns
    .replace(' time,', ` ${time},`)
    .replace('changes, policy', 'changes::text, policy::text');
  let from = { seq: after + 1, id: '' };
  for (;;) {
    const records = await db.query<ChainedRecord & Record<string, unknown>>(
      `select ${columns}, chain_seq, chain_hash from audit_events
       where journal_id = $1 and (chain_seq, id) > ($2, $3) and chain_seq <= $4
       order by chain_seq, id limit ${BATCH}`,
      [journalId, from.seq, from.id, end ?? Number.MAX_SAFE_INTEGER],
    );
    yield records;
    const last = records.at(-1);
    if (last === undefined || records.length < BATCH) return;
    from = { seq: last.chain_seq, id: last.id };
  }
}

/** Records at places that the chain has not come to, or never has. One statement, as the head moves. */
async function readStrays(
  db: Db,
  journalId: string,
  end: number,
  endless: boolean,
): Promise<{ seq: number; id: string }[]> {
  return db.query<{ seq: number; id: string }>(
    `select chain_seq as seq, id from audit_events
     where journal_id = $1 and (chain_seq < 1 or chain_seq > greatest($2,
       case when $3 then ${Number.MAX_SAFE_INTEGER} else
         (select chain_seq from journal_positions where journal_id = $1) end))
     order by chain_seq, id limit ${PROBLEMS_MAX}`,
    [journalId, end, endless],
  );
}

/** Records in no chain: from before there were chains, by their ids and by their times; or put in. */
async function readUnchained(
  db: Db,
  firstId: string | null,
): Promise<{ unchained: number; problems: AuditProblem[] }> {
  const unchained = `${RECORDED},
    unchained as (
      select id, time from audit_events where journal_id is null and id >= coalesce($1, '')
      union all
      select found.id, found.time from recorded, lateral (
        select id, time from audit_events
        where journal_id = recorded.journal_id and chain_seq is null and id >= coalesce($1, '')) as found
    )`;
  const [counted] = await db.query<{ count: number }>(`${unchained} select count(*) from unchained`, [
    firstId,
  ]);
  const later = await db.query<{ id: string }>(
    `${unchained},
     first as (
       select id, time from audit_events where chain_seq is not null and journal_id is not null order by id limit 1)
     select id from unchained where id > (select id from first) or time > (select time from first)
     order by id limit ${PROBLEMS_MAX}`,
    [firstId],
  );
  const message = 'in no chain, though there was one by then';
  return {
    unchained: counted?.count ?? 0,
    problems: later.map(({ id }) => ({ kind: 'inserted', seq: null, event_id: id, message })),
  };
}
