import type { OAuth2RequestSettings } from '@sallyport/contracts';
import { type Egress, FetchFailed } from '#egress';
import { err, ok, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import type { AuthProvider } from '../providers/contract.ts';
import { tracedFetch } from '../traced-fetch.ts';
import {
  broken,
  codeIn,
  detailIn,
  isKnownCode,
  isPassing,
  problemOfCode,
  problemOfFailure,
  problemOfStatus,
  type Told,
} from './problems.ts';
import { fill, type Values } from './template.ts';

export interface Asking {
  readonly told: Told;
  readonly settings: OAuth2RequestSettings;
  readonly method: 'GET' | 'POST';
  readonly authMethod: '' | 'client_secret_basic' | 'bearer_access_token';
  readonly values: Values;
  /** Sent along where the settings do not say them. */
  readonly also?: Readonly<Record<string, string | null>>;
}

export interface Answered {
  readonly status: number;
  /** `undefined`: it cannot be read. */
  readonly body: unknown;
}

/** Sends a request to a provider. */
export type Send = (request: Asking) => Promise<Result<Answered, Problem>>;

const limits = { timeoutMs: 10_000, maxBytes: 64 * 1024 };
const form = 'application/x-www-form-urlencoded';

export type FetchOf = (provider: AuthProvider) => typeof fetch;

/** What the config file declares may be internal. */
export function createFetchOf(egress: Egress): FetchOf {
  const ofFile = tracedFetch(egress, 'file', limits);
  const ofApi = tracedFetch(egress, 'api', limits);
  return ({ origin }) => (origin === 'file' ? ofFile : ofApi);
}

export function createSend(fetchOf: FetchOf): Send {
  return async (asking) => {
    const { told, settings } = asking;
    const headers = headersOf(asking);
    if (headers === null) {
      return err(
        broken(told, `what is set up for ${told.provider.label} makes a header that cannot be sent`),
      );
    }
    const params = paramsOf(asking);
    const url = new URL(settings.endpoint);
    const isJson = settings.request_content_type === 'application/json';
    const body = isJson ? JSON.stringify(params) : new URLSearchParams(params).toString();
    if (asking.method === 'GET') url.search = queryWith(url.search, params);
    else headers.set('content-type', isJson ? 'application/json' : form);
    return fetched(fetchOf(told.provider), told, url, {
      method: asking.method,
      headers,
      ...(asking.method === 'GET' ? {} : { body }),
    });
  };
}

/** One request, and its answer as far as it can be read; a redirect is not followed. */
export async function fetched(
  fetchFn: typeof fetch,
  told: Told,
  url: URL,
  init: RequestInit,
): Promise<Result<Answered, Problem>> {
  try {
    const response = await fetchFn(url, init);
    const { status } = response;
    if (status >= 300 && status <= 399) {
      const { label } = told.provider;
      return err(broken(told, `${label} sends the request on to another address, which is not followed`));
    }
    return ok({ status, body: readBody(await response.text(), response.headers.get('content-type') ?? '') });
  } catch (thrown) {
    if (thrown instanceof FetchFailed) return err(problemOfFailure(told, thrown.failure));
    throw thrown;
  }
}

function readBody(text: string, type: string): unknown {
  if (type.toLowerCase().startsWith(form) && !text.trimStart().startsWith('{')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The filled-in parameters; what has no value is not sent. */
export function paramsOf({ settings, values, also = {} }: Pick<Asking, 'settings' | 'values' | 'also'>) {
  const said = Object.entries(settings.params ?? {});
  const filled = said.map(([name, template]) => [name, fill(template, values), template] as const);
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(also)) if (value) params[name] = value;
  for (const [name, value, template] of filled) {
    if (value !== '' || template === '') params[name] = value;
    else delete params[name];
  }
  return params;
}

/** Spaces as `%20`: some providers do not read `+` in an address. */
export function queryWith(search: string, params: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(params)) query.set(name, value);
  return query.toString().replaceAll('+', '%20');
}

function headersOf({ settings, authMethod, values }: Asking): Headers | null {
  const accept = settings.response_content_type === form ? form : 'application/json';
  const headers = new Headers({ accept, 'user-agent': 'Sallyport' });
  const authorization = authorizationOf(settings.auth_header_value_format, authMethod, values);
  if (authorization === null) return headers;
  if (!/^[\x20-\x7e]*$/.test(authorization)) return null;
  headers.set('authorization', authorization);
  return headers;
}

function authorizationOf(
  format: string | undefined,
  method: Asking['authMethod'],
  values: Values,
): string | null {
  if (format !== undefined && format !== '') return fill(format, values);
  if (method === 'bearer_access_token') return `Bearer ${values.access_token ?? ''}`;
  if (method !== 'client_secret_basic' || !values.client_secret) return null;
  const [id, secret] = [values.client_id ?? '', values.client_secret].map(formEncoded);
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** RFC 6749 §2.3.1. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** What an answer says is wrong, whatever its status; `null`: nothing. */
export function errorIn(told: Told, { status, body }: Answered): Problem | null {
  const isFine = status >= 200 && status <= 299;
  const said = errorSaid(body, isFine);
  if (isFine && said === null) return null;
  if (!isFine && (said?.code ?? null) === null)
    return problemOfStatus(told, status, typeof body === 'object');
  const { code, detail } = said ?? { code: null, detail: null };
  const problem = problemOfCode(told, code, detail);
  if (isFine || (code !== null && isKnownCode(code) && status !== 429)) return problem;
  // Of what it means nothing is known but what the status says.
  const isPlain = isPassing(status) || (told.doing === 'refresh' && (status === 400 || status === 401));
  return isPlain ? { ...problemOfStatus(told, status, true), code } : problem;
}

function errorSaid(body: unknown, isFine: boolean): { code: string | null; detail: string | null } | null {
  if (typeof body !== 'object' || body === null) return null;
  const { error, error_description, ok: isOk, status } = body as Record<string, unknown>;
  const detail = detailIn(error_description);
  if (typeof error === 'object' && error !== null) {
    const { type, status: named, code } = error as Record<string, unknown>;
    return { code: codeIn(type) ?? codeIn(named) ?? codeIn(code), detail };
  }
  if (error !== undefined && error !== null && error !== '' && error !== false)
    return { code: codeIn(error), detail };
  if (isOk === false) return { code: null, detail };
  return isFine ? null : { code: codeIn(status), detail };
}
