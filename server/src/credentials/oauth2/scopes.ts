/**
 * What was granted, in the words in which it was asked for, too: providers leave out what another scope implies, write some in full
 * (`https://graph.microsoft.com/Mail.Read`), and tell of `offline_access` only by a refresh token.
 */
export function grantedScopes(
  granted: readonly string[],
  asked: readonly string[],
  implied: { readonly [scope: string]: readonly string[] },
  hasRefreshToken: boolean,
): readonly string[] {
  const all = new Set(granted);
  for (const scope of all)
    if (Object.hasOwn(implied, scope)) for (const one of implied[scope] ?? []) all.add(one);
  if (hasRefreshToken && asked.includes('offline_access')) all.add('offline_access');
  const short = new Set([...all].map(shortOf));
  for (const scope of asked) if (short.has(shortOf(scope)) && isSame(scope, all)) all.add(scope);
  return [...all];
}

function shortOf(scope: string): string {
  return scope.replace(/^https:\/\/[^/]+\//, '').toLowerCase();
}

/** In another case, or one of the two without the address in front. */
function isSame(scope: string, among: ReadonlySet<string>): boolean {
  const lower = scope.toLowerCase();
  return [...among].some(
    (one) =>
      one.toLowerCase() === lower ||
      (shortOf(one) === shortOf(scope) && one.includes('://') !== scope.includes('://')),
  );
}
