import type { OAuth2RequestSettings } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import { readerOf } from './expressions.ts';
import { broken, type Told } from './problems.ts';
import { type Answered, errorIn } from './request.ts';

/** What an answer of a token endpoint gives. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly expiresAtMs: number | null;
  readonly scopes: readonly string[] | null;
  /** All of it, as it came. */
  readonly body: object;
}

/** A header has to carry it. */
const maxTokenLength = 16 * 1024;
const longestLifeMs = 10 * 365 * 24 * 3600 * 1000;

export function tokenAnswerOf(
  told: Told,
  settings: OAuth2RequestSettings,
  answered: Answered,
  nowMs: number,
): Result<TokenAnswer, Problem> {
  const { label } = told.provider;
  const fail = (words: string) => err(broken(told, words));
  const problem = errorIn(told, answered);
  if (problem !== null) return err(problem);
  const { body } = answered;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return fail(`${label} answered with something that is no token answer`);
  }
  const members = membersOf(body, settings.response_map);
  const { access_token: accessToken, refresh_token: refreshToken, token_type: type } = members;
  if (typeof accessToken !== 'string' || accessToken === '') return fail(`${label} answered without a token`);
  if (type !== undefined && type !== null && type !== '' && String(type).toLowerCase() !== 'bearer') {
    return fail(`${label} gives tokens of another type than bearer`);
  }
  for (const token of [accessToken, refreshToken]) {
    if (typeof token !== 'string') continue;
    if (token.length > maxTokenLength) return fail(`${label} gave a token that is too long`);
    if (!isHeaderSafe(token)) return fail(`${label} gave a token that a header cannot carry`);
  }
  const isAbsolute = settings.expiration_format === 'absolute_unix_timestamp';
  return ok({
    accessToken,
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : null,
    expiresAtMs: expiryOf(members.expires_in, isAbsolute, nowMs),
    scopes: scopesIn(members.scope),
    body,
  });
}

export function isHeaderSafe(token: string): boolean {
  return /^[\x21-\x7e]*$/.test(token) && token.length <= maxTokenLength;
}

/**
 * The members of an answer where a map says they are; those it does not name are where they usually are, unless the token itself is
 * somewhere else: then they may belong to another one.
 */
export function membersOf(body: object, map: Readonly<Record<string, string>> = {}): Record<string, unknown> {
  const isElsewhere = map.access_token !== undefined && map.access_token.trim() !== '$.access_token';
  const members: Record<string, unknown> = isElsewhere ? {} : { ...body };
  for (const [name, expression] of Object.entries(map)) {
    const reader = readerOf(expression);
    members[name] = reader.ok ? reader.value(body) : undefined;
  }
  return members;
}

/** From a number, digits or a date (ISO 8601). `null`: it has none, as far as it says; what is no sensible time says nothing. */
export function expiryOf(value: unknown, isAbsolute: boolean, nowMs: number): number | null {
  const atMs = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : null;
  const isDigits = typeof value === 'string' && /^\d{1,15}(?:\.\d{1,9})?$/.test(value);
  const seconds = isDigits ? Number(value) : value;
  if (atMs === null && (typeof seconds !== 'number' || !(seconds > 0))) return null;
  const endsAtMs = atMs ?? (seconds as number) * 1000 + (isAbsolute ? 0 : nowMs);
  return Number.isNaN(endsAtMs) ? null : Math.min(Math.floor(endsAtMs), nowMs + longestLifeMs);
}

const maxScopes = 500;

/** By either delimiter; `null`: it says nothing of scopes. */
export function scopesIn(value: unknown): readonly string[] | null {
  const all = (Array.isArray(value) ? value : [value]).flatMap((one) =>
    typeof one === 'string' ? one.split(/[\s,]+/) : [],
  );
  const scopes = [...new Set(all)].filter((scope) => /^[\x21-\x7e]{1,500}$/.test(scope));
  return scopes.length === 0 ? null : scopes.slice(0, maxScopes);
}
