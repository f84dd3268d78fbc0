import type { Source } from '#domain';
import type { Target } from './authority.ts';
import type { Connections } from './connections/connections.ts';
import type { Credentials } from './contract.ts';
import type { Providers } from './providers/contract.ts';

export interface ListTokenDeps {
  readonly connections: Connections;
  readonly providers: Pick<Providers, 'resolve'>;
}

/**
 * With what the lists of sources are asked for, where somebody connected them. Nobody calls there, so whoever consented must have
 * named that very source: one more that names the same provider does not get the token of another one's user.
 */
export function createListToken({ connections, providers }: ListTokenDeps): Credentials['listToken'] {
  return async (source, refused) => {
    const { projectId, id: sourceId, uri } = source;
    const connection = await connections.listConnection(projectId, { sourceId, uri });
    if (connection === null || !isAt(connection.target, targetOf(source, providers))) return null;
    const given = await connections.authorizationOf(connection);
    const now = given.ok ? given.value : null;
    if (now === null || now.token !== refused) return now;
    const renewed = await connections.renew(connection);
    if (!renewed.ok || renewed.value === null) return null;
    const anew = await connections.authorizationOf(renewed.value);
    return anew.ok ? anew.value : null;
  };
}

const isAt = ({ kind, id }: Target, target: Target | null) => target?.kind === kind && target.id === id;

function targetOf(
  { projectId, id, authProvider }: Source,
  providers: ListTokenDeps['providers'],
): Target | null {
  if (authProvider == null) return { projectId, kind: 'source', id };
  const provider = providers.resolve(projectId, { ...authProvider, providerId: null });
  return provider.ok ? { projectId, kind: 'provider', id: provider.value.id } : null;
}
