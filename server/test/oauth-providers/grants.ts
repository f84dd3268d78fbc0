import { createHash, randomBytes } from 'node:crypto';

export interface User {
  readonly login: string;
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** What a user allowed. */
export interface Grant {
  readonly user: User;
  readonly scopes: readonly string[];
  /** Parameters of the authorization request. */
  readonly asked: URLSearchParams;
  /** Ended by the user, by revocation, or because its code came twice. */
  ended: boolean;
}

export interface Given {
  readonly grant: Grant;
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly lifeS: number | null;
}

export interface GrantRules {
  /** What access tokens and refresh tokens begin with. */
  readonly prefixes: readonly [access: string, refresh: string];
  readonly rotates: boolean;
  readonly refreshes: (asked: URLSearchParams) => boolean;
}

/** Codes and tokens of one provider, with what they are worth. */
export interface Grants {
  /** Every access, refresh and ID token that was ever given, and every code. */
  readonly given: string[];
  readonly codes: string[];
  /** Seconds; `null`: for ever. */
  lifeS: number | null;
  /** How long a used refresh token is taken once more, where they rotate. */
  graceMs: number;
  newCode(user: User, scopes: readonly string[], asked: URLSearchParams): string;
  takeCode(form: URLSearchParams): Given | string;
  takeRefresh(form: URLSearchParams): Given | string;
  /** `null`: no such token, ended or expired. */
  grantOf(accessToken: string): (Grant & { readonly endsAtMs: number | null }) | null;
  /** What this user allowed and tokens were given for, and has not ended. */
  liveGrants(login: string): readonly Grant[];
  /** RFC 7009: the whole grant of either token. */
  revoke(token: string): void;
  revokeAll(): void;
  /** Access tokens end now; refresh tokens hold. */
  expireAll(): void;
}

export function createGrants(rules: GrantRules, now: () => number): Grants {
  const codes = new Map<string, { readonly grant: Grant; isUsed: boolean }>();
  const access = new Map<string, { readonly grant: Grant; endsAtMs: number | null }>();
  const refresh = new Map<string, { readonly grant: Grant; usedAtMs: number | null }>();
  const all: Grant[] = [];

  function give(grant: Grant, refreshed: string | null): Given {
    const [accessPrefix, refreshPrefix] = rules.prefixes;
    const accessToken = accessPrefix + random();
    const { lifeS } = grants;
    access.set(accessToken, { grant, endsAtMs: lifeS === null ? null : now() + lifeS * 1000 });
    grants.given.push(accessToken);
    const isNew = refreshed === null ? rules.refreshes(grant.asked) : rules.rotates;
    if (!isNew) return { grant, accessToken, refreshToken: null, lifeS };
    const refreshToken = refreshPrefix + random();
    refresh.set(refreshToken, { grant, usedAtMs: null });
    grants.given.push(refreshToken);
    return { grant, accessToken, refreshToken, lifeS };
  }

  const grants: Grants = {
    given: [],
    codes: [],
    lifeS: 3600,
    graceMs: 0,
    newCode(user, scopes, asked) {
      const code = random();
      const grant = { user, scopes, asked, ended: false };
      all.push(grant);
      codes.set(code, { grant, isUsed: false });
      grants.codes.push(code);
      return code;
    },
    takeCode(form) {
      const known = codes.get(form.get('code') ?? '');
      if (known === undefined) return 'the code is none of ours';
      if (known.isUsed) {
        known.grant.ended = true;
        return 'the code was used before';
      }
      known.isUsed = true;
      const { asked } = known.grant;
      if (asked.get('redirect_uri') !== form.get('redirect_uri')) return 'the redirect_uri is another one';
      const challenge = asked.get('code_challenge');
      const verifier = form.get('code_verifier');
      if (challenge !== (verifier === null ? null : s256(verifier))) return 'the code_verifier is wrong';
      return give(known.grant, null);
    },
    takeRefresh(form) {
      const token = form.get('refresh_token') ?? '';
      const known = refresh.get(token);
      if (known === undefined || known.grant.ended) return 'the refresh token holds no more';
      if (rules.rotates) {
        if (known.usedAtMs !== null && now() - known.usedAtMs >= grants.graceMs) return 'it was used before';
        known.usedAtMs ??= now();
      }
      return give(known.grant, token);
    },
    grantOf(accessToken) {
      const known = access.get(accessToken);
      if (known === undefined || known.grant.ended) return null;
      const { grant, endsAtMs } = known;
      return endsAtMs !== null && endsAtMs <= now() ? null : { ...grant, endsAtMs };
    },
    liveGrants: (login) =>
      [...new Set([...access.values()].map(({ grant }) => grant))].filter(
        ({ user, ended }) => user.login === login && !ended,
      ),
    revoke(token) {
      const known = access.get(token) ?? refresh.get(token);
      if (known !== undefined) known.grant.ended = true;
    },
    revokeAll() {
      for (const grant of all) grant.ended = true;
    },
    expireAll() {
      for (const one of access.values()) one.endsAtMs = now();
    },
  };
  return grants;
}

const random = () => randomBytes(24).toString('base64url');
const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
