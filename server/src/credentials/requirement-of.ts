import type { Source, Tool } from '#domain';
import type { Requirement } from './providers/contract.ts';

/** What a tool declares, or its source is declared to be sent; `null`: no account at a provider. */
export function requirementOf(
  { requirements: { authorization } }: Pick<Tool, 'requirements'>,
  source: Source | null,
): Requirement | null {
  if (authorization === null) {
    const ofSource = source?.authProvider ?? null;
    return ofSource === null ? null : { id: ofSource.id, providerId: null, scopes: ofSource.scopes };
  }
  const { id, provider_id, oauth2 } = authorization;
  return { id: id || null, providerId: provider_id || null, scopes: oauth2?.scopes ?? [] };
}
