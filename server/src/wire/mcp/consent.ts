import { type ClientSide, type Refusal, stateOfConsent } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Refused } from './front.ts';
import type { Answer, InputRequired } from './methods.ts';

/** How a client is told that its user must consent first, at an address of ours. */

const urlElicitationRequired = -32042;

interface Consent {
  readonly url: string;
  readonly id: string;
  readonly message: string;
  /** As they stand in every form of the answer. */
  readonly details: Members;
}

/** `null`: the refusal is about something else. */
function consentIn({ code, message, details }: Refusal): Consent | null {
  if (code !== 'credentials.consent_required' || details === undefined) return null;
  const { authorization_url: url, authorization_id: id } = details;
  return typeof url === 'string' && typeof id === 'string' ? { url, id, message, details } : null;
}

/**
 * As a question, where the client declared that it opens links: of today's generation it is asked by the answer, of the other by the
 * error that asks it to call again. `null`: it has to be told in another way.
 */
export function askToConsent(refused: Refused, client: ClientSide): Result<Answer, Refused> | null {
  const consent = consentIn(refused.refusal);
  const { elicitation } = client.capabilities;
  if (consent === null || !isMembers(elicitation) || !isMembers(elicitation.url)) return null;
  const { url, id } = consent;
  const provider = String(consent.details.provider_id);
  const message = `${provider} needs your authorization. Open the link, allow it there, and come back.`;
  const params = { mode: 'url', elicitationId: id, url, message };
  if (client.ask !== null) {
    const data = { ...consent.details, elicitations: [params] };
    return err({ ...refused, relayed: { code: urlElicitationRequired, message: consent.message, data } });
  }
  const requests = { authorization: { method: 'elicitation/create', params } } as const;
  const asked: InputRequired = {
    form: 'input_required',
    requests,
    state: stateOfConsent(id),
    isError: false,
  };
  return ok(asked);
}

/** As members of a tool result, for clients and models that look in either place; `null`: it is about something else. */
export function consentMembers(
  refusal: Refusal,
): { readonly structuredContent: Members; readonly meta: Members } | null {
  const consent = consentIn(refusal);
  if (consent === null) return null;
  return { structuredContent: consent.details, meta: { authorization_url: consent.url } };
}
