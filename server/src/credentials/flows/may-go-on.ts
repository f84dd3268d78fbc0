import { err, ok, type Result } from '#foundation';
import type { Flow, FlowSecret } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import type { ConnectProblem, FlowFailure, Opened, Verifier } from './contract.ts';
import type { Ending } from './ending.ts';

export interface Going {
  readonly flow: Flow;
  readonly secret: FlowSecret;
}

/** The flow, where who is at this browser may go on with it. */
export async function mayGoOn(
  found: Flow | null,
  verifier: Verifier,
  { store, ending }: { readonly store: ConnectionStore; readonly ending: Ending },
): Promise<Result<Going, ConnectProblem>> {
  const flow = await ending.looked(found);
  if (flow === null) return err(unknown);
  const problem = problemOfPerson(flow, verifier) ?? problemOfStatus(flow);
  if (problem !== null) return err(problem);
  const secret = await store.openFlow(flow);
  return secret === null ? err(unknown) : ok({ flow, secret });
}

export const unknown: ConnectProblem = { kind: 'unknown', reference: null, words: '' };

export const answered = ({ id }: Flow): ConnectProblem => ({ kind: 'answered', reference: id, words: '' });

export function problemOfFailure(
  { id: reference }: Flow,
  { reason: words, advice }: FlowFailure,
): ConnectProblem {
  return { kind: 'failed', reference, words, advice };
}

/** Whoever else has its address is told nothing of it. */
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

function problemOfStatus(flow: Flow): ConnectProblem | null {
  const { id: reference, status, failure } = flow;
  if (status === 'pending') return null;
  if (failure !== null) return problemOfFailure(flow, failure);
  return { kind: status === 'verifying' ? 'answered' : 'completed', reference, words: '' };
}

export async function openedOf(
  flow: Flow,
  secret: FlowSecret | null,
  { person }: Verifier,
  store: Pick<ConnectionStore, 'verification'>,
): Promise<Opened> {
  const { id, target, userId, personId, scopes, label, host, account } = flow;
  const isKnown = personId !== null || person?.isUser(target.projectId, userId) === true;
  const isSure = isKnown || (userId !== '' && (await isNotAsked(flow, store)));
  const entry = secret?.entry ?? null;
  return { id, target, userId, personId, scopes, label, host, account, entry, isSure };
}

/** The project makes sure itself afterwards, or does not want anybody to. */
async function isNotAsked({ target }: Flow, store: Pick<ConnectionStore, 'verification'>): Promise<boolean> {
  const { verifierUrl, unsafeSkipVerification } = await store.verification(target.projectId);
  return verifierUrl !== null || unsafeSkipVerification;
}
