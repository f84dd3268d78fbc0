import { err, ok } from '#foundation';
import type { Authority } from '../authority.ts';
import { hashOf } from '../store/flows.ts';
import { secretText } from './begin.ts';
import type { Consenting, FlowFailure, Verifier } from './contract.ts';
import { answerUntil, type Ending, type EndingDeps, failureOf } from './ending.ts';
import { createFinish, settled } from './finish.ts';
import { answered, type Going, mayGoOn, openedOf, problemOfFailure } from './may-go-on.ts';

export interface AtBrowserDeps extends EndingDeps {
  readonly ending: Ending;
  readonly authority: Authority;
}

type AtBrowser = Pick<Consenting, 'look' | 'open' | 'enter' | 'finish' | 'ended' | 'failedLately'>;

/** What a browser does with a consent. */
export function atBrowser(deps: AtBrowserDeps): AtBrowser {
  const { store, ending, authority } = deps;

  const byToken = async (token: string, verifier: Verifier) =>
    mayGoOn(await store.flowByToken(token), verifier, deps);

  async function failed({ flow }: Going, failure: FlowFailure) {
    await ending.fail(flow, failure);
    return err(problemOfFailure(flow, failure));
  }

  return {
    async look(token, verifier) {
      const found = await byToken(token, verifier);
      if (!found.ok) return found;
      return ok(await openedOf(found.value.flow, found.value.secret, verifier, store));
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
      if (!url.ok) return failed(found.value, failureOf(url.error));
      if (!isForBrowsers(url.value.url)) return failed(found.value, notForBrowsers);
      const opening = { codeVerifier: url.value.codeVerifier, redirectUri };
      const browserHash = hashOf(cookie);
      const isOpen = await store.opened(flow, { ...secret, opening }, { state, browserHash });
      return isOpen ? ok(url.value.url) : err(answered(flow));
    },

    async enter(token, verifier, entered, cookie) {
      const found = await byToken(token, verifier);
      if (!found.ok) return found;
      const { flow, secret } = found.value;
      const browserHash = hashOf(cookie);
      if (!(await store.opened(flow, secret, { state: null, browserHash }))) return err(answered(flow));
      if (!(await store.answered({ id: flow.id, browserHash }, answerUntil(deps.clock))))
        return err(answered(flow));
      const granted = await authority.enter(flow.target, secret.held, entered);
      if (granted.ok) return settled(found.value, verifier, deps, async () => granted);
      const { words, advice } = granted.error;
      await store.unanswered(flow);
      return err({ kind: 'refused', reference: flow.id, words, advice });
    },

    finish: createFinish(deps),
    ...afterwards(deps),
  };
}

const failuresKeptMs = 24 * 3_600_000;

/** How consents went. */
function afterwards({ store, ending, clock }: AtBrowserDeps): Pick<AtBrowser, 'ended' | 'failedLately'> {
  return {
    async ended(id, verifier) {
      const flow = await ending.looked(await store.flow(id));
      if (flow?.browserHash == null || !verifier.isSameBrowser(id, flow.browserHash)) return null;
      const opened = await openedOf(flow, await store.openFlow(flow), verifier, store);
      return { opened, status: flow.status, failure: flow.failure };
    },

    async failedLately(projectId, whose) {
      const sinceIso = new Date(clock.now() - failuresKeptMs).toISOString();
      const flows = await store.failedFlows(projectId, whose, sinceIso);
      return flows.flatMap(({ id, target, userId, personId, scopes, failure, endedAtMs }) => {
        if (failure === null || endedAtMs === null) return [];
        const endedAt = new Date(endedAtMs).toISOString();
        return [{ id, target, userId, personId, scopes, failure, endedAt }];
      });
    },
  };
}

const notForBrowsers: FlowFailure = {
  code: 'answer_invalid',
  reason: 'the address over there is not one that a browser can be sent to safely',
  advice: 'Whoever runs this server checks the address for authorization: it must be https.',
};

/** Over http only to this machine. */
function isForBrowsers(address: string): boolean {
  const url = URL.parse(address);
  if (url === null) return false;
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback);
}
