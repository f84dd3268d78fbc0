import type { Tool } from '#domain';
import { toolkitOf } from './payload.ts';

/** The rules whose match is the most specific one that fits: the tool, its toolkit, everything. */
export function createToolMatch<Rule extends { readonly match: string }>(
  rules: readonly Rule[],
): (tool: Tool) => readonly Rule[] {
  const byMatch = Map.groupBy(rules, ({ match }) => match.toLowerCase());
  return (tool) =>
    byMatch.get(tool.ruleName.toLowerCase()) ??
    byMatch.get(`${toolkitOf(tool).toLowerCase()}.*`) ??
    byMatch.get('*') ??
    [];
}
