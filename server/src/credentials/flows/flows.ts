import { type Clock, err, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import type { ConnectProblem, ConsentEvent, Consenting, Opened, SourceName, Verifier } from '../contract.ts';
import { pause } from '../renewal.ts';
import { hashOf } from '../store/flows.ts';
import type { Flow } from '../store/kept.ts';
import { type Begin, type BeginDeps, createBegin } from './begin.ts';
import { consentsWithinMs, type FinishDeps, finish, maxConsents } from './finish.ts';

export type FlowsDeps = BeginDeps &
  FinishDeps & {
    readonly db: Db;
    readonly log: Log;
    readonly onConsent: (event: ConsentEvent) => void | Promise<void>;
  };

/** Consents that users are asked for: begun by a call that needs one, ended at a browser or after ten minutes. */
export interface Flows extends Pick<Consenting, 'look' | 'open' | 'finish'> {
  readonly begin: Begin;
  find(id: string): Promise<Flow | null>;
  /** Done when it has ended, or the time is over, or nobody wants to know any more. */
  ended(id: string, withinMs: number, signal: AbortSignal | null): Promise<Flow | null>;
  consentsTooOften(consentedAtMs: readonly number[]): boolean;
  /** Ends those whose time is over. */
  sweep(): Promise<void>;
  close(): void;
}

const keptMs = 24 * 3_600_000;
const sweepEveryMs = 30_000;
const lookAgainMs = 250;

export function createFlows(deps: FlowsDeps): Flows {
  const { store, clock, log, onConsent } = deps;

  async function sweep(): Promise<void> {
    const reason = 'nobody finished it within ten minutes';
    for (const flow of await store.expireFlows(reason, clock.iso())) {
      await onConsent({ ...flow, decision: 'failed', reason });
    }
    await store.tidyFlows(new Date(clock.now() - keptMs).toISOString());
  }

  const stopSweeping = clock.every(sweepEveryMs, () => {
    void sweep().catch((error) => log.warn({ err: error }, 'consents that are over could not be ended'));
  });

  const looks = new Map<string, Promise<Flow | null>>();

  /** In a moment; one look for however many wait. */
  function lookSoon(id: string): Promise<Flow | null> {
    const look =
      looks.get(id) ??
      pause(clock, lookAgainMs)
        .then(() => store.flow(id))
        .finally(() => looks.delete(id));
    looks.set(id, look);
    return look;
  }

  return {
    begin: createBegin(deps),
    sweep,
    close: stopSweeping,
    find: store.flow,
    consentsTooOften: (consentedAtMs) =>
      consentedAtMs.filter((at) => at > clock.now() - consentsWithinMs).length >= maxConsents,
    async ended(id, withinMs, signal) {
      const untilMs = clock.now() + withinMs;
      for (let flow = await store.flow(id); ; flow = await lookSoon(id)) {
        const isOver = flow === null || flow.status !== 'pending' || flow.expiresAtMs <= clock.now();
        if (isOver || clock.now() >= untilMs || signal?.aborted === true) return flow;
      }
    },
    ...atBrowsers(deps),
  };
}

/** What a browser does with a consent. */
function atBrowsers(deps: FlowsDeps): AtBrowser {
  const { db, store, clock, onConsent } = deps;

  async function end(flow: Flow, failed: string | null): Promise<void> {
    const status = failed === null ? 'completed' : 'failed';
    if (!(await store.endFlow(db, flow.id, { status, reason: failed }, clock.iso()))) return;
    const decision = failed === null ? 'allowed' : 'failed';
    await onConsent({ ...openedOf(flow), decision, reason: failed ?? `scopes: ${flow.scopes.join(' ')}` });
  }

  /** The flow, where this browser may go on with it. */
  function forBrowser(flow: Flow | null, verifier: Verifier): Result<Flow, ConnectProblem> {
    const problem = problemOf(flow, verifier, clock);
    return flow === null || problem !== null ? err(problem ?? unknown) : ok(flow);
  }

  return {
    async look(token, verifier) {
      const flow = forBrowser(await store.flowByToken(token), verifier);
      return flow.ok ? ok(openedOf(flow.value)) : flow;
    },

    async open(token, verifier, cookie) {
      const flow = forBrowser(await store.flowByToken(token), verifier);
      if (!flow.ok) return flow;
      const { id, browserHash, secret } = flow.value;
      const isMine = await store.openedBy(id, browserHash ?? hashOf(cookie));
      return isMine ? ok(secret.authorizationUrl) : err({ kind: 'other_browser', reference: id, words: '' });
    },

    async finish(at: SourceName, answer, verifier) {
      const found = await store.flowByState(answer.get('state') ?? '');
      // The answer to a consent that no browser has opened was made up.
      const isOpen =
        found !== null && found.browserHash !== null && verifier.isSameBrowser(found.id, found.browserHash);
      if (found !== null && !isOpen) return err({ kind: 'other_browser', reference: found.id, words: '' });
      const flow = forBrowser(found, verifier);
      if (!flow.ok) return flow;
      const { id: reference, projectId, sourceId } = flow.value;
      if (!(await store.answered(reference))) return err({ kind: 'answered', reference, words: '' });
      const isElsewhere = projectId !== at.projectId || sourceId !== at.sourceId;
      const failed = isElsewhere ? elsewhere : ((await finish(flow.value, answer, deps))?.words ?? null);
      await end(flow.value, failed);
      return failed === null ? ok(openedOf(flow.value)) : err({ kind: 'failed', reference, words: failed });
    },
  };
}

type AtBrowser = Pick<Consenting, 'look' | 'open' | 'finish'>;

const elsewhere = 'the answer came to the address of another source';
const unknown: ConnectProblem = { kind: 'unknown', reference: null, words: '' };

/** Why this browser may not go on with it. Whoever else has its address is told nothing of it. */
function problemOf(
  flow: Flow | null,
  { personId, isSameBrowser }: Verifier,
  clock: Clock,
): ConnectProblem | null {
  if (flow === null) return unknown;
  const { id: reference, browserHash, projectId } = flow;
  const told = { reference, words: '' };
  if (flow.personId !== null && flow.personId !== personId) {
    return personId === null ? { kind: 'sign_in', projectId, ...told } : { kind: 'other_person', ...told };
  }
  if (browserHash !== null && !isSameBrowser(reference, browserHash))
    return { kind: 'other_browser', ...told };
  if (flow.status === 'failed') return { kind: 'failed', reference, words: flow.reason ?? '' };
  if (flow.status === 'completed') return { kind: 'completed', ...told };
  return flow.expiresAtMs > clock.now() ? null : { kind: 'failed', reference, words: 'its time is over' };
}

function openedOf({ id, projectId, sourceId, userId, personId, scopes, secret }: Flow): Opened {
  const issuerHost = new URL(secret.server.issuer).host;
  return { id, projectId, sourceId, userId, personId, scopes, issuerHost };
}
