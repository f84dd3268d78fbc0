import { createHash } from 'node:crypto';
import type { Db } from '#storage';
import type { ClaimPreview, UserSource } from './contract.ts';
import { userIdOf } from './said-of-user.ts';

interface SeenRow extends Record<string, unknown> {
  person_id: string;
  user_id: string;
  claims: { readonly [name: string]: unknown };
}

/** What another user claim would make of those who have signed in by a source, by what the issuer last said of them. */
export async function previewOf(db: Db, source: UserSource, userClaim: string): Promise<ClaimPreview> {
  const seen = await db.query<SeenRow>(
    `select person_id, user_id, claims from person_identities
     where project_id = $1 and source_id = $2 and issuer = $3 order by person_id, subject`,
    [source.projectId, source.id, source.issuer],
  );
  const changed: ClaimPreview['changed'][number][] = [];
  const without: ClaimPreview['without'][number][] = [];
  const byUserId = new Map<string, string[]>();
  for (const { person_id: personId, user_id: was, claims } of seen) {
    const willBe = userIdOf({ ...source, userClaim }, claims);
    if (!willBe.ok) {
      without.push({ personId, was });
      continue;
    }
    byUserId.set(willBe.value, [...(byUserId.get(willBe.value) ?? []), personId]);
    if (willBe.value !== was) changed.push({ personId, was, willBe: willBe.value });
  }
  const collisions = [...byUserId]
    .filter(([, personIds]) => personIds.length > 1)
    .map(([userId, personIds]) => ({ userId, personIds }));
  const outcome = JSON.stringify([source.id, userClaim, changed, without, collisions]);
  return {
    seen: seen.length,
    unchanged: seen.length - changed.length - without.length,
    changed,
    without,
    collisions,
    token: createHash('sha256').update(outcome).digest('hex').slice(0, 16),
  };
}
