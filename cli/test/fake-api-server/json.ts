/** Parsed JSON of a shape that Kubernetes documents and this folder does not repeat. */
// biome-ignore lint/suspicious/noExplicitAny: what is read wrongly fails the test that reads it.
export type Json = any;

export function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** With the keys of objects in one order, so that equal values have equal texts. */
export function canonical(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

export const isSame = (a: Json, b: Json): boolean => canonical(a ?? null) === canonical(b ?? null);
