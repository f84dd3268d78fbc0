import type { ConnectionView } from '#credentials';
import type { RestDeps } from '../route.ts';

/** What is known of whose account a connection is. */
export interface ProviderOf {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly description: string;
}

/** An MCP server with an authorization server of its own is its own provider. */
export function providerOf(
  { credentials }: RestDeps,
  { target }: Pick<ConnectionView, 'target'>,
): ProviderOf {
  const { projectId, kind, id } = target;
  if (kind === 'source') return { id, type: 'mcp_server', name: id, description: '' };
  const provider = credentials.providers.get(projectId, id);
  return {
    id,
    type: provider?.type ?? 'oauth2',
    name: provider?.label ?? id,
    description: provider?.description ?? '',
  };
}

/** At which targets, where a provider is asked for: by its own id, or by the well-known one that it is. */
export function targetsOf(
  { credentials }: RestDeps,
  projectId: string,
  asked: string | undefined,
): readonly string[] | undefined {
  if (asked === undefined) return undefined;
  const ofKind = credentials.providers.list(projectId).filter(({ providerId }) => providerId === asked);
  return [asked, ...ofKind.map(({ id }) => id)];
}
