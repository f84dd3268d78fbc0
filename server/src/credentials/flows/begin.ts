import { randomBytes } from 'node:crypto';
import { type Refusal, refusal, type Source } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Flow } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { clientFor } from '../upstream/clients.ts';
import type { UpstreamProblem, Wanted } from '../upstream/contract.ts';
import { discover, scopesToAsk } from '../upstream/discover.ts';
import type { FetchFor } from '../upstream/fetching.ts';
import { authorizationUrlOf } from '../upstream/tokens.ts';

export interface BeginDeps {
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly fetchFor: FetchFor;
}

/** A consent that is to be asked for. */
export interface Asking {
  readonly source: Source;
  readonly userId: string;
  /** Who must be at the browser; `null`: whoever has the address. */
  readonly personId: string | null;
  readonly servesList: boolean;
  readonly wanted: Wanted;
  /** What the user allowed before: it is asked for again, or it would be lost. */
  readonly before: readonly string[];
}

const lastsMs = 10 * 60_000;
const maxPending = 10_000;
/** One user keeps no other from being asked. */
const maxPendingOfUser = 50;

/** `null`: the source wants no OAuth that we know of. */
export type Begin = (asking: Asking) => Promise<Result<Flow | null, Refusal>>;

/** How long it is believed that nobody can be asked; a source that is called all the time is not asked about all the time. */
const believedMs = 10_000;
const maxBelieved = 1000;

/** Begins consents; the same one for whoever asks while nobody has opened it yet. */
export function createBegin(deps: BeginDeps): Begin {
  const { clock } = deps;
  const beginning = new Map<string, ReturnType<Begin>>();
  const vain = new Map<string, { readonly untilMs: number; readonly outcome: Awaited<ReturnType<Begin>> }>();

  async function begin(asking: Asking): ReturnType<Begin> {
    const { source, wanted } = asking;
    const about = JSON.stringify([
      source.projectId,
      source.id,
      source.uri,
      source.updatedAt,
      wanted.metadataUrl,
    ]);
    const before = vain.get(about);
    if (before !== undefined && before.untilMs > clock.now()) return before.outcome;
    vain.delete(about);
    const outcome = await beginOnce(asking, deps);
    const isVain = outcome.ok ? outcome.value === null : outcome.error !== tooMany;
    if (isVain && vain.size >= maxBelieved) vain.clear();
    if (isVain) vain.set(about, { untilMs: clock.now() + believedMs, outcome });
    return outcome;
  }

  return (asking) => {
    const { source, userId, personId, servesList, wanted, before } = asking;
    const about = [source.projectId, source.id, userId, personId, servesList, wanted.scopes, before];
    const key = JSON.stringify(about);
    const running = beginning.get(key);
    if (running !== undefined) return running;
    const begun = begin(asking).finally(() => beginning.delete(key));
    beginning.set(key, begun);
    return begun;
  };
}

async function beginOnce(asking: Asking, deps: BeginDeps): Promise<Result<Flow | null, Refusal>> {
  const { store, clock } = deps;
  const { source, userId, personId, servesList, wanted, before } = asking;
  const place = { projectId: source.projectId, sourceId: source.id, userId };
  const known = (await store.unopenedFlows(place, clock.iso())).find((flow) => fits(flow, asking));
  if (known !== undefined) return ok(known);
  const pending = await store.pendingFlows(place);
  if (pending.all >= maxPending || pending.ofUser >= maxPendingOfUser) return err(tooMany);
  const fetchFn = deps.fetchFor(source);
  const found = await discover(source.uri, wanted, fetchFn);
  if (!found.ok) return err(undone(source, found.error));
  if (found.value === null) return ok(null);
  const { server } = found.value;
  const client = await clientFor(source, server, { ...deps, fetchFn });
  if (!client.ok) return err(undone(source, client.error));
  const scopes = [...new Set([...before, ...scopesToAsk(wanted.scopes, found.value)])];
  const state = secretText();
  const url = await authorizationUrlOf(server, client.value, scopes, state);
  if (!url.ok) return err(undone(source, url.error));
  const { redirectUri } = client.value;
  const token = secretText();
  const flow: Flow = {
    ...place,
    id: newId('ac', clock.now()),
    personId,
    servesList,
    scopes,
    status: 'pending',
    reason: null,
    expiresAtMs: clock.now() + lastsMs,
    browserHash: null,
    secret: { token, state, ...url.value, redirectUri, uri: source.uri, server, client: client.value },
  };
  await store.insertFlow(flow, clock.iso());
  return ok(flow);
}

function fits(flow: Flow, { source, personId, servesList, wanted, before }: Asking): boolean {
  return (
    flow.personId === personId &&
    flow.servesList === servesList &&
    flow.secret.uri === source.uri &&
    [...before, ...wanted.scopes].every((scope) => flow.scopes.includes(scope))
  );
}

const tooMany = refusal(
  'policy.rate_limited',
  'too many consents wait for their users already; try again later',
  {
    retryAfterMs: 60_000,
  },
);

function undone({ id }: Source, { kind, words }: UpstreamProblem): Refusal {
  const code = kind === 'passing' ? 'source.unreachable' : 'source.secret_refused';
  return refusal(code, `${id} wants OAuth, and nobody can be asked for it: ${words}`);
}

const secretText = () => randomBytes(32).toString('base64url');
