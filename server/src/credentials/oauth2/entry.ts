import { enteredFields } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { EntryForm, Granted, Problem } from '../authority.ts';
import type { AuthProvider } from '../providers/contract.ts';
import { aboutUserOf } from './about-user.ts';
import { broken, notTaken, type Told } from './problems.ts';
import { errorIn, fetched } from './request.ts';
import { isHeaderSafe } from './token-answer.ts';

type EnteredType = keyof typeof enteredFields;
const usualLabels = {
  api_key: 'API key',
  username: 'User name',
  password: 'Password',
  token: 'Token',
} as const;
const maxEnteredLength = 8 * 1024;

/** What users enter on our page; `null`: they are sent there. */
export function entryFormOf({ type, written, label }: AuthProvider): EntryForm | null {
  if (!isEntered(type)) return null;
  const { instructions, labels = {} } = written.entry ?? {};
  const fields = enteredFields[type].map((name) => ({
    name,
    label: labels[name] ?? usualLabels[name],
    isSecret: name !== 'username',
  }));
  const what = fields.map((field) => field.label).join(' and ');
  return { instructions: instructions ?? `Enter your ${what} of ${label}.`, fields };
}

/** Takes what a user entered, after asking the provider whether it takes it, too. */
export async function takeEntered(
  told: Told,
  fetchFn: typeof fetch,
  entered: { readonly [field: string]: string },
): Promise<Result<Granted, Problem>> {
  const { provider } = told;
  if (!isEntered(provider.type)) return err(broken(told, `nothing is entered for ${provider.label}`));
  const token = tokenOf(provider.type, entered);
  if (token === null) return err(notTaken(told));
  const granted = { accessToken: token, refreshToken: null, expiresAtMs: null, scopes: null };
  const name = provider.type === 'basic' ? (entered.username ?? null) : null;
  const check = provider.written.entry?.check_request;
  if (check === undefined) return ok({ ...granted, userInfo: null, subject: name, name });
  const header = headerOf(provider, token) ?? { name: 'authorization', value: `Bearer ${token}` };
  const answered = await fetched(fetchFn, told, new URL(check.endpoint), {
    method: check.method ?? 'GET',
    headers: { accept: 'application/json', 'user-agent': 'Sallyport', [header.name]: header.value },
  });
  if (!answered.ok) return answered;
  const problem = errorIn(told, answered.value);
  if (problem !== null) return err(refusedBy(problem, told, answered.value.status));
  const { body } = answered.value;
  const about = aboutUserOf(
    typeof body === 'object' && body !== null ? body : {},
    provider.written.entry?.account,
  );
  return ok({ ...granted, ...about, subject: about.subject ?? name, name: about.name ?? name });
}

/** What the provider says of a wrong key is about the key, not about us. */
function refusedBy(problem: Problem, told: Told, status: number): Problem {
  return problem.kind === 'passing' || status === 404 ? problem : notTaken(told, ` (HTTP ${status})`);
}

/** How an MCP server gets it, where not as a bearer token. */
export function headerOf(
  { type, written }: AuthProvider,
  token: string,
): { readonly name: string; readonly value: string } | null {
  const { header } = written;
  if (header !== undefined)
    return { name: header.name, value: header.format.replaceAll('{{token}}', () => token) };
  return type === 'basic' ? { name: 'authorization', value: `Basic ${token}` } : null;
}

/** RFC 7617 joins user name and password. `null`: something is missing, or cannot be in a header. */
function tokenOf(type: EnteredType, entered: { readonly [field: string]: string }): string | null {
  const values = enteredFields[type].map((name) =>
    Object.hasOwn(entered, name) ? (entered[name] ?? '') : '',
  );
  if (values.some((value) => value.length > maxEnteredLength)) return null;
  if (type === 'basic') {
    const [username = '', password = ''] = values;
    if (username === '' || /[:\p{Cc}]/u.test(username) || /\p{Cc}/u.test(password)) return null;
    return Buffer.from(`${username}:${password}`).toString('base64');
  }
  const token = values[0]?.trim() ?? '';
  return token === '' || !isHeaderSafe(token) ? null : token;
}

function isEntered(type: AuthProvider['type']): type is EnteredType {
  return Object.hasOwn(enteredFields, type);
}
