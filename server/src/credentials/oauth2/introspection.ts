import type { TriggeredRequestSettings } from '@sallyport/contracts';
import { err, ok, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import { broken, type Told } from './problems.ts';
import { errorIn, type Send } from './request.ts';
import { holds, type Values } from './template.ts';
import { expiryOf, membersOf, scopesIn } from './token-answer.ts';

export interface Introspected {
  readonly expiresAtMs: number | null;
  readonly scopes: readonly string[] | null;
}

/** What the provider says of a token that it has just given (RFC 7662). Where it cannot be asked, nothing. */
export async function introspect(
  send: Send,
  told: Told,
  settings: TriggeredRequestSettings,
  values: Values,
  nowMs: number,
): Promise<Result<Introspected, Problem>> {
  const nothing = ok({ expiresAtMs: null, scopes: null });
  const saysSecret = Object.values(settings.params ?? {}).some((template) =>
    holds(template, 'client_secret'),
  );
  const saysToken = Object.values(settings.params ?? {}).some((template) => holds(template, 'access_token'));
  const answered = await send({
    told: { ...told, doing: 'introspect' },
    settings,
    method: settings.method ?? 'POST',
    authMethod: settings.auth_method ?? (saysSecret ? '' : 'client_secret_basic'),
    values,
    also: saysToken ? {} : { token: values.access_token ?? null },
  });
  if (!answered.ok || errorIn(told, answered.value) !== null) return nothing;
  const { body } = answered.value;
  if (typeof body !== 'object' || body === null) return nothing;
  if ((body as { active?: unknown }).active === false) {
    return err(broken(told, `${told.provider.label} says that the token it gave does not hold`));
  }
  const map = { expires_in: '$.exp', scope: '$.scope', ...settings.response_map };
  const members = membersOf(body, map);
  const isAbsolute = settings.expiration_format !== 'relative_seconds';
  return ok({
    expiresAtMs: expiryOf(members.expires_in, isAbsolute, nowMs),
    scopes: scopesIn(members.scope),
  });
}
