import type { Caller } from '#domain';

/** Whose searches and calls belong together: one credential's owner, acting as one user. */
export function bearerOf({ principal, userId }: Pick<Caller, 'principal' | 'userId'>): string {
  return JSON.stringify([principal.projectId, principal.id, userId]);
}
