import { isDeepStrictEqual } from 'node:util';
import { type ToolFilter, toolFilter } from '@sallyport/contracts';
import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { issuesRefusal } from '../answer.ts';

type Words = ToolFilter['operations'];

/** The test that a `filter` parameter asks for. */
export function compileFilter(text: string | undefined): Result<(tool: Tool) => boolean, Refusal> {
  if (text === undefined || text === '') return ok(() => true);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(refusal('request.params_invalid', 'filter: is not valid JSON', { field: 'filter' }));
  }
  const parsed = toolFilter.safeParse(value);
  if (!parsed.success) {
    const { message, field } = issuesRefusal(parsed.error);
    const path = field === undefined ? 'filter' : `filter.${field}`;
    return err(refusal('request.params_invalid', `filter.${message}`, { field: path }));
  }
  return ok((tool) => passes(parsed.data, tool));
}

function passes(filter: ToolFilter, { metadata }: Tool): boolean {
  const behavior = metadata?.behavior;
  return (
    hasWords(filter.service_domains, metadata?.classification?.service_domains) &&
    hasWords(filter.operations, behavior?.operations) &&
    (['read_only', 'destructive', 'idempotent', 'open_world'] as const).every(
      (name) => filter[name] === undefined || filter[name] === behavior?.[name],
    ) &&
    Object.entries(filter.extras ?? {}).every(([key, value]) =>
      isDeepStrictEqual(metadata?.extras?.[key], value),
    )
  );
}

function hasWords(asked: Words, words: readonly string[] | null | undefined): boolean {
  if (asked === undefined) return true;
  const has = new Set((words ?? []).map((word) => word.toLowerCase()));
  const isThere = (word: string) => has.has(word.toLowerCase());
  const { any_of, all_of, none_of } = Array.isArray(asked) ? { any_of: asked } : asked;
  return (
    (any_of === undefined || any_of.some(isThere)) &&
    (all_of === undefined || all_of.every(isThere)) &&
    !none_of?.some(isThere)
  );
}
