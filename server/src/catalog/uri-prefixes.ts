import { createHash } from 'node:crypto';

/**
 * For each of these sources the beginning of a URI's scheme that says whose the URI is: its id, or where that cannot begin
 * a scheme, what is left of it and eight digits. No two have the same; of two that would, the first keeps it.
 */
export function uriPrefixes(sourceIds: readonly string[]): Map<string, string> {
  const prefixes = new Map<string, string>();
  const taken = new Set<string>();
  for (const sourceId of sourceIds) {
    let prefix = /^[a-z][a-z0-9.-]*$/.test(sourceId)
      ? sourceId
      : `${schemeFrom(sourceId)}-${digest(sourceId)}`;
    while (taken.has(prefix)) prefix += `-${digest(`${sourceId} ${prefix}`)}`;
    taken.add(prefix);
    prefixes.set(sourceId, prefix);
  }
  return prefixes;
}

function schemeFrom(sourceId: string): string {
  const legal = sourceId.toLowerCase().replace(/[^a-z0-9.-]/g, '-');
  return /^[a-z]/.test(legal) ? legal : `s${legal}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** What stands before the first `+` of a URI's scheme; `null` where there is none. */
export function uriPrefixOf(uri: string): string | null {
  return /^([a-z][a-z0-9.-]*)\+/.exec(uri)?.[1] ?? null;
}
