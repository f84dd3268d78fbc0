import { OAuthError, OAuthErrorCode, RegistrationRejectedError } from '@modelcontextprotocol/client';
import { FetchFailed } from '#egress';
import type { UpstreamProblem } from './contract.ts';

/** What an error code of OAuth means, and what mends it. */
const advice: Readonly<Record<string, UpstreamProblem>> = {
  access_denied: { kind: 'consent', words: 'you, or a rule over there, did not allow it' },
  invalid_grant: { kind: 'consent', words: 'what you allowed does not hold any more' },
  invalid_client: {
    kind: 'client',
    words:
      'the authorization server does not accept the client id or secret; whoever runs this server checks oauth2 of the source',
  },
  unauthorized_client: {
    kind: 'client',
    words:
      'the client is not allowed to do this; whoever runs this server checks how it is registered over there',
  },
  invalid_scope: {
    kind: 'broken',
    words: 'the authorization server does not know, or does not give, a scope that the source wants',
  },
  invalid_target: { kind: 'broken', words: 'the authorization server gives no tokens for this source' },
  redirect_uri_mismatch: {
    kind: 'broken',
    words:
      'the address to come back to is not registered for the client; register the redirect URI of the source over there',
  },
  invalid_request: { kind: 'broken', words: 'the authorization server calls the request invalid' },
  unsupported_grant_type: {
    kind: 'broken',
    words: 'the authorization server does not do this kind of authorization',
  },
  unsupported_response_type: {
    kind: 'broken',
    words: 'the authorization server does not do this kind of authorization',
  },
  server_error: { kind: 'passing', words: 'the authorization server failed; try again later' },
  temporarily_unavailable: { kind: 'passing', words: 'the authorization server is busy; try again later' },
  too_many_requests: { kind: 'passing', words: 'the authorization server is busy; try again later' },
};

/** The code of an error as it may be repeated: none of the other side's own words. */
export function problemOfCode(code: string): UpstreamProblem {
  const known = Object.hasOwn(advice, code) ? advice[code] : undefined;
  const shown = /^[a-z_]{1,40}$/.test(code) ? ` (${code})` : '';
  const { kind, words } = known ?? { kind: 'broken', words: 'the authorization server refused' };
  return { kind, words: words + shown };
}

/** What was thrown on the way, without a word of the other side: it may repeat what it was sent. */
export function problemOf(thrown: unknown, doing: string): UpstreamProblem {
  if (thrown instanceof OAuthError) {
    return thrown.code === OAuthErrorCode.ServerError ? unclear(doing) : problemOfCode(thrown.code);
  }
  if (thrown instanceof RegistrationRejectedError) {
    const words = `the authorization server did not register us (HTTP ${thrown.status}); give the source a client_id that is registered over there`;
    return { kind: 'broken', words };
  }
  if (thrown instanceof FetchFailed) {
    const { kind, message } = thrown.failure;
    const passes = ['timeout', 'unreachable', 'interrupted', 'aborted', 'address_unresolved'].includes(kind);
    return { kind: passes ? 'passing' : 'broken', words: `${doing}: ${message}` };
  }
  return unclear(doing);
}

function unclear(doing: string): UpstreamProblem {
  return { kind: 'passing', words: `${doing}: it answered in a way that makes no sense` };
}
