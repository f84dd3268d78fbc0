import { type Gateway, type Refusal, refusal } from '#domain';
import type { Policy } from '#policy';

/** What the policy says of a gateway it says of its slug: under another one, nothing would be denied there any more. */
export function slugHeld(
  { grants, rules, limits }: Policy,
  { projectId, slug }: Gateway,
  next: string | undefined,
): Refusal | null {
  if (next === undefined || next === slug) return null;
  const counts = Object.entries({ grants, rules, limits }).flatMap(([name, entries]) => {
    const count = entries.list(projectId).filter(({ definition }) => definition.gateway === slug).length;
    return count === 0 ? [] : [`${name}: ${count}`];
  });
  if (counts.length === 0) return null;
  const message = `"${slug}" is named by the policy (${counts.join(', ')}); change that first`;
  return refusal('resource.conflict', message, { field: 'slug' });
}
