import type { OAuth2Settings, TriggeredRequestSettings } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { Granted, Problem } from '../authority.ts';
import { claimsOf, readerOf } from './expressions.ts';
import type { Told } from './problems.ts';
import { errorIn, type Send } from './request.ts';
import type { Values } from './template.ts';
import { membersOf } from './token-answer.ts';

export type AboutUser = Pick<Granted, 'userInfo' | 'subject' | 'name'>;
type Account = NonNullable<OAuth2Settings['account']>;

const usualSubjects = ['sub', 'id', 'user_id'];
const usualNames = ['email', 'preferred_username', 'mail', 'userPrincipalName', 'login', 'username', 'name'];
export const nobody: AboutUser = { userInfo: null, subject: null, name: null };
const maxInfoLength = 32 * 1024;

interface Question {
  readonly request: TriggeredRequestSettings;
  readonly account: Account | undefined;
  readonly values: Values;
  readonly tokenBody: object;
}

/**
 * What the provider says of the user. Where it cannot be asked now, that is a problem: without knowing who it is, one account could
 * be taken for another. Where it does not say, nothing is known but what came with the token.
 */
export async function askAboutUser(
  send: Send,
  told: Told,
  { request, account, values, tokenBody }: Question,
): Promise<Result<AboutUser, Problem>> {
  const answered = await send({
    told: { ...told, doing: 'user_info' },
    settings: request,
    method: request.method ?? 'GET',
    authMethod: 'bearer_access_token',
    values,
  });
  if (!answered.ok) return answered.error.kind === 'passing' ? answered : ok(ofToken(tokenBody));
  const problem = errorIn(told, answered.value);
  if (problem !== null) return problem.kind === 'passing' ? err(problem) : ok(ofToken(tokenBody));
  const { body } = answered.value;
  if (typeof body !== 'object' || body === null) return ok(ofToken(tokenBody));
  const about = aboutUserOf(body, account);
  const info = request.response_map === undefined ? body : mapped(body, request.response_map);
  return ok({ ...about, userInfo: isSmall(info) ? (info as Record<string, unknown>) : null });
}

function mapped(body: object, map: Readonly<Record<string, string>>): object {
  const members = membersOf(body, map);
  return Object.fromEntries(Object.keys(map).map((name) => [name, members[name]]));
}

/** Only what the settings point at: members of such an answer are of the token, not of the user. */
export function aboutUserIn(tokenBody: object, account: Account | undefined): AboutUser {
  return account === undefined ? ofToken(tokenBody) : aboutUserOf(tokenBody, account);
}

function ofToken(tokenBody: object): AboutUser {
  const claims = claimsOf((tokenBody as { id_token?: unknown }).id_token);
  if (claims === null) return nobody;
  const { sub, name, email } = claims as Record<string, unknown>;
  return {
    userInfo: { sub, name, email },
    subject: shown(sub, 500),
    name: shown(email, 200) ?? shown(name, 200),
  };
}

/** By the settings, else by the members that usually say it. */
export function aboutUserOf(body: object, account: Account = {}): AboutUser {
  const read = (expression: string | undefined, usual: readonly string[], length: number) => {
    if (expression === undefined) {
      const members = body as Record<string, unknown>;
      return usual.map((name) => shown(members[name], length)).find((one) => one !== null) ?? null;
    }
    const reader = readerOf(expression);
    return reader.ok ? shown(reader.value(body), length) : null;
  };
  return {
    userInfo: null,
    subject: read(account.subject, usualSubjects, 500),
    name: read(account.name, usualNames, 200),
  };
}

function shown(value: unknown, maxLength: number): string | null {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return text === '' || text.length > maxLength || /[\p{Cc}\p{Cf}]/u.test(text) ? null : text;
}

function isSmall(info: object): boolean {
  try {
    return !Array.isArray(info) && JSON.stringify(info).length <= maxInfoLength;
  } catch {
    // Nested deeper than anybody can read.
    return false;
  }
}
