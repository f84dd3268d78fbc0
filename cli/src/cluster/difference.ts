import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../files/values.ts';
import { fieldsAt } from '../manifests/fields.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { mergeKeys } from '../manifests/strategic-merge.ts';

/** One place where two states of an object differ; undefined is a value that is not there. */
export interface Difference {
  /** `spec.template.spec.containers[github-mcp].image` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Lists whose items are told apart by a field, whatever their order. */
const itemKeys: Readonly<Record<string, readonly string[]>> = {
  ...mergeKeys,
  ports: ['name', 'containerPort', 'port'],
};

/** Where the objects differ in what they mean: the order of keys, and of lists of named things, means nothing. */
export function differences(before: KubernetesObject, after: KubernetesObject): Difference[] {
  const found: Difference[] = [];
  const isSecret = before.kind === 'Secret' || after.kind === 'Secret';
  compare('', '', before, after, found);
  return isSecret ? found.map(withoutValues) : found;
}

/** What a Secret holds is not shown. */
function withoutValues(difference: Difference): Difference {
  if (!/^(data|stringData)\b/.test(difference.path)) return difference;
  const shown = (value: unknown) => (value === undefined ? undefined : '(secret)');
  return { ...difference, before: shown(difference.before), after: shown(difference.after) };
}

function compare(path: string, field: string, before: unknown, after: unknown, found: Difference[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(joined(path, name), name, before[name], after[name], found);
    }
    return;
  }
  const key = Array.isArray(before) && Array.isArray(after) ? keyOf(field, [before, after]) : undefined;
  if (key === undefined) {
    found.push({ path, before, after });
    return;
  }
  const [old, now] = [byKey(before as unknown[], key), byKey(after as unknown[], key)];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    compare(`${path}[${name}]`, '', old.get(name), now.get(name), found);
  }
}

const joined = (path: string, name: string): string =>
  /[^A-Za-z0-9_-]/.test(name) ? `${path}["${name}"]` : path === '' ? name : `${path}.${name}`;

/** The first key that every item has, and no two of one list the same. */
function keyOf(field: string, lists: readonly (readonly unknown[])[]): string | undefined {
  return itemKeys[field]?.find((key) =>
    lists.every((items) => {
      const found = byKey(items, key);
      return found.size === items.length && !found.has('undefined');
    }),
  );
}

function byKey(items: readonly unknown[], key: string): Map<string, unknown> {
  return new Map(items.map((item) => [String(fieldsAt(item)[key]), item]));
}

/** `image: github:1 → github:2`, as lines for people. */
export function differenceLines({ path, before, after }: Difference): string[] {
  return [
    ...(before === undefined ? [] : [`- ${path}: ${shown(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${shown(after)}`]),
  ];
}

function shown(value: unknown): string {
  const text = typeof value === 'string' && !/[\n\p{Cc}]/u.test(value) ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}
