import { type Clock, err, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Granted, Problem, Target } from '../authority.ts';
import type { Connections } from '../connections/connections.ts';
import type { ConsentEvent } from '../contract.ts';
import type { Flow, FlowSecret } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { secretText } from './begin.ts';
import type { FlowFailure } from './contract.ts';

export interface EndingDeps {
  readonly db: Db;
  readonly store: ConnectionStore;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly redirectUriOf: (target: Target) => string;
  readonly onEvent: (event: ConsentEvent) => void | Promise<void>;
}

/** How flows end: each once, in completed or failed, and told to the audit. */
export interface Ending {
  /** Nothing is kept. */
  fail(flow: Flow, failure: FlowFailure): Promise<void>;
  /** Keeps what the user consented to; or seals it until the project's own verifier says that it was the user. */
  settle(
    flow: Flow,
    secret: FlowSecret,
    granted: Granted,
  ): Promise<Result<{ readonly goOn: string | null }, FlowFailure>>;
  /** As `settle`, where it is known by now that it was the user. */
  complete(flow: Flow, secret: FlowSecret, granted: Granted | null): Promise<FlowFailure | null>;
  /** Its time is over. */
  expire(flow: Flow): Promise<void>;
  /** The flow; ended, where its time is over. */
  looked(flow: Flow | null): Promise<Flow | null>;
}

export const expired: FlowFailure = {
  code: 'expired',
  reason: 'nobody finished it within ten minutes',
  advice: 'Let your agent try again; it gets a new link.',
};

/** Whoever was to redeem the answer ended before it had: nobody else can. */
const interrupted: FlowFailure = {
  code: 'interrupted',
  reason: 'this server was stopped while it asked the provider',
  advice: 'Let your agent try again; it gets a new link.',
};

const answerMs = 60_000;

/** Until when an answer has come to something: longer than all that is asked of a provider for one may take. */
export const answerUntil = (clock: Clock): number => clock.now() + answerMs;

/** Some providers tell nobody but the user what is wrong, on a page that never comes back. */
const lost = ({ label }: Flow, redirectUri: string): FlowFailure => ({
  code: 'expired',
  reason: `the user was sent to ${label}, and did not come back within ten minutes`,
  advice: `Let your agent try again; it gets a new link. If ${label} showed an error, whoever runs this server registers the redirect URI ${redirectUri} over there, exactly so, and checks who may use the app.`,
});

/** Why a flow fails whose time is over. */
function overdueOf(flow: Flow, { redirectUriOf }: EndingDeps): FlowFailure {
  if (flow.status !== 'pending') return expired;
  if (flow.isAnswered) return interrupted;
  return flow.browserHash === null || flow.host === null ? expired : lost(flow, redirectUriOf(flow.target));
}

const tooManyAccounts: FlowFailure = {
  code: 'too_many_accounts',
  reason: 'the user has too many accounts there already',
  advice: 'Disconnect one of them first, at the page of connections.',
};

export function createEnding(deps: EndingDeps): Ending {
  const { db, store, connections, clock, onEvent } = deps;
  const expire = (flow: Flow) => fail(flow, overdueOf(flow, deps));

  function tell(flow: Flow, kind: ConsentEvent['kind'], code: string | null, reason: string) {
    const { id, target, userId, personId } = flow;
    return onEvent({ kind, id, target, userId, personId, code, reason });
  }

  async function fail(flow: Flow, failure: FlowFailure): Promise<void> {
    if (!(await store.endFlow(db, flow.id, failure, clock.iso()))) return;
    await tell(flow, failure.code === 'expired' ? 'expired' : 'failed', failure.code, failure.reason);
  }

  async function complete(
    flow: Flow,
    secret: FlowSecret,
    granted: Granted | null,
  ): Promise<FlowFailure | null> {
    // Only a verifier was tried out.
    if (granted === null) {
      await store.endFlow(db, flow.id, { connectionId: null }, clock.iso());
      return null;
    }
    const { target, userId, personId, account, label, lists, scopes } = flow;
    const { boundTo, issuer, held } = secret;
    const consented = {
      ...{ target, userId, personId, account, label, lists, scopes },
      ...{ boundTo, issuer, held, granted },
    };
    const lacking = lackingIn(flow, secret, granted);
    const kept = await connections.keep(consented, (queries, connectionId) =>
      store.endFlow(queries, flow.id, lacking ?? { connectionId }, clock.iso()),
    );
    // It failed meanwhile; or it was completed, by who confirmed it at the same time.
    if (kept === 'over') return (await store.flow(flow.id))?.failure ?? null;
    if (kept === 'too_many') {
      await fail(flow, tooManyAccounts);
      return tooManyAccounts;
    }
    if (lacking !== null) {
      await tell(flow, 'failed', lacking.code, lacking.reason);
      return lacking;
    }
    await tell(flow, 'completed', null, `scopes: ${(granted.scopes ?? scopes).join(' ')}`);
    return null;
  }

  return {
    fail,
    expire,
    complete,

    async settle(flow, secret, granted) {
      const verifier = await verifierOf(flow, store);
      if (verifier !== null) {
        const verifyId = secretText();
        // Who came back in the last moment is not sent on in vain.
        const expiresAtMs = Math.max(flow.expiresAtMs, answerUntil(clock));
        const waiting = { ...secret, opening: null, granted };
        const isKept = await store.verifying({ ...flow, expiresAtMs }, waiting, verifyId);
        return isKept ? ok({ goOn: verifierAddress(verifier, verifyId) }) : err(expired);
      }
      const failure = await complete(flow, secret, granted);
      return failure === null ? ok({ goOn: flow.nextUri }) : err(failure);
    },

    async looked(flow) {
      const isUnderWay = flow?.status === 'pending' || flow?.status === 'verifying';
      if (flow === null || !isUnderWay || flow.expiresAtMs > clock.now()) return flow;
      await expire(flow);
      return store.flow(flow.id);
    },
  };
}

/**
 * What the user did not allow of what was asked for: the rest is kept, and whoever waits is told; whoever took it for completed would
 * ask again and again. MCP servers say themselves, call by call, what they need.
 */
function lackingIn(
  { target, scopes }: Flow,
  { existingScopes }: FlowSecret,
  granted: Granted,
): FlowFailure | null {
  if (target.kind === 'source' || granted.scopes === null) return null;
  const given = new Set([...granted.scopes, ...existingScopes]);
  const missing = scopes.filter((scope) => !given.has(scope));
  if (missing.length === 0) return null;
  const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ' …' : '');
  return {
    code: 'scope_not_granted',
    reason: `not everything was allowed that is needed: ${shown}`,
    advice:
      'Start again and allow all of it; where that is not asked, whoever runs this server enables these scopes for the app over there.',
  };
}

/** Of the project, where it makes sure itself who is at the browser. A person is known by their own sign-in. */
export async function verifierOf(
  { target, userId, personId }: Flow,
  store: Pick<ConnectionStore, 'verification'>,
): Promise<string | null> {
  if (personId !== null || userId === '') return null;
  return (await store.verification(target.projectId)).verifierUrl;
}

export function verifierAddress(verifierUrl: string, verifyId: string): string {
  const url = new URL(verifierUrl);
  url.searchParams.set('flow_id', verifyId);
  return url.href;
}

const codes = {
  consent: 'access_denied',
  client: 'invalid_client',
  passing: 'provider_unavailable',
  broken: 'answer_invalid',
} as const;

export function failureOf({ kind, code, words, advice }: Problem): FlowFailure {
  return { code: code ?? codes[kind], reason: words, advice };
}
