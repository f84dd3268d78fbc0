import type { Clock } from '#foundation';
import type { App } from './app.ts';
import { projectId } from './declared.ts';

const lastsMs = 60 * 60_000;

/**
 * A link by which the owner signs in where there is no company sign-in: while the organisation has no owner, and whenever a
 * person at a terminal starts the server. `null` where none is needed. Its token is in the fragment, which no server ever sees.
 */
export async function ownerLink(
  { url, rooms: { identity } }: App,
  { atTerminal, clock }: { readonly atTerminal: boolean; readonly clock: Clock },
): Promise<string | null> {
  const { userSources, people } = identity;
  if (userSources.list(projectId).some(({ status }) => status === 'active')) return null;
  const organizationId = people.project(projectId)?.organizationId ?? null;
  if (organizationId === null || (!atTerminal && (await people.hasOwner(organizationId)))) return null;
  const expiresAt = new Date(clock.now() + lastsMs).toISOString();
  const owner = { kind: 'sign_in', organizationId, projectId: '', email: '', role: 'owner' } as const;
  const { token } = await people.createLink({ ...owner, expiresAt }, null);
  return `${url}/oauth2/link#${token}`;
}
