/** Fields whose values, or whose members' values, may be secret; fixed arguments are, as they hide from the caller. */
const veiled =
  /(?:^|_)(?:secrets?|tokens?|passwords?|passphrase|key|headers|authorization|cookies?|fixed|defaults)$/i;

/** What an operation was asked to change, or changed: names of fields, and values that are no secrets. */
export function changesOf(...parts: readonly unknown[]): Readonly<Record<string, unknown>> {
  const objects = parts.filter((part) => typeof part === 'object' && part !== null);
  return Object.assign({}, ...objects.map((part) => reduced(part, false)));
}

function reduced(value: unknown, veil: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.slice(0, 100).map((item) => reduced(item, veil));
    return value.length > 100 ? [...items, `and ${value.length - 100} more`] : items;
  }
  if (typeof value === 'object' && value !== null) {
    if (veil && isShownSecret(value)) return value.exists ? '(set)' : null;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        reduced(member, veil || veiled.test(name) || (name === 'arguments' && !isCuration(member))),
      ]),
    );
  }
  if (veil) return value === null || value === undefined ? value : '(set)';
  return typeof value === 'string' ? shownText(value) : value;
}

/** A secret as the API shows it: whether there is one. */
function isShownSecret(value: object): value is { exists: boolean } {
  return 'exists' in value && typeof value.exists === 'boolean' && 'value' in value && value.value === '';
}

/** What a gateway does to the arguments of a tool, and not the arguments of a call, which are nobody's business. */
function isCuration(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(
      ([name, member]) =>
        ['fixed', 'defaults'].includes(name) || (name === 'hidden' && Array.isArray(member)),
    )
  );
}

function shownText(text: string): string {
  if (text.includes('PRIVATE KEY-----')) return '(set)';
  const shown = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? withoutCredentials(text) : text;
  return shown.length > 500 ? `${shown.slice(0, 500)}…` : shown;
}

/** Some servers take their key in the query, some before the host. */
function withoutCredentials(uri: string): string {
  return uri.replace(/\?.*$/s, '?…').replace(/^([^/]*\/\/)[^/]*@/, '$1…@');
}
