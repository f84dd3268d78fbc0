import { err, ok, type Result } from '#foundation';
import type { Authority, Target } from '../authority.ts';
import { hashOf } from '../store/flows.ts';
import type { Flow, FlowSecret } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { secretText } from './begin.ts';
import type { ConnectProblem, Consenting, Finished, FlowFailure, Opened, Verifier } from './contract.ts';
import { type Ending, type EndingDeps, failureOf } from './ending.ts';
import { takeAnswer } from './take-answer.ts';

export interface AtBrowserDeps extends EndingDeps {
  readonly ending: Ending;
  readonly authority: Authority;
  readonly redirectUriOf: (target: Target) => string;
}

type AtBrowser = Pick<Consenting, 'look' | 'open' | 'enter' | 'finish' | 'ended' | 'failedLately'>;

const failuresKeptMs = 24 * 3_600_000;

/** What a browser does with a consent. */
export function atBrowser(deps: AtBrowserDeps): AtBrowser {
  const { store, clock, ending, authority } = deps;

  /** The flow, where who is at this browser may go on with it. */
  async function mayGoOn(
    found: Flow | null,
    verifier: Verifier,
  ): Promise<Result<{ readonly flow: Flow; readonly secret: FlowSecret }, ConnectProblem>> {
    const flow = await ending.looked(found);
    const problem = flow === null ? unknown : (problemOfPerson(flow, verifier) ?? problemOfStatus(flow));
    if (flow === null || problem !== null) return err(problem ?? unknown);
    const secret = await store.openFlow(flow);
    return secret === null ? err(unknown) : ok({ flow, secret });
  }

  const byToken = async (token: string, verifier: Verifier) =>
    mayGoOn(await store.flowByToken(token), verifier);

  async function failed(flow: Flow, failure: FlowFailure): Promise<ConnectProblem> {
    await ending.fail(flow, failure);
    return problemOfFailure(flow.id, failure);
  }

  async function finished(
    flow: Flow,
    secret: FlowSecret,
    verifier: Verifier,
    settled: Awaited<ReturnType<Ending['settle']>>,
  ): Promise<Result<Finished, ConnectProblem>> {
    if (!settled.ok) return err(await failed(flow, settled.error));
    return ok({ opened: await openedOf(flow, secret, verifier, store), goOn: settled.value.goOn });
  }

  return {
    async look(token, verifier) {
      const found = await byToken(token, verifier);
      return found.ok ? ok(await openedOf(found.value.flow, found.value.secret, verifier, store)) : found;
    },

    async open(token, verifier, cookie) {
      const found = await byToken(token, verifier);
      if (!found.ok) return found;
      const { flow, secret } = found.value;
      const { target, scopes } = flow;
      const state = secretText();
      const redirectUri = deps.redirectUriOf(target);
      const asked = { scopes, existingScopes: secret.existingScopes, state, redirectUri };
      const url = await authority.authorize(target, secret.held, asked);
      if (!url.ok) return err(await failed(flow, failureOf(url.error)));
      if (!isForBrowsers(url.value.url)) return err(await failed(flow, notForBrowsers));
      const opening = { codeVerifier: url.value.codeVerifier, redirectUri };
      const isOpen = await store.opened(flow, { ...secret, opening }, { state, browserHash: hashOf(cookie) });
      return isOpen ? ok(url.value.url) : err({ kind: 'answered', reference: flow.id, words: '' });
    },

    async enter(token, verifier, entered, cookie) {
      const found = await byToken(token, verifier);
      if (!found.ok) return found;
      const { flow, secret } = found.value;
      const browserHash = hashOf(cookie);
      const answered = err({ kind: 'answered' as const, reference: flow.id, words: '' });
      if (!(await store.opened(flow, secret, { state: null, browserHash }))) return answered;
      if (!(await store.answered({ id: flow.id, browserHash }))) return answered;
      const granted = await authority.enter(flow.target, secret.held, entered);
      if (!granted.ok) {
        const { words, advice } = granted.error;
        await store.unanswered(flow.id);
        return err({ kind: 'refused', reference: flow.id, words, advice });
      }
      return finished(flow, secret, verifier, await ending.settle(flow, secret, granted.value));
    },

    async finish(target, answer, verifier) {
      const found = await ending.looked(await store.flowByState(answer.get('state') ?? ''));
      if (found === null) return err(unknown);
      const { id: reference, browserHash } = found;
      if (browserHash === null || !verifier.isSameBrowser(reference, browserHash)) {
        // Whoever brings it, its code is out in the open now.
        await ending.fail(found, otherBrowser);
        return err({ kind: 'other_browser', reference, words: '' });
      }
      const going = await mayGoOn(found, verifier);
      if (!going.ok) {
        if (going.error.kind === 'other_person') await ending.fail(found, otherPerson);
        return going;
      }
      const { flow, secret } = going.value;
      if (!(await store.answered(flow))) return err({ kind: 'answered', reference, words: '' });
      const granted = await takeAnswer(flow, secret, target, answer, authority);
      if (!granted.ok) return err(await failed(flow, granted.error));
      return finished(flow, secret, verifier, await ending.settle(flow, secret, granted.value));
    },

    async ended(id, verifier) {
      const flow = await ending.looked(await store.flow(id));
      if (flow?.browserHash == null || !verifier.isSameBrowser(id, flow.browserHash)) return null;
      const opened = await openedOf(flow, await store.openFlow(flow), verifier, store);
      return { opened, status: flow.status, failure: flow.failure };
    },

    async failedLately(projectId, whose) {
      const sinceIso = new Date(clock.now() - failuresKeptMs).toISOString();
      const flows = await store.failedFlows(projectId, whose, sinceIso);
      return flows.flatMap(({ id, target, userId, personId, scopes, failure, endedAtMs }) =>
        failure === null || endedAtMs === null
          ? []
          : [
              {
                ...{ id, target, userId, personId, scopes, failure },
                endedAt: new Date(endedAtMs).toISOString(),
              },
            ],
      );
    },
  };
}

const unknown: ConnectProblem = { kind: 'unknown', reference: null, words: '' };

const otherBrowser: FlowFailure = {
  code: 'browser_mismatch',
  reason: 'the answer came in another browser than the one that opened the link last',
  advice: 'Open the link in the browser in which you sign in over there, and let that browser keep cookies.',
};
const otherPerson: FlowFailure = {
  code: 'user_mismatch',
  reason: 'somebody else is signed in at the browser than the user for whom an agent asked',
  advice: 'Let your agent try again, and sign in as yourself.',
};
const notForBrowsers: FlowFailure = {
  code: 'answer_invalid',
  reason: 'the address over there is not one that a browser can be sent to safely',
  advice: 'Whoever runs this server checks the address for authorization: it must be https.',
};

/** Why who is at this browser may not go on with it. Whoever else has its address is told nothing of it. */
function problemOfPerson(flow: Flow, { person }: Verifier): ConnectProblem | null {
  const { id: reference, personId, userId, target } = flow;
  const told = { reference, words: '' };
  if (personId !== null) {
    if (person === null) return { kind: 'sign_in', projectId: target.projectId, ...told };
    return person.id === personId ? null : { kind: 'other_person', ...told };
  }
  const isOther = person !== null && userId !== '' && !person.isUser(target.projectId, userId);
  return isOther ? { kind: 'other_person', ...told } : null;
}

function problemOfStatus({ id: reference, status, failure }: Flow): ConnectProblem | null {
  if (status === 'pending') return null;
  if (status === 'failed' && failure !== null) return problemOfFailure(reference, failure);
  return { kind: status === 'verifying' ? 'answered' : 'completed', reference, words: '' };
}

function problemOfFailure(reference: string, { reason: words, advice }: FlowFailure): ConnectProblem {
  return { kind: 'failed', reference, words, advice };
}

async function openedOf(
  flow: Flow,
  secret: FlowSecret | null,
  { person }: Verifier,
  store: Pick<ConnectionStore, 'verification'>,
): Promise<Opened> {
  const { id, target, userId, personId, scopes, label, host, account } = flow;
  const isKnown = personId !== null || (person !== null && userId !== '');
  const settings = isKnown ? null : await store.verification(target.projectId);
  const isSure =
    isKnown ||
    (userId !== '' && (settings?.verifierUrl !== null || settings?.unsafeSkipVerification === true));
  const entry = secret?.entry ?? null;
  return { id, target, userId, personId, scopes, label, host, account, entry, isSure };
}

/** Over http only to this machine. */
function isForBrowsers(address: string): boolean {
  const url = URL.parse(address);
  if (url === null) return false;
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback);
}
