import type { AuditProblem } from '@sallyport/contracts';
import { type ChainHead, chainHash } from './chain.ts';
import { recordAgain, type StoredRecord } from './line.ts';

export type ChainedRecord = StoredRecord & { readonly chain_seq: number; readonly chain_hash: string | null };

export interface ChainCheck {
  /** The next record, in the order of their places. */
  add(record: ChainedRecord): void;
  /** A record at a place where none can be. */
  addStray(seq: number, eventId: string): void;
  /** There are no more. */
  end(): { readonly problems: AuditProblem[]; readonly last: ChainHead };
}

export const PROBLEMS_MAX = 100;

/** The record met last, and what the hash before the next may be: more than one where it is not what was written. */
interface Link {
  readonly seq: number;
  readonly hashes: readonly string[];
  /** What was said of it, where it is not what was written. */
  readonly problem: AuditProblem | null;
}

/** Goes along one chain from `start` and tells where it is not what was written. It must go through all of `points`. */
export function createChainCheck(start: ChainHead, points: readonly ChainHead[]): ChainCheck {
  const problems: AuditProblem[] = [];
  let before: readonly string[] = [];
  let last: Link = { seq: start.seq, hashes: [start.hash], problem: null };

  const report = (problem: AuditProblem): AuditProblem => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem);
    return problem;
  };
  const reportMissing = (seq: number, through: number) =>
    report({ kind: 'missing', seq, through, message: 'these records are gone' });
  const comparePoints = (place: ChainHead, eventId: string | undefined) => {
    if (!points.some(({ seq, hash }) => seq === place.seq && hash !== place.hash)) return;
    report({
      kind: 'altered',
      seq: place.seq,
      ...(eventId === undefined ? {} : { event_id: eventId }),
      message: 'the chain had another hash here: this record, or some before it, were written anew',
    });
  };
  const accept = (record: ChainedRecord, problem: AuditProblem | null, hashes: readonly string[]) => {
    last = { seq: record.chain_seq, hashes, problem };
    if (problem === null) comparePoints({ seq: record.chain_seq, hash: record.chain_hash ?? '' }, record.id);
  };
  /** A second record at the place of the last: one of the two was put in. */
  const addSecond = (record: ChainedRecord, follows: boolean) => {
    const message = 'a second record at the place of another';
    if (last.problem !== null && follows) {
      Object.assign(last.problem, { kind: 'inserted', message });
      accept(record, null, [record.chain_hash ?? '']);
    } else {
      report({ kind: 'inserted', seq: record.chain_seq, event_id: record.id, message });
    }
  };

  comparePoints(start, undefined);
  return {
    add(record) {
      const { chain_seq: seq, chain_hash: hash } = record;
      const text = recordAgain(record);
      const follows = (previous: readonly string[]) =>
        text !== null && previous.some((one) => chainHash(one, text) === hash);
      if (seq <= last.seq) return addSecond(record, follows(before));
      const isNext = seq === last.seq + 1;
      if (!isNext) reportMissing(last.seq + 1, seq - 1);
      before = isNext ? last.hashes : [];
      // What was before a gap is not known: the record is taken as the chain says.
      if (!isNext || follows(last.hashes)) return accept(record, null, [hash ?? '']);
      const message = 'this record, or the hash before it, is not what was written';
      const problem = report({ kind: 'altered', seq, event_id: record.id, message });
      const made = text === null ? [] : [chainHash(last.hashes[0] ?? '', text)];
      accept(record, problem, [hash ?? '', ...made]);
    },
    addStray(seq, eventId) {
      report({ kind: 'inserted', seq, event_id: eventId, message: 'the chain has no such place' });
    },
    end() {
      const end = Math.max(0, ...points.map(({ seq }) => seq));
      if (end > last.seq) reportMissing(last.seq + 1, end);
      return { problems, last: { seq: last.seq, hash: last.hashes[0] ?? '' } };
    },
  };
}
