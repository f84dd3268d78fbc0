import { type ClientSide, type ConsentNeeded, consentsIn, type Refusal, stateOfConsent } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Refused } from './front.ts';
import type { Answer, InputRequired } from './methods.ts';

/** How a client is told that its user must consent first, at addresses of ours: of all that is missing, at once. */

const urlElicitationRequired = -32042;

/**
 * As questions, where the client declared that it opens links: of today's generation it is asked by the answer, of the other by the
 * error that asks it to call again. `null`: it has to be told in another way.
 */
export function askToConsent(refused: Refused, client: ClientSide): Result<Answer, Refused> | null {
  const consents = consentsIn(refused.refusal);
  const { elicitation } = client.capabilities;
  if (consents.length === 0 || !isMembers(elicitation) || !isMembers(elicitation.url)) return null;
  if (client.ask !== null) {
    const { message, details } = refused.refusal;
    const data = { ...details, elicitations: consents.map(questionOf) };
    return err({ ...refused, relayed: { code: urlElicitationRequired, message, data } });
  }
  const requests = consents.map((consent, at) => {
    const key = at === 0 ? 'authorization' : `authorization-${at + 1}`;
    return [key, { method: 'elicitation/create', params: questionOf(consent) }] as const;
  });
  const asked: InputRequired = {
    form: 'input_required',
    requests: Object.fromEntries(requests),
    state: stateOfConsent(...consents.map(({ id }) => id)),
    isError: false,
  };
  return ok(asked);
}

function questionOf({ id, url, label }: ConsentNeeded): Members {
  const message = `${label} needs your authorization. Open the link, allow it there, and come back.`;
  return { mode: 'url', elicitationId: id, url, message };
}

/** As members of a tool result, for clients and models that look in either place; `null`: it is about something else. */
export function consentMembers(
  refusal: Refusal,
): { readonly structuredContent: Members; readonly meta: Members } | null {
  const [first, ...others] = consentsIn(refusal);
  if (first === undefined) return null;
  const all = others.length === 0 ? {} : { authorization_urls: [first, ...others].map(({ url }) => url) };
  return {
    structuredContent: { ...refusal.details },
    meta: { authorization_url: first.url, ...all },
  };
}
