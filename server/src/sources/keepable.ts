import type { ToolListing } from '#domain';

const maxNameLength = 128;
const maxVersionLength = 100;
const maxDepth = 64;

/** Why a tool cannot be kept in the catalog, whatever kind of source lists it; `null` where it can. */
export function unkeepable(tool: ToolListing): string | null {
  const { name, toolkit } = tool;
  for (const one of [name, toolkit.name]) {
    if (one.length > maxNameLength) return `a name is longer than ${maxNameLength} characters`;
    if (/\p{Cc}/u.test(one)) return 'a name holds control characters';
  }
  if ((toolkit.version ?? '').length > maxVersionLength) {
    return `its version is longer than ${maxVersionLength} characters`;
  }
  return problemOf(tool, 0);
}

/** Why something else that a source lists cannot be kept. */
export function unkeepableEntry(entry: { readonly [member: string]: unknown }): string | null {
  return problemOf(entry, 0);
}

/** The database takes neither NUL characters nor halves of surrogate pairs, and no recursion takes any depth. */
function problemOf(value: unknown, depth: number): string | null {
  if (typeof value === 'string') {
    return value.includes('\0') || !value.isWellFormed() ? 'it holds text that is no text' : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth > maxDepth) return `it is nested more than ${maxDepth} deep`;
  for (const [key, member] of Object.entries(value)) {
    const problem = problemOf(key, 0) ?? problemOf(member, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}
