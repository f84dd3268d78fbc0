import type { EgressFailure } from '#egress';
import type { Problem } from '../authority.ts';
import type { AuthProvider } from '../providers/contract.ts';

/** What was tried. */
export type Doing =
  | 'authorize'
  | 'exchange'
  | 'refresh'
  | 'token_exchange'
  | 'user_info'
  | 'introspect'
  | 'revoke'
  | 'check';

export interface Told {
  readonly provider: AuthProvider;
  readonly redirectUri: string;
  readonly doing: Doing;
}

interface Meaning {
  readonly kind: Problem['kind'];
  readonly words: (told: Told) => string;
  readonly advice: (told: Told) => string;
}

const checkClient = ({ provider }: Told) =>
  `Whoever runs this server checks client_id and client_secret of the auth provider ${provider.id}.`;
const tryAgain = () => 'Try again later.';
const startAgain = () => 'Start again.';

const meanings: Readonly<Record<string, Meaning>> = {
  access_denied: {
    kind: 'consent',
    words: ({ provider }) => `you, or a rule at ${provider.label}, did not allow it`,
    advice: () => 'Start again and allow it; if you did, ask who administers your account there.',
  },
  invalid_grant: {
    kind: 'consent',
    words: ({ provider, doing }) => {
      if (doing === 'refresh') return `what you allowed at ${provider.label} does not hold any more`;
      if (doing === 'token_exchange') return `${provider.label} does not take the user's own sign-in`;
      return `${provider.label} does not take the code that you came back with`;
    },
    advice: startAgain,
  },
  consent_required: {
    kind: 'consent',
    words: ({ provider }) => `${provider.label} wants you to sign in and consent again`,
    advice: startAgain,
  },
  invalid_client: {
    kind: 'client',
    words: ({ provider }) => `${provider.label} does not accept our client id or secret`,
    advice: checkClient,
  },
  unauthorized_client: {
    kind: 'client',
    words: ({ provider }) => `our app is not allowed to do this at ${provider.label}`,
    advice: () => 'Whoever runs this server checks how the app is registered over there.',
  },
  redirect_uri_mismatch: {
    kind: 'client',
    words: ({ provider }) =>
      `the address at which you come back is not registered for our app at ${provider.label}`,
    advice: ({ redirectUri }) => `Whoever runs this server registers ${redirectUri} over there, exactly so.`,
  },
  invalid_scope: {
    kind: 'broken',
    words: ({ provider }) => `${provider.label} does not know, or does not give, a scope that is asked for`,
    advice: () =>
      'Whoever runs this server enables the scope for the app over there, or mends what the tool asks for.',
  },
  invalid_target: {
    kind: 'broken',
    words: ({ provider }) => `${provider.label} does not take the resource that is asked for`,
    advice: ({ provider }) => `Whoever runs this server takes resource out of the params of ${provider.id}.`,
  },
  invalid_request: {
    kind: 'broken',
    words: ({ provider }) => `${provider.label} calls our request invalid`,
    advice: ({ provider }) =>
      `Whoever runs this server compares the settings of the auth provider ${provider.id} with what is documented over there.`,
  },
  unsupported: {
    kind: 'broken',
    words: ({ provider }) => `${provider.label} does not do this kind of authorization for our app`,
    advice: () => 'Whoever runs this server checks the kind of the app over there.',
  },
  passing: {
    kind: 'passing',
    words: ({ provider }) => `${provider.label} failed, or is busy`,
    advice: tryAgain,
  },
};

/** Codes that mean the same, by the words of single providers. */
const sames: Readonly<Record<string, readonly string[]>> = {
  access_denied: ['user_denied', 'user_cancelled_login', 'user_cancelled_authorize', 'consent_declined'],
  invalid_grant: [
    'bad_verification_code',
    'invalid_code',
    'code_already_used',
    'bad_auth_code',
    'bad_refresh_token',
    'invalid_refresh_token',
    'invalid_auth_code',
    'expired_token',
    'token_expired',
    'token_revoked',
    'account_inactive',
    'invalid_token',
    'invalid_auth',
    'not_authed',
  ],
  consent_required: ['login_required', 'interaction_required', 'account_selection_required'],
  invalid_client: [
    'incorrect_client_credentials',
    'bad_client_secret',
    'invalid_client_id',
    'invalid_client_secret',
    'bad_client_id',
    'invalid_app_id',
  ],
  unauthorized_client: ['application_suspended', 'app_not_approved', 'org_internal', 'admin_policy_enforced'],
  redirect_uri_mismatch: [
    'bad_redirect_uri',
    'invalid_redirect_uri',
    'redirect_uri_not_allowed',
    'mismatching_redirect_uri',
  ],
  invalid_scope: ['insufficient_scope', 'missing_scope', 'scope_not_allowed', 'unauthorized_scope_error'],
  invalid_target: ['invalid_resource'],
  unsupported: ['unsupported_grant_type', 'unsupported_response_type', 'invalid_grant_type'],
  passing: [
    'server_error',
    'temporarily_unavailable',
    'too_many_requests',
    'rate_limited',
    'ratelimited',
    'slow_down',
    'internal_error',
    'fatal_error',
    'service_unavailable',
  ],
};
const meantBy = new Map(
  Object.entries(sames).flatMap(([code, others]) => others.map((other) => [other, code] as const)),
);

/** Whether it is known what this code means. */
export function isKnownCode(code: string): boolean {
  const lower = code.toLowerCase();
  return meantBy.has(lower) || Object.hasOwn(meanings, lower);
}

/** A code as it may be repeated. */
export function codeIn(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(value) ? value : null;
}

/** A finer code in a description: Microsoft Entra has one for each of its errors, and it says more than the other. */
export function detailIn(description: unknown): string | null {
  return /\bAADSTS\d{4,9}\b/.exec(typeof description === 'string' ? description : '')?.[0] ?? null;
}

/** What an error code means here. `detail`: a finer code of the provider's own. */
export function problemOfCode(told: Told, code: string | null, detail: string | null = null): Problem {
  const lower = code?.toLowerCase() ?? '';
  const name = meantBy.get(lower) ?? lower;
  const known = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
  const shown = [code, detail].filter((one) => one !== null);
  const suffix = shown.length === 0 ? '' : ` (${shown.join(', ')})`;
  return {
    kind: known?.kind ?? 'broken',
    code,
    words: (known?.words(told) ?? `${told.provider.label} refused`) + suffix,
    advice: adviceOf(told, [name, ...shown]) ?? known?.advice(told) ?? '',
  };
}

function adviceOf({ provider }: Told, codes: readonly string[]): string | null {
  const advice = provider.known?.advice ?? {};
  const code = codes.toReversed().find((one) => Object.hasOwn(advice, one));
  return code === undefined ? null : (advice[code] ?? null);
}

/** What a status means that came without a code. */
export function problemOfStatus(told: Told, status: number, isReadable: boolean): Problem {
  const { provider, doing } = told;
  const shown = ` (HTTP ${status})`;
  if (isPassing(status)) return { ...problemOfCode(told, null), ...meaningOf('passing', told, shown) };
  if (doing === 'check' && (status === 401 || status === 403)) return notTaken(told, shown);
  if (doing === 'refresh' && isReadable && (status === 400 || status === 401)) {
    return { code: null, ...meaningOf('invalid_grant', told, shown) };
  }
  if (status === 401) return { code: null, ...meaningOf('invalid_client', told, shown) };
  if (status === 404 || status === 405 || status === 410) {
    return broken(told, `there is nothing for us at the address of ${provider.label} that is set up${shown}`);
  }
  return broken(told, `${provider.label} refused${shown}`);
}

function meaningOf(name: string, told: Told, shown: string): Omit<Problem, 'code'> {
  const { kind, words, advice } = meanings[name] as Meaning;
  return { kind, words: words(told) + shown, advice: advice(told) };
}

export function notTaken({ provider }: Told, shown = ''): Problem {
  return {
    kind: 'consent',
    code: null,
    words: `${provider.label} does not accept what you entered${shown}`,
    advice: 'Look whether it is complete and still holds, and enter it again.',
  };
}

/** It answers in a way that helps nobody: `words` say how. */
export function broken({ provider }: Told, words: string): Problem {
  const advice = `Whoever runs this server compares the settings of the auth provider ${provider.id} with what is documented over there.`;
  return { kind: 'broken', code: null, words, advice };
}

export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

const passing: readonly EgressFailure['kind'][] = [
  'timeout',
  'unreachable',
  'interrupted',
  'aborted',
  'stopped',
  'address_unresolved',
];

/** Nothing came back. */
export function problemOfFailure(told: Told, { kind, message }: EgressFailure): Problem {
  const { label } = told.provider;
  if (kind === 'too_large')
    return broken(told, `${label} answered with more than an answer of its kind can be`);
  if (kind === 'address_refused') {
    const advice =
      'Whoever runs this server lets outgoing requests reach the address (egress.allow), or mends the endpoint.';
    return {
      kind: 'broken',
      code: null,
      words: `${label} cannot be asked: its address is not allowed`,
      advice,
    };
  }
  if (!passing.includes(kind)) return broken(told, `${label} cannot be asked: ${message}`);
  const words = kind === 'timeout' ? `${label} did not answer in time` : `${label} cannot be reached`;
  return { kind: 'passing', code: null, words, advice: 'Try again later.' };
}
