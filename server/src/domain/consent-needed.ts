import { type Refusal, refusal } from './refusal.ts';

/** A consent that a call waits for. */
export interface ConsentNeeded {
  /** `ac_…` */
  readonly id: string;
  /** A page of ours. */
  readonly url: string;
  /** An `auth_provider`, or an MCP server that has an authorization server of its own. */
  readonly providerId: string;
  /** What users know it by: `GitHub`. */
  readonly label: string;
  readonly scopes: readonly string[];
}

/** As one consent stands in every form of the answer. */
interface Written {
  readonly authorization_url: string;
  readonly authorization_id: string;
  readonly provider_id: string;
  readonly provider_name: string;
  readonly scopes: readonly string[];
}

/**
 * The refusal that names every consent that is missing. The first stands at the top of `details`, where clients that know of one
 * look; all are in `authorizations`.
 */
export function consentRequired(needed: readonly [ConsentNeeded, ...ConsentNeeded[]]): Refusal {
  const [first] = needed;
  const labels = inWords(needed.map(({ label }) => label));
  const urls = needed.map(({ url }) => url);
  const verb = needed.length === 1 ? 'needs' : 'need';
  const open =
    needed.length === 1 ? `Open ${first.url} in a browser` : `Open ${urls.join(' and ')} in a browser`;
  const these =
    needed.length === 1
      ? `this link and ask them to open it: ${first.url}`
      : `these links and ask them to open each: ${urls.join(' , ')}`;
  const written = needed.map(writtenOf);
  return refusal(
    'credentials.consent_required',
    `${labels} ${verb} the user's authorization. ${open}, allow it there, and make the same call again.`,
    {
      // The address is worth something to whoever reads the record.
      reason: `the user has to authorize ${needed.map(({ providerId, id }) => `${providerId} (${id})`).join(', ')} first`,
      details: {
        ...writtenOf(first),
        llm_instructions: `Show the user ${these} . Once they say that they are done, make the same call again.`,
        authorizations: written,
      },
    },
  );
}

function writtenOf({ id, url, providerId, label, scopes }: ConsentNeeded): Written {
  return {
    authorization_url: url,
    authorization_id: id,
    provider_id: providerId,
    provider_name: label,
    scopes,
  };
}

/** The consents that a refusal names; none where it is about something else. */
export function consentsIn({ code, details }: Refusal): readonly ConsentNeeded[] {
  if (code !== 'credentials.consent_required' || details === undefined) return [];
  const { authorizations } = details;
  const all = Array.isArray(authorizations) ? authorizations : [details];
  return all.filter(isWritten).map((one) => ({
    id: one.authorization_id,
    url: one.authorization_url,
    providerId: String(one.provider_id),
    label: String(one.provider_name ?? one.provider_id),
    scopes: one.scopes,
  }));
}

function isWritten(one: {
  readonly [member: string]: unknown;
}): one is { readonly [member: string]: unknown } & Written {
  return typeof one.authorization_url === 'string' && typeof one.authorization_id === 'string';
}

function inWords(labels: readonly string[]): string {
  const all = [...new Set(labels)];
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
