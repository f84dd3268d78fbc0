import type { Mistake } from './mistake.ts';

/** What YAML has and JSON, as which a cluster takes objects, does not: it would be lost or become something else. */
export function unlikeJson(value: unknown): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const around = new Set<unknown>();
  const walk = (one: unknown, path: readonly (string | number)[]): void => {
    const message = around.has(one) ? 'leads back to itself' : whyUnlike(one);
    if (message !== null) mistakes.push({ path, message });
    else if (typeof one === 'object' && one !== null) {
      around.add(one);
      const isList = Array.isArray(one);
      for (const [name, inner] of Object.entries(one)) walk(inner, [...path, isList ? Number(name) : name]);
      around.delete(one);
    }
  };
  walk(value, []);
  return mistakes;
}

const greatest = Number.MAX_SAFE_INTEGER;

function whyUnlike(value: unknown): string | null {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'is no number that JSON has';
    return Number.isInteger(value) && Math.abs(value) > greatest
      ? `is beyond ${greatest}, up to which whole numbers stay as they are: as a text, in quotes, it does`
      : null;
  }
  const tag = tags.find(([kind]) => value instanceof kind)?.[1];
  return tag === undefined ? null : `is ${tag}, which JSON does not have: write it as a text`;
}

const tags = [
  [Uint8Array, '!!binary'],
  [Date, '!!timestamp'],
  [Set, '!!set'],
  [Map, '!!omap'],
] as const;
