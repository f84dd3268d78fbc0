/** Fields whose values, or whose members' values, may be secret; fixed arguments are, as they hide from the caller. */
const veiled = new Set(['secret', 'secrets', 'headers', 'client_secret', 'fixed', 'defaults']);

/** What an operation was asked to change, for its audit record: names of fields, and values that are no secrets. */
export function changesOf(
  params: Readonly<Record<string, string>>,
  body: unknown,
): Readonly<Record<string, unknown>> {
  return {
    ...params,
    ...(typeof body === 'object' && body !== null ? (reduced(body, false) as object) : {}),
  };
}

function reduced(value: unknown, veil: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.slice(0, 100).map((item) => reduced(item, veil));
    return value.length > 100 ? [...items, `and ${value.length - 100} more`] : items;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        reduced(name === 'uri' ? withoutQuery(member) : member, veil || veiled.has(name)),
      ]),
    );
  }
  if (veil) return value === null || value === undefined ? value : '(set)';
  return typeof value === 'string' && value.length > 500 ? `${value.slice(0, 500)}…` : value;
}

/** Some servers take their key in the query. */
function withoutQuery(uri: unknown): unknown {
  return typeof uri === 'string' ? uri.replace(/\?.*$/s, '?…') : uri;
}
