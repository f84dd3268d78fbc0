import { randomBytes } from 'node:crypto';
import { type Refusal, refusal, type Source } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import { type Connections, pause } from './connections.ts';
import type { ConnectProblem, ConsentEvent, Opened, Verifier } from './contract.ts';
import { type ConnectionStore, type Flow, hashOf, type Place } from './store.ts';
import { clientFor } from './upstream/clients.ts';
import type { UpstreamProblem, Wanted } from './upstream/contract.ts';
import { discover, scopesToAsk } from './upstream/discover.ts';
import type { FetchFor } from './upstream/fetching.ts';
import { problemOfCode } from './upstream/problems.ts';
import { authorizationUrlOf, isAnswerOf, tokensFor } from './upstream/tokens.ts';

export interface FlowsDeps {
  readonly db: Db;
  readonly store: ConnectionStore;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
  readonly issuer: () => string;
  readonly fetchFor: FetchFor;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
  readonly onConsent: (event: ConsentEvent) => void;
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
const keptMs = 24 * 3_600_000;
const sweepEveryMs = 30_000;
const maxPending = 10_000;
const lookAgainMs = 250;
/** Who consented so often lately, and still is not let in, is asked no more for a while. */
const maxConsents = 3;
const consentsWithinMs = 10 * 60_000;

/** Consents that users are asked for: begun by a call that needs one, ended at a browser or after ten minutes. */
export function createFlows(deps: FlowsDeps) {
  const { db, store, connections, clock, log, issuer, fetchFor, sourceOf, onConsent } = deps;
  const beginning = new Map<string, Promise<Result<Flow | null, Refusal>>>();

  const stopSweeping = clock.every(sweepEveryMs, () => {
    void sweep().catch((error) => log.warn({ err: error }, 'consents that are over could not be ended'));
  });

  async function sweep(): Promise<void> {
    const reason = 'nobody finished it within ten minutes';
    for (const flow of await store.expireFlows(reason, clock.iso())) {
      onConsent({ ...flow, decision: 'failed', reason });
    }
    await store.tidyFlows(iso(clock.now() - keptMs));
  }

  /** The same consent for whoever asks while nobody has opened it yet. `null`: the source wants no OAuth that we know of. */
  function begin(asking: Asking): Promise<Result<Flow | null, Refusal>> {
    const { source, userId, personId, servesList, wanted, before } = asking;
    const about = [source.projectId, source.id, userId, personId, servesList, wanted.scopes, before];
    const key = JSON.stringify(about);
    const running = beginning.get(key);
    if (running !== undefined) return running;
    const begun = beginOnce(asking).finally(() => beginning.delete(key));
    beginning.set(key, begun);
    return begun;
  }

  async function beginOnce(asking: Asking): Promise<Result<Flow | null, Refusal>> {
    const { source, userId, personId, servesList, wanted, before } = asking;
    const place = { projectId: source.projectId, sourceId: source.id, userId };
    const needed = [...before, ...wanted.scopes];
    const fits = (flow: Flow) =>
      flow.personId === personId &&
      flow.servesList === servesList &&
      flow.secret.uri === source.uri &&
      needed.every((scope) => flow.scopes.includes(scope));
    const known = (await store.unopenedFlows(place, clock.iso())).find(fits);
    if (known !== undefined) return ok(known);
    if ((await store.pendingFlows(source.projectId)) >= maxPending) return err(tooMany);
    const fetchFn = fetchFor(source);
    const found = await discover(source.uri, wanted, fetchFn);
    if (!found.ok) return err(undone(source, found.error));
    if (found.value === null) return ok(null);
    const { server } = found.value;
    const client = await clientFor(source, server, { store, clock, issuer, fetchFn });
    if (!client.ok) return err(undone(source, client.error));
    const scopes = [...new Set([...before, ...scopesToAsk(wanted.scopes, found.value)])];
    const state = secretText();
    const url = await authorizationUrlOf(server, client.value, scopes, state);
    if (!url.ok) return err(undone(source, url.error));
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
      secret: {
        token: secretText(),
        state,
        ...url.value,
        redirectUri: client.value.redirectUri,
        uri: source.uri,
        server,
        client: client.value,
      },
    };
    await store.insertFlow(flow, clock.iso());
    return ok(flow);
  }

  async function fail(flow: Place & { readonly id: string }, reason: string): Promise<ConnectProblem> {
    const ended = await store.endFlow(db, flow.id, { status: 'failed', reason }, clock.iso());
    if (ended) onConsent({ ...flow, decision: 'failed', reason });
    return { kind: 'failed', reference: flow.id, words: reason };
  }

  /** The flow as this browser may see it; whoever else has its address is told nothing of it. */
  function problemOf(flow: Flow | null, { personId, isSameBrowser }: Verifier): ConnectProblem | null {
    if (flow === null) return unknown;
    const reference = flow.id;
    if (flow.personId !== null && flow.personId !== personId) {
      return personId === null
        ? { kind: 'sign_in', reference, words: '', projectId: flow.projectId }
        : { kind: 'other_person', reference, words: '' };
    }
    const isMine = flow.browserHash === null || isSameBrowser(flow.id, flow.browserHash);
    if (!isMine) return { kind: 'other_browser', reference, words: '' };
    if (flow.status === 'failed') return { kind: 'failed', reference, words: flow.reason ?? '' };
    if (flow.status === 'completed') return { kind: 'completed', reference, words: '' };
    if (flow.expiresAtMs <= clock.now()) return { kind: 'failed', reference, words: 'its time is over' };
    return null;
  }

  function openedOf(flow: Flow): Opened {
    const { id, projectId, sourceId, userId, personId, scopes, secret } = flow;
    const issuerHost = new URL(secret.server.issuer).host;
    return { id, projectId, sourceId, userId, personId, scopes, issuerHost };
  }

  async function save(flow: Flow, answer: URLSearchParams): Promise<UpstreamProblem | null> {
    const source = sourceOf(flow.projectId, flow.sourceId);
    if (source === null || source.uri !== flow.secret.uri) {
      return { kind: 'broken', words: 'the source is not there any more, or is another one now' };
    }
    const { server, client, codeVerifier } = flow.secret;
    const iss = answer.get('iss');
    if (!isAnswerOf(server, iss)) {
      return {
        kind: 'broken',
        words: 'the answer did not come from the authorization server that you were sent to',
      };
    }
    const error = answer.get('error');
    if (error !== null) return problemOfCode(error);
    const code = answer.get('code');
    if (code === null || code === '') return { kind: 'broken', words: 'the answer held no code' };
    const tokens = await tokensFor({ code, iss, codeVerifier }, server, client, {
      fetchFn: fetchFor(source),
      clock,
    });
    if (!tokens.ok) {
      if (tokens.error.kind === 'client') await store.forgetClient(flow, server.issuer);
      return tokens.error;
    }
    const { accessToken, refreshToken, expiresAtMs, scopes } = tokens.value;
    const before = await connections.find(flow);
    const lately = (before?.consentedAtMs ?? []).filter((at) => at > clock.now() - consentsWithinMs);
    await connections.save({
      projectId: flow.projectId,
      sourceId: flow.sourceId,
      userId: flow.userId,
      uri: source.uri,
      issuer: server.issuer,
      servesList: flow.servesList,
      askedScopes: flow.scopes,
      grantedScopes: scopes ?? flow.scopes,
      consentedAtMs: [...lately, clock.now()].slice(-2 * maxConsents),
      refused: false,
      expiresAtMs,
      secret: { accessToken, refreshToken, server, client },
    });
    return null;
  }

  return {
    begin,
    sweep,
    close: stopSweeping,
    find: store.flow,

    consentsTooOften: (consentedAtMs: readonly number[]) =>
      consentedAtMs.filter((at) => at > clock.now() - consentsWithinMs).length >= maxConsents,

    /** Done when it has ended, or the time is over, or nobody wants to know any more. */
    async ended(id: string, withinMs: number, signal: AbortSignal | null): Promise<Flow | null> {
      const untilMs = clock.now() + withinMs;
      for (;;) {
        const flow = await store.flow(id);
        const isOver = flow === null || flow.status !== 'pending' || flow.expiresAtMs <= clock.now();
        if (isOver || clock.now() >= untilMs || signal?.aborted === true) return flow;
        await pause(clock, lookAgainMs);
      }
    },

    async look(token: string, verifier: Verifier): Promise<Result<Opened, ConnectProblem>> {
      const flow = await store.flowByToken(token);
      const problem = problemOf(flow, verifier);
      return problem === null ? ok(openedOf(flow as Flow)) : err(problem);
    },

    /** Where the browser goes on; from now on it is the only one that can. */
    async open(token: string, verifier: Verifier, cookie: string): Promise<Result<string, ConnectProblem>> {
      const flow = await store.flowByToken(token);
      const problem = problemOf(flow, verifier);
      if (problem !== null) return err(problem);
      const { id, browserHash, secret } = flow as Flow;
      if (!(await store.openedBy(id, browserHash ?? hashOf(cookie)))) {
        return err({ kind: 'other_browser', reference: id, words: '' });
      }
      return ok(secret.authorizationUrl);
    },

    /** The answer of the authorization server, brought by a browser to the address of one source. */
    async finish(
      at: Pick<Place, 'projectId' | 'sourceId'>,
      answer: URLSearchParams,
      verifier: Verifier,
    ): Promise<Result<Opened, ConnectProblem>> {
      const flow = await store.flowByState(answer.get('state') ?? '');
      if (flow === null) return err(unknown);
      if (flow.browserHash === null || !verifier.isSameBrowser(flow.id, flow.browserHash)) {
        return err({ kind: 'other_browser', reference: flow.id, words: '' });
      }
      const problem = problemOf(flow, verifier);
      if (problem !== null) return err(problem);
      if (!(await store.answered(flow.id))) return err({ kind: 'answered', reference: flow.id, words: '' });
      if (flow.projectId !== at.projectId || flow.sourceId !== at.sourceId) {
        return err(await fail(flow, 'the answer came to the address of another source'));
      }
      const failed = await save(flow, answer);
      if (failed !== null) return err(await fail(flow, failed.words));
      const ended = await store.endFlow(db, flow.id, { status: 'completed', reason: null }, clock.iso());
      if (ended)
        onConsent({ ...openedOf(flow), decision: 'allowed', reason: `scopes: ${flow.scopes.join(' ')}` });
      return ok(openedOf(flow));
    },
  };
}

export type Flows = ReturnType<typeof createFlows>;

const unknown: ConnectProblem = { kind: 'unknown', reference: null, words: '' };

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
const iso = (ms: number) => new Date(ms).toISOString();
