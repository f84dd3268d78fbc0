import { isMembers } from './json-members.ts';

/** The same text for the same value, in whatever order somebody wrote its members. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    isMembers(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
