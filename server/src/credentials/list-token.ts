import type { Source } from '#domain';
import type { Target } from './authority.ts';
import type { Connections } from './connections/connections.ts';
import type { Credentials } from './contract.ts';
import type { Providers } from './providers/contract.ts';

export interface ListTokenDeps {
  readonly connections: Connections;
  readonly providers: Pick<Providers, 'resolve'>;
}

/** With what the lists of sources are asked for, where somebody connected them. */
export function createListToken({ connections, providers }: ListTokenDeps): Credentials['listToken'] {
  return async (source, refused) => {
    const target = targetOf(source, providers);
    const connection = target === null ? null : await connections.listConnection(target);
    if (connection === null) return null;
    const given = await connections.authorizationOf(connection);
    const now = given.ok ? given.value : null;
    if (now === null || now.token !== refused) return now;
    const renewed = await connections.renew(connection);
    if (!renewed.ok || renewed.value === null) return null;
    const anew = await connections.authorizationOf(renewed.value);
    return anew.ok ? anew.value : null;
  };
}

function targetOf(
  { projectId, id, authProvider }: Source,
  providers: ListTokenDeps['providers'],
): Target | null {
  if (authProvider == null) return { projectId, kind: 'source', id };
  const provider = providers.resolve(projectId, { ...authProvider, providerId: null });
  return provider.ok ? { projectId, kind: 'provider', id: provider.value.id } : null;
}
