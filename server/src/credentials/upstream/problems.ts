import { OAuthError, OAuthErrorCode, RegistrationRejectedError } from '@modelcontextprotocol/client';
import { FetchFailed } from '#egress';
import type { Problem } from '../authority.ts';

type Known = Omit<Problem, 'code'>;

const operator = 'Whoever runs this server';
const elsewhere: Known = {
  kind: 'broken',
  words: 'the authorization server does not do this kind of authorization',
  advice: '',
};
const busy: Known = {
  kind: 'passing',
  words: 'the authorization server is busy; try again later',
  advice: '',
};

/** What an error code of OAuth means, and what mends it. */
const meanings: Readonly<Record<string, Known>> = {
  access_denied: {
    kind: 'consent',
    words: 'you, or a rule over there, did not allow it',
    advice: 'Let your agent try again if you want to allow it.',
  },
  invalid_grant: {
    kind: 'consent',
    words: 'what you allowed does not hold any more',
    advice: 'Let your agent try again; it gets a new link.',
  },
  invalid_client: {
    kind: 'client',
    words: 'the authorization server does not accept the client id or secret',
    advice: `${operator} checks oauth2 of the source.`,
  },
  unauthorized_client: {
    kind: 'client',
    words: 'the client is not allowed to do this',
    advice: `${operator} checks how it is registered over there.`,
  },
  invalid_scope: {
    kind: 'broken',
    words: 'the authorization server does not know, or does not give, a scope that the source wants',
    advice: '',
  },
  invalid_target: {
    kind: 'broken',
    words: 'the authorization server gives no tokens for this source',
    advice: '',
  },
  redirect_uri_mismatch: {
    kind: 'broken',
    words: 'the address to come back to is not registered for the client',
    advice: `${operator} registers the redirect URI of the source over there.`,
  },
  invalid_request: {
    kind: 'broken',
    words: 'the authorization server calls the request invalid',
    advice: '',
  },
  unsupported_grant_type: elsewhere,
  unsupported_response_type: elsewhere,
  server_error: {
    kind: 'passing',
    words: 'the authorization server failed; try again later',
    advice: '',
  },
  temporarily_unavailable: busy,
  too_many_requests: busy,
};

/** The code of an error as it may be repeated: none of the other side's own words. */
export function problemOfCode(given: string): Problem {
  const known = Object.hasOwn(meanings, given) ? meanings[given] : undefined;
  const code = /^[a-z_]{1,40}$/.test(given) ? given : null;
  const {
    kind,
    words,
    advice = '',
  } = known ?? { kind: 'broken' as const, words: 'the authorization server refused' };
  return { kind, code, words: code === null ? words : `${words} (${code})`, advice };
}

/** What was thrown on the way, without a word of the other side: it may repeat what it was sent. */
export function problemOf(thrown: unknown, doing: string): Problem {
  if (thrown instanceof OAuthError) {
    return thrown.code === OAuthErrorCode.ServerError ? unclear(doing) : problemOfCode(thrown.code);
  }
  if (thrown instanceof RegistrationRejectedError) {
    const words = `the authorization server did not register us (HTTP ${thrown.status})`;
    return brokenBy(
      words,
      `${operator} gives the source a client_id that is registered over there (oauth2).`,
    );
  }
  if (thrown instanceof FetchFailed) {
    const { kind, message } = thrown.failure;
    const passes = ['timeout', 'unreachable', 'interrupted', 'aborted', 'address_unresolved'].includes(kind);
    return { kind: passes ? 'passing' : 'broken', code: null, words: `${doing}: ${message}`, advice: '' };
  }
  return unclear(doing);
}

export function brokenBy(words: string, advice = ''): Problem {
  return { kind: 'broken', code: null, words, advice };
}

function unclear(doing: string): Problem {
  const words = `${doing}: it answered in a way that makes no sense`;
  return { kind: 'passing', code: null, words, advice: '' };
}
