import { createHash } from 'node:crypto';
import { type Refusal, refusal } from '#domain';
import { type Clock, err, messageOf, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import type { Answer } from '../route.ts';
import { createExecutionStore } from './store.ts';

type Outcome = Result<Answer, Refusal>;

export interface OnceRequest {
  readonly projectId: string;
  readonly principalId: string;
  readonly idempotencyKey: string;
  readonly body: unknown;
}

/** Requests with an `Idempotency-Key`: each is carried out once, and answered the same for a day. */
export interface Executions {
  /**
   * Runs `run` for the first request with the key. A repetition gets the same answer, waiting for it if need be; the key
   * with another body, or one whose first request never ended, is refused with `request.repeated`. A refusal frees the
   * key, because then nothing was executed, and so does an answer that says so.
   */
  once(request: OnceRequest, run: () => Promise<Outcome>): Promise<Outcome>;
}

const keptMs = 24 * 60 * 60 * 1000;

export function createExecutions({ db, clock, log }: { db: Db; clock: Clock; log: Log }): Executions {
  const store = createExecutionStore(db);
  const running = new Map<string, { readonly requestHash: string; readonly outcome: Promise<Outcome> }>();
  const oldest = () => new Date(clock.now() - keptMs).toISOString();
  let prunedAt = clock.now();

  function pruneHourly(): void {
    if (clock.now() - prunedAt < 60 * 60 * 1000) return;
    prunedAt = clock.now();
    store.prune(oldest()).catch((error) => {
      log.warn({ error: messageOf(error) }, 'old executions were not removed');
    });
  }

  async function first(
    request: OnceRequest,
    keyHash: string,
    requestHash: string,
    run: () => Promise<Outcome>,
  ) {
    const key = { projectId: request.projectId, keyHash };
    const stored = await store.take(key, requestHash, clock.iso(), oldest());
    if (stored === null) return carryOut(key, run);
    if (stored.requestHash !== requestHash) return err(otherBody);
    if (stored.response === null) return err(outcomeUnknown);
    return ok({ status: 200, body: JSON.parse(stored.response) } as const);
  }

  /** When `run` throws, the row stays as it is: whether the tool ran is not known. */
  async function carryOut(
    key: { projectId: string; keyHash: string },
    run: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const outcome = await run();
    if (outcome.ok && !outcome.value.undone)
      await store.finish(key, outcome.value.status, JSON.stringify(outcome.value.body));
    else if (outcome.ok || outcome.error.code !== 'internal') await store.release(key);
    return outcome;
  }

  return {
    once(request, run) {
      pruneHourly();
      const keyHash = sha256(`${request.principalId}\0${request.idempotencyKey}`);
      const requestHash = sha256(canonicalJson(request.body));
      const runningKey = `${request.projectId}\0${keyHash}`;
      const joined = running.get(runningKey);
      if (joined !== undefined) {
        return joined.requestHash === requestHash ? joined.outcome : Promise.resolve(err(otherBody));
      }
      const outcome = first(request, keyHash, requestHash, run).finally(() => running.delete(runningKey));
      running.set(runningKey, { requestHash, outcome });
      return outcome;
    },
  };
}

const field = { field: 'Idempotency-Key' };
const otherBody = refusal('request.repeated', 'this Idempotency-Key was used for another request', field);
const outcomeUnknown = refusal(
  'request.repeated',
  'a request with this Idempotency-Key began and its end is not known: the tool may or may not have run',
  field,
);

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The same text for the same value, whatever the order of its members. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
