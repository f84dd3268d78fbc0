import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { AuthProvider, Requirement } from './contract.ts';
import { knownProvider } from './known/known-providers.ts';

/** The active provider that serves a requirement; where there is none, what somebody has to do about it. */
export function resolve(
  providers: readonly AuthProvider[],
  { id, providerId }: Requirement,
): Result<AuthProvider, Refusal> {
  if (id !== null) return named(providers.find((provider) => provider.id === id) ?? null, id, providerId);
  if (providerId === null)
    return missing(
      'the tool does not say which auth provider it needs: it has to name an id or a provider_id',
    );
  const label = knownProvider(providerId)?.label ?? providerId;
  const fitting = providers.filter(
    (provider) => provider.providerId === providerId || isItself(provider, providerId),
  );
  const active = fitting.filter(({ status }) => status === 'active');
  const [only] = active;
  const chosen =
    active.find((provider) => provider.id === providerId) ?? (active.length === 1 ? only : undefined);
  if (chosen !== undefined) return ok(chosen);
  if (active.length > 1) {
    const ids = active.map((provider) => provider.id);
    return missing(
      `${ids.length} auth providers are of type ${providerId}: the tool has to name one by id (${ids.slice(0, 10).join(', ')})`,
    );
  }
  const [inactive] = fitting;
  if (inactive !== undefined) return missing(inactiveWords(inactive.id));
  return missing(
    `${label} is not set up here: an administrator has to register an auth provider with the provider_id ${providerId}`,
  );
}

/** One that names no well-known provider goes by its own id, too. */
function isItself(provider: AuthProvider, name: string): boolean {
  return provider.providerId === null && provider.id === name;
}

function named(
  provider: AuthProvider | null,
  id: string,
  providerId: string | null,
): Result<AuthProvider, Refusal> {
  if (provider === null)
    return missing(
      `the auth provider ${id} is not set up here: an administrator has to register one with that id`,
    );
  if (provider.status === 'inactive') return missing(inactiveWords(id));
  if (providerId === null || provider.providerId === null || provider.providerId === providerId)
    return ok(provider);
  return missing(
    `the auth provider ${id} is of type ${provider.providerId}, and the tool needs one of type ${providerId}`,
  );
}

function inactiveWords(id: string): string {
  return `the auth provider ${id} is inactive: an administrator has to make it active again`;
}

function missing(message: string): Result<never, Refusal> {
  return err(refusal('credentials.not_configured', message));
}
