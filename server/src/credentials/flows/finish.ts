import { err, ok, type Result } from '#foundation';
import type { Granted } from '../authority.ts';
import type { AtBrowserDeps } from './at-browser.ts';
import type { ConnectProblem, Consenting, Finished, FlowFailure, Verifier } from './contract.ts';
import { answerUntil } from './ending.ts';
import { answered, type Going, mayGoOn, openedOf, problemOfFailure, unknown } from './may-go-on.ts';
import { takeAnswer } from './take-answer.ts';

/** Takes the answer at a callback, once. */
export function createFinish(deps: AtBrowserDeps): Consenting['finish'] {
  const { store, ending, authority } = deps;
  return async (target, answer, verifier) => {
    const found = await ending.looked(await store.flowByState(answer.get('state') ?? ''));
    if (found === null) return err(unknown);
    const { id: reference, browserHash } = found;
    if (browserHash === null || !verifier.isSameBrowser(reference, browserHash)) {
      // Whoever brings it, its code is out in the open now.
      await ending.fail(found, otherBrowser);
      return err({ kind: 'other_browser', reference, words: '' });
    }
    const going = await mayGoOn(found, verifier, deps);
    if (!going.ok) {
      if (going.error.kind === 'other_person') await ending.fail(found, otherPerson);
      return going;
    }
    if (!(await store.answered(found, answerUntil(deps.clock)))) return err(answered(found));
    const { flow, secret } = going.value;
    return settled(going.value, verifier, deps, () => takeAnswer(flow, secret, target, answer, authority));
  };
}

/** Keeps what the answer is worth; whatever goes wrong, the flow has ended afterwards. */
export async function settled(
  { flow, secret }: Going,
  verifier: Verifier,
  { store, ending }: AtBrowserDeps,
  take: () => Promise<Result<Granted, FlowFailure>>,
): Promise<Result<Finished, ConnectProblem>> {
  const fail = async (failure: FlowFailure) => {
    await ending.fail(flow, failure);
    return err(problemOfFailure(flow, failure));
  };
  try {
    const granted = await take();
    if (!granted.ok) return await fail(granted.error);
    const kept = await ending.settle(flow, secret, granted.value);
    if (!kept.ok) return await fail(kept.error);
    return ok({ opened: await openedOf(flow, secret, verifier, store), goOn: kept.value.goOn });
  } catch (error) {
    await ending.fail(flow, wentWrong);
    throw error;
  }
}

const otherBrowser: FlowFailure = {
  code: 'browser_mismatch',
  reason: 'the answer came in another browser than the one that opened the link last',
  advice: 'Open the link in the browser in which you sign in over there, and let it keep cookies.',
};
const otherPerson: FlowFailure = {
  code: 'user_mismatch',
  reason: 'somebody else is signed in at the browser than the user for whom an agent asked',
  advice: 'Let your agent try again, and sign in as yourself.',
};
const wentWrong: FlowFailure = {
  code: 'internal',
  reason: 'something went wrong in this server',
  advice: 'Let your agent try again; it gets a new link.',
};
