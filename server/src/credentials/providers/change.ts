import {
  type AuthProviderRequest,
  type AuthProviderUpdate,
  createAuthProviderRequest,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import { completed } from './complete.ts';
import { layered } from './layered.ts';

/** The secret of a request, and the request without it. */
export function apart(request: AuthProviderRequest): {
  readonly written: AuthProviderRequest;
  readonly clientSecret: string | null;
} {
  const { oauth2, token_exchange: exchange, ...rest } = request;
  const { client_secret: ofOAuth2, ...oauth2Rest } = oauth2 ?? {};
  const { client_secret: ofExchange, ...exchangeRest } = exchange ?? {};
  const written = layered(rest, {
    oauth2: oauth2 === undefined ? undefined : oauth2Rest,
    token_exchange: exchange === undefined ? undefined : exchangeRest,
  }) as unknown as AuthProviderRequest;
  return { written, clientSecret: ofOAuth2 ?? ofExchange ?? null };
}

export interface ChangedRequest {
  readonly written: AuthProviderRequest;
  /** `undefined`: the one of before stays. */
  readonly clientSecret: string | null | undefined;
}

const wholeMaps = ['params', 'response_map', 'variables', 'labels'];

/** A provider as a change leaves it. */
export function changedRequest(
  before: AuthProviderRequest,
  update: AuthProviderUpdate,
): Result<ChangedRequest, Refusal> {
  const { id = before.id, type = before.type } = update;
  if (id !== before.id) return err(invalid('id', 'is not the id in the address'));
  if (type !== before.type)
    return err(
      invalid('type', `cannot change: this one is of type "${before.type}"; register another provider`),
    );
  const secret = (update.oauth2 ?? update.token_exchange)?.client_secret;
  const merged = layered({ ...before }, { ...update }, (name) => wholeMaps.includes(name));
  const checked = createAuthProviderRequest.safeParse(merged);
  if (checked.success) return ok({ written: apart(checked.data).written, clientSecret: secret });
  const { path = [], message = '' } = checked.error.issues[0] ?? {};
  const words = /received undefined$/.test(message) ? 'is required' : message;
  return err(invalid(path.map(String).join('.'), words));
}

/** A secret goes to nobody but for whom it was entered: the refusal where a change would send it to another host. */
export function misledSecret(before: AuthProviderRequest, after: AuthProviderRequest): Refusal | null {
  const origins = new Set([...secretPlaces(before)].map(([, origin]) => origin));
  const [field] = [...secretPlaces(after)].find(([, origin]) => !origins.has(origin)) ?? [];
  if (field === undefined) return null;
  const secret = before.type === 'oauth2' ? 'oauth2.client_secret' : 'token_exchange.client_secret';
  return invalid(secret, `is needed again, as ${field} would send it to another host`);
}

function* secretPlaces(written: AuthProviderRequest): Iterable<readonly [field: string, origin: string]> {
  const complete = completed(written);
  const settings: Members = (complete.ok ? complete.value.oauth2 : null) ?? {};
  for (const [name, request] of Object.entries(settings)) {
    if (name === 'authorize_request' || !isMembers(request) || typeof request.endpoint !== 'string') continue;
    yield [`oauth2.${name}.endpoint`, new URL(request.endpoint).origin];
  }
  for (const field of ['token_endpoint', 'assertion_endpoint'] as const) {
    const endpoint = written.token_exchange?.[field];
    if (endpoint !== undefined) yield [`token_exchange.${field}`, new URL(endpoint).origin];
  }
}

function invalid(field: string, message: string): Refusal {
  return refusal('request.params_invalid', `${field}: ${message}`, { field });
}
