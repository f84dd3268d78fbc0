import { err, ok, type Result } from '#foundation';
import type { Authority, Granted, Target } from '../authority.ts';
import type { Flow, FlowSecret } from '../store/kept.ts';
import type { FlowFailure } from './contract.ts';
import { failureOf } from './ending.ts';

/** What the answer at a callback is worth. */
export async function takeAnswer(
  flow: Flow,
  { held, boundTo, opening }: FlowSecret,
  at: Target,
  answer: URLSearchParams,
  authority: Authority,
): Promise<Result<Granted, FlowFailure>> {
  const { target, scopes } = flow;
  const isElsewhere = at.projectId !== target.projectId || at.kind !== target.kind || at.id !== target.id;
  // A code of one provider is worth nothing at another: who mixes them up wants to have it.
  if (isElsewhere || opening === null) return err(invalid('the answer came to the address of another one'));
  if (authority.boundTo(target) !== boundTo)
    return err(invalid(`${target.id} is not there any more, or is another one now`));
  const iss = answer.get('iss');
  // Before that, no word of the answer is believed.
  if (!authority.isAnswerOf(target, held, iss)) return err(invalid(notFromThere));
  const error = answer.get('error');
  if (error !== null) {
    return err(failureOf(authority.explain(target, held, error, answer.get('error_description'))));
  }
  const code = answer.get('code');
  if (code === null || code === '') return err(invalid('the answer held no code'));
  const granted = await authority.exchange(target, held, { ...opening, code, iss, scopes });
  return granted.ok ? ok(granted.value) : err(failureOf(granted.error));
}

const notFromThere =
  'the answer did not come from the authorization server that you were sent to: its iss is missing, or another';

function invalid(reason: string): FlowFailure {
  return { code: 'answer_invalid', reason, advice: 'Let your agent try again; it gets a new link.' };
}
