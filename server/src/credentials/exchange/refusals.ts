import { type ConsentNeeded, consentRequired, type Refusal, refusal } from '#domain';
import type { Problem } from '../authority.ts';
import type { NoSubject } from './contract.ts';

/** For whom, and of what, there is no token. */
export interface About {
  /** What it is for, as users know it. */
  readonly label: string;
  readonly id: string;
  /** What names the caller's sign-in. */
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Our own origin. */
  readonly issuer: string;
}

/** Codes that mean that the user's own sign-in does not suffice any more. */
const ofSignIn = ['invalid_grant', 'interaction_required', 'login_required', 'consent_required'];

/** Entra says `invalid_grant` of these, too, and no sign-in mends them. */
const ofDirectory = /\bAADSTS(?:65001|50013|500131)\b/;

/** What an authorization server says of a user's token. */
export function refusalOfProblem(
  { label, id, ...about }: About,
  { kind, code, words, advice }: Problem,
  source: NoSubject['source'],
): Refusal {
  if (kind === 'passing') return unavailable(label, words);
  const isOfUser = code !== null && ofSignIn.includes(code) && !ofDirectory.test(words);
  if (isOfUser && source !== null) return signInAgain({ label, id, ...about }, source);
  return notConfigured(label, words, adviceOn(code, words, id) ?? advice);
}

export function refusalOfSubject(about: About, { kind, words, source }: NoSubject): Refusal {
  if (kind === 'passing') return unavailable(about.label, words);
  if (kind === 'sign_in' && source !== null) return signInAgain(about, source);
  return notConfigured(about.label, words, '');
}

/** By an API key, which vouches for a user here and nowhere else. */
export function noSubject({ label }: Pick<About, 'label'>): Refusal {
  return notConfigured(
    label,
    "its tokens are got for the user's own sign-in, and this call came by none",
    'Call through a gateway at which users sign in, or which demands a signed user_assertion.',
  );
}

function signInAgain(about: About, source: NonNullable<NoSubject['source']>): Refusal {
  const { label, id, subject, scopes, issuer } = about;
  const path = [source.projectId, source.id].map(encodeURIComponent).join('/');
  const needed: ConsentNeeded = {
    id: subject,
    url: `${issuer}/oauth2/sign_in/${path}`,
    providerId: id,
    label,
    scopes,
  };
  return consentRequired([needed]);
}

function unavailable(label: string, words: string): Refusal {
  return refusal('credentials.provider_unavailable', `no token for ${label} can be had now: ${words}`);
}

function notConfigured(label: string, words: string, advice: string): Refusal {
  const message = `no token for ${label} can be had: ${words}${advice === '' ? '' : `. ${advice}`}`;
  return refusal('credentials.not_configured', message);
}

/** Where it means something else than for a code. */
function adviceOn(code: string | null, words: string, id: string): string | null {
  if (/\bAADSTS65001\b/.test(words))
    return 'Whoever administers the directory consents to the API for our app over there.';
  if (ofDirectory.test(words))
    return 'Whoever runs this server lets the user source ask for a scope of our own app: the token is for another one.';
  if (code === 'access_denied')
    return 'Whoever administers the authorization server allows our client, and the user, this exchange.';
  if (code === 'invalid_target')
    return `Whoever runs this server compares audience and resource of the auth provider ${id} with what is registered over there.`;
  return null;
}
