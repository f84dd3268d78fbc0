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
  const problem = (await problemOfPerson(flow, verifier, store)) ?? problemOfStatus(flow);
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

/** Whoever else has its address is told nothing of it. A verifier of the project says afterwards who it was, whoever is signed in here. */
async function problemOfPerson(
  { id: reference, personId, userId, target: { projectId } }: Flow,
  { person }: Verifier,
  store: Pick<ConnectionStore, 'verification'>,
): Promise<ConnectProblem | null> {
  const told = { reference, words: '', projectId };
  if (personId !== null && person === null) return { kind: 'sign_in', ...told };
  const isOther =
    personId === null
      ? person !== null && userId !== '' && !person.isUser(projectId, userId)
      : person?.id !== personId;
  if (!isOther) return null;
  const isVerified = personId === null && (await store.verification(projectId)).verifierUrl !== null;
  return isVerified ? null : { kind: 'other_person', ...told };
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
