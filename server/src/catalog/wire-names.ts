import type { Tool } from '#domain';

const maxLength = 64;

/** A tool that needs a name on a gateway. */
export interface Nameless {
  readonly tool: Tool;
  /** Chosen by the gateway's curation. */
  readonly chosen: string | null;
  /** Milliseconds: when the catalog first saw the tool. Whoever came first keeps the plain name. */
  readonly firstSeenMs: number;
}

/**
 * Names the tools of one gateway, one name each, at most 64 characters of `[A-Za-z0-9_-]`. A chosen name goes first,
 * then `Toolkit_Tool`, the longest-known tool first; one whose name is taken or too long gets eight digits of its id
 * appended. So a tool that appears later never takes a name that clients already call.
 */
export function nameTools(tools: readonly Nameless[]): Map<Tool, string> {
  const names = new Map<Tool, string>();
  const taken = new Set<string>();
  const order = [...tools].sort(
    (a, b) =>
      Number(a.chosen === null) - Number(b.chosen === null) ||
      a.firstSeenMs - b.firstSeenMs ||
      (a.tool.id < b.tool.id ? -1 : 1),
  );
  for (const { tool, chosen } of order) {
    const plain = chosen ?? `${tool.toolkit.name}_${tool.name}`.replace(/[^A-Za-z0-9_-]/g, '_');
    const name = plain.length <= maxLength && !taken.has(plain) ? plain : withId(plain, tool.id);
    taken.add(name);
    names.set(tool, name);
  }
  return names;
}

function withId(name: string, id: string): string {
  const suffix = `_${id.slice(-8)}`;
  return name.slice(0, maxLength - suffix.length) + suffix;
}
