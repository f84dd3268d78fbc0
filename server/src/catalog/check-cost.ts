import type { JsonSchema } from '#domain';

/**
 * How long a check can take. Most schemas are checked in proportion to their own size and that of the arguments; those that
 * are not must be watched while they run, which costs more than the check itself.
 */
export type CheckCost = 'plain' | 'by-text' | 'unbounded';

const plainUpTo = 8 * 1024;
const maxExpanded = 5000;
const dynamic = /"(?:\$dynamicRef|\$recursiveRef)":/;
/** A pattern takes its time for each character, `uniqueItems` for each pair of items. */
const slowForLongText = /"(?:uniqueItems|pattern|patternProperties)":/;

export function checkCost(schema: JsonSchema, text: string): CheckCost {
  if (text.length > plainUpTo || dynamic.test(text)) return 'unbounded';
  if (text.includes('"$ref":') && expandedSize(schema) > maxExpanded) return 'unbounded';
  return slowForLongText.test(text) ? 'by-text' : 'plain';
}

/** Nodes of the schema with every reference written out; infinite where one leads to itself or to somewhere else. */
function expandedSize(root: JsonSchema): number {
  const sizes = new Map<object, number>();
  const sizeOf = (node: unknown): number => {
    if (typeof node !== 'object' || node === null) return 1;
    const known = sizes.get(node);
    if (known !== undefined) return known;
    // Whoever meets this node again while it is being counted has come round to it.
    sizes.set(node, Number.POSITIVE_INFINITY);
    const { $ref } = node as JsonSchema;
    let size = typeof $ref === 'string' ? sizeOf(target(root, $ref)) : 1;
    for (const value of Object.values(node)) size += sizeOf(value);
    sizes.set(node, size);
    return size;
  };
  return sizeOf(root);
}

/** What a local JSON pointer leads to; the root, and so no end, for any other reference. */
function target(root: JsonSchema, ref: string): unknown {
  if (!ref.startsWith('#/') || ref.includes('%')) return root;
  let node: unknown = root;
  for (const step of ref.slice(2).split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return root;
    node = (node as JsonSchema)[name];
  }
  return node;
}
