import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../files/values.ts';
import { itemId, itemKey } from '../manifests/strategic-merge.ts';

/**
 * The patch (as of `strategicMerge`) after which `made` says everything that `wanted` says; what only `made` has, stays.
 * `undefined` where it does already.
 */
export function containingPatch(wanted: unknown, made: unknown, field = ''): unknown {
  if (wanted === undefined || wanted === null) return undefined;
  if (Array.isArray(wanted) && Array.isArray(made)) return listPatch(wanted, made, field);
  if (!isMapping(wanted) || !isMapping(made)) return isDeepStrictEqual(wanted, made) ? undefined : wanted;
  const patch: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(wanted)) {
    const change = containingPatch(value, made[name], name);
    if (change !== undefined) patch[name] = change;
  }
  for (const name of superseded(wanted, made)) patch[name] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function listPatch(wanted: readonly unknown[], made: readonly unknown[], field: string): unknown {
  if (additive.has(field)) {
    const missing = wanted.filter((item) => !made.some((one) => isDeepStrictEqual(one, item)));
    return missing.length === 0 ? undefined : [...made, ...missing];
  }
  if ([...wanted, ...made].some((item) => itemId(item, field) === undefined)) {
    return isDeepStrictEqual(wanted, made) ? undefined : wanted;
  }
  const patches: unknown[] = [];
  for (const item of wanted) {
    const there = made.find((one) => itemId(one, field) === itemId(item, field));
    const change = there === undefined ? item : containingPatch(item, there);
    if (change !== undefined && isMapping(item) && isMapping(change)) {
      patches.push({ ...itemKey(item, field), ...change });
    }
  }
  return patches.length === 0 ? undefined : patches;
}

/** Rules of a NetworkPolicy: each allows something more. */
const additive = new Set(['ingress', 'egress', 'policyTypes']);

/** Of these only one can be: what is wanted takes the place of what is there. */
const alternatives: readonly (readonly string[])[] = [
  ['httpGet', 'tcpSocket', 'exec', 'grpc'],
  ['value', 'valueFrom'],
  ['minAvailable', 'maxUnavailable'],
];

function superseded(
  wanted: Readonly<Record<string, unknown>>,
  made: Readonly<Record<string, unknown>>,
): readonly string[] {
  const gone = alternatives.flatMap((names) =>
    names.some((name) => Object.hasOwn(wanted, name))
      ? names.filter(
          (name) => Object.hasOwn(made, name) && !Object.hasOwn(wanted, name) && !isPair(made, name),
        )
      : [],
  );
  return wanted.type === 'Recreate' && Object.hasOwn(made, 'rollingUpdate')
    ? [...gone, 'rollingUpdate']
    : gone;
}

/** `maxUnavailable` of a rolling update stands beside `maxSurge`, and has no alternative. */
const isPair = (made: Readonly<Record<string, unknown>>, name: string): boolean =>
  name === 'maxUnavailable' && Object.hasOwn(made, 'maxSurge');
