import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a user allowed. */
export interface Grant {
  readonly user: string;
  readonly scopes: readonly string[];
}

type TokenAnswer =
  | { readonly error: string }
  | { readonly access_token: string; readonly [more: string]: unknown };

/** The authorization server: one client, codes with PKCE, refresh tokens where `access_type=offline` asks for them. */
export interface Accounts {
  /** What is wrong with a request to authorize; `null`: nothing. */
  problemOf(asked: URLSearchParams): string | null;
  /** Where the browser goes back to once the user chose; `null`: nowhere. */
  consent(form: URLSearchParams): string | null;
  token(form: URLSearchParams, authorization: string | undefined): TokenAnswer;
  grantOf(accessToken: string): Grant | null;
  /** Takes back everything that this token's grant gave. */
  revoke(token: string): void;
}

interface AccountsDeps {
  clientId: string;
  clientSecret: string;
  lifeS: number;
  nowMs: () => number;
}

interface Code {
  readonly grant: Grant;
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly isOffline: boolean;
}

export function createAccounts({ clientId, clientSecret, lifeS, nowMs }: AccountsDeps): Accounts {
  const codes = new Map<string, Code>();
  const access = new Map<string, { readonly grant: Grant; readonly endsAtMs: number }>();
  const refresh = new Map<string, Grant>();
  const fresh = (kind: string) => `${kind}.${randomBytes(24).toString('base64url')}`;

  const problemOf: Accounts['problemOf'] = (asked) => {
    if (asked.get('client_id') !== clientId) return 'There is no such client.';
    if (asked.get('response_type') !== 'code') return 'Only response_type=code is known here.';
    // Google compares with the addresses that were registered; all of loopback is registered here.
    if (!/^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\//.test(asked.get('redirect_uri') ?? ''))
      return 'redirect_uri_mismatch: the gateway must be on loopback.';
    return null;
  };

  function access_token(grant: Grant): { access_token: string; [more: string]: unknown } {
    const token = fresh('at');
    access.set(token, { grant, endsAtMs: nowMs() + lifeS * 1000 });
    return { access_token: token, token_type: 'Bearer', expires_in: lifeS, scope: grant.scopes.join(' ') };
  }

  function redeem(form: URLSearchParams): TokenAnswer {
    const name = form.get('code') ?? '';
    const code = codes.get(name);
    codes.delete(name);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (code === undefined || code.redirectUri !== form.get('redirect_uri'))
      return { error: 'invalid_grant' };
    if (code.challenge !== null && code.challenge !== verifier) return { error: 'invalid_grant' };
    const given = access_token(code.grant);
    if (!code.isOffline) return given;
    const refreshToken = fresh('rt');
    refresh.set(refreshToken, code.grant);
    return { ...given, refresh_token: refreshToken };
  }

  return {
    problemOf,
    consent(form) {
      if (problemOf(form) !== null) return null;
      const redirectUri = form.get('redirect_uri') ?? '';
      const back = new URL(redirectUri);
      back.searchParams.set('state', form.get('state') ?? '');
      const user = form.get('account') ?? '';
      if (user === '') {
        back.searchParams.set('error', 'access_denied');
        return back.href;
      }
      const code = fresh('code');
      const grant = { user, scopes: (form.get('scope') ?? '').split(' ') };
      const isOffline = form.get('access_type') === 'offline';
      codes.set(code, { grant, redirectUri, challenge: form.get('code_challenge'), isOffline });
      back.searchParams.set('code', code);
      return back.href;
    },
    token(form, authorization) {
      const [id, secret] = clientOf(form, authorization);
      if (id !== clientId || !isSame(secret, clientSecret)) return { error: 'invalid_client' };
      if (form.get('grant_type') === 'authorization_code') return redeem(form);
      const grant = refresh.get(form.get('refresh_token') ?? '');
      return grant === undefined ? { error: 'invalid_grant' } : access_token(grant);
    },
    grantOf(accessToken) {
      const held = access.get(accessToken);
      return held !== undefined && held.endsAtMs > nowMs() ? held.grant : null;
    },
    revoke(token) {
      const grant = access.get(token)?.grant ?? refresh.get(token);
      for (const [one, held] of access) if (held.grant === grant) access.delete(one);
      for (const [one, held] of refresh) if (held === grant) refresh.delete(one);
    },
  };
}

function clientOf(form: URLSearchParams, authorization: string | undefined): readonly [string, string] {
  const basic = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
  if (basic === undefined) return [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
