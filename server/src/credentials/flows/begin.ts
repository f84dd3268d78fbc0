import { randomBytes } from 'node:crypto';
import { type Refusal, refusal } from '#domain';
import { type Clock, createSingleFlight, err, newId, ok, type Result } from '#foundation';
import type { Db, Queries } from '#storage';
import type { Authority, Prepared, Problem, Target, Wanted } from '../authority.ts';
import type { ConsentEvent } from '../contract.ts';
import type { NewFlow } from '../store/flows.ts';
import type { Flow, FlowSecret, Listed } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';

export interface BeginDeps {
  readonly db: Db;
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly authority: Authority;
  readonly onEvent: (event: ConsentEvent) => void | Promise<void>;
  /** Changes whenever somebody changes the target. */
  readonly stampOf: (target: Target) => string;
}

/** A consent that is to be asked for. */
export interface Asking {
  readonly target: Target;
  readonly userId: string;
  /** Who must be at the browser; `null`: an API key vouches for the user. */
  readonly personId: string | null;
  /** The source whose lists are to be asked for with it. */
  readonly lists: Listed | null;
  readonly wanted: Wanted;
  /** What the user allowed before: it is asked for again, or it would be lost. */
  readonly before: readonly string[];
  readonly account: string | null;
  readonly nextUri: string | null;
}

/** One that waits for its user, at the address with this token. */
export interface Begun {
  readonly flow: Flow;
  readonly token: string;
}

export const lastsMs = 10 * 60_000;
const maxPending = 10_000;
/** One user keeps no other from being asked. */
const maxPendingOfUser = 50;

/** `null`: nothing is wanted there that we know of. */
export type Begin = (asking: Asking) => Promise<Result<Begun | null, Refusal>>;

/** How long it is believed that nobody can be asked; a source that is called all the time is not asked about all the time. */
const believedMs = 10_000;
const maxBelieved = 1000;

/** Begins consents; the same one for whoever asks for the same while no answer to it has come. */
export function createBegin(deps: BeginDeps): Begin {
  const { clock, stampOf } = deps;
  const once = createSingleFlight<Awaited<ReturnType<Begin>>>();
  const vain = new Map<string, { readonly untilMs: number; readonly outcome: Result<null, Refusal> }>();

  async function begin(asking: Asking): ReturnType<Begin> {
    const { target, wanted } = asking;
    const known = await pendingOne(asking, deps.db, deps);
    if (known !== null) return ok(known);
    const about = JSON.stringify([target, stampOf(target), wanted.metadataUrl]);
    const before = vain.get(about);
    if (before !== undefined && before.untilMs > clock.now()) return before.outcome;
    vain.delete(about);
    const prepared = await deps.authority.prepare(target, wanted);
    if (prepared.ok && prepared.value !== null) return beginWith(asking, prepared.value, deps);
    const outcome = prepared.ok ? ok(null) : err(undone(target, prepared.error));
    if (vain.size >= maxBelieved) vain.clear();
    vain.set(about, { untilMs: clock.now() + believedMs, outcome });
    return outcome;
  }

  return (asking) => once(JSON.stringify(asking), () => begin(asking));
}

async function pendingOne(
  asking: Asking,
  queries: Queries,
  { store, clock, authority }: BeginDeps,
): Promise<Begun | null> {
  const boundTo = authority.boundTo(asking.target);
  for (const flow of await store.pendingAt(asking, clock.iso(), queries)) {
    if (!fits(flow, asking)) continue;
    const secret = await store.openFlow(flow);
    if (secret !== null && secret.boundTo === boundTo) return { flow, token: secret.token };
  }
  return null;
}

function fits(flow: Flow, { personId, lists, wanted, before, account, nextUri }: Asking): boolean {
  return (
    flow.personId === personId &&
    flow.lists?.sourceId === lists?.sourceId &&
    flow.lists?.uri === lists?.uri &&
    flow.account === account &&
    flow.nextUri === nextUri &&
    [...before, ...wanted.scopes].every((scope) => flow.scopes.includes(scope))
  );
}

async function beginWith(
  asking: Asking,
  prepared: Prepared,
  deps: BeginDeps,
): Promise<Result<Begun, Refusal>> {
  const { db, store, clock } = deps;
  const { target, userId, personId, lists, account, nextUri, before, wanted } = asking;
  const { held, boundTo, issuer, entry, label, host } = prepared;
  const scopes = [...new Set([...before, ...prepared.scopes, ...wanted.scopes])];
  const nowMs = clock.now();
  const place = { target, userId };
  const flow: NewFlow = {
    ...{ ...place, id: newId('ac', nowMs), personId, account, lists, scopes, nextUri, label, host },
    ...{ status: 'pending', expiresAtMs: nowMs + lastsMs },
  };
  const token = secretText();
  const existingScopes = scopes.filter((scope) => before.includes(scope));
  const secret: FlowSecret = {
    ...{ token, held, boundTo, issuer, entry, existingScopes },
    ...{ opening: null, granted: null },
  };
  const begun = await db.tx(async (queries): Promise<Result<Begun & { isNew: boolean }, Refusal>> => {
    // Another replica may begin the same one now.
    await store.alone(queries, ['consents', target.projectId, userId]);
    const known = await pendingOne(asking, queries, deps);
    if (known !== null) return ok({ ...known, isNew: false });
    const pending = await store.pendingCounts(place, queries);
    if (pending.all >= maxPending || pending.ofUser >= maxPendingOfUser) return err(tooMany);
    const kept = await store.insertFlow(queries, flow, secret, { createdIso: clock.iso() });
    return ok({ flow: kept, token, isNew: true });
  });
  if (begun.ok && begun.value.isNew) {
    const reason = scopes.length === 0 ? 'asked' : `asked for ${scopes.join(' ')}`;
    await deps.onEvent({ kind: 'asked', ...place, id: flow.id, personId, code: null, reason });
  }
  return begun;
}

const tooMany = refusal(
  'policy.rate_limited',
  'too many consents wait for their users already; try again later',
  { retryAfterMs: 60_000 },
);

function undone({ kind: of, id }: Target, { kind, words, advice }: Problem): Refusal {
  const message = `${id} wants the user's authorization, and nobody can be asked for it: ${words}${advice === '' ? '' : `. ${advice}`}`;
  if (of === 'source')
    return refusal(kind === 'passing' ? 'source.unreachable' : 'source.secret_refused', message);
  const code = kind === 'passing' ? 'credentials.provider_unavailable' : 'credentials.not_configured';
  return refusal(code, message);
}

export const secretText = () => randomBytes(32).toString('base64url');
