/** Values of files and answers, as anybody may have written them. */
export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `undefined`, where the path leads nowhere. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let reached = value;
  for (const step of path) {
    if (typeof reached !== 'object' || reached === null || !Object.hasOwn(reached, step)) return undefined;
    reached = (reached as Record<PropertyKey, unknown>)[step];
  }
  return reached;
}

/** `undefined`, where the text is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
