import type { CurateToolRequest } from '@sallyport/contracts';
import type { Catalog } from '#catalog';
import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Curation } from './contract.ts';

const maxExamplesText = 32 * 1024;
/** One deprecated tool after another, until one that is not. */
const maxSuccessors = 20;

export interface CurateDeps {
  readonly catalog: Pick<Catalog, 'shown'>;
  readonly curationOf: (projectId: string, toolId: string) => Curation;
}

/** What is said of the tool once this was changed, or what speaks against it. */
export function curated(
  { catalog, curationOf }: CurateDeps,
  tool: Tool,
  before: Curation,
  { successor: _ref, ...change }: CurateToolRequest,
  successorId: string | null | undefined,
): Result<Curation, Refusal> {
  const lifecycle = change.lifecycle ?? before.lifecycle;
  if (successorId != null && lifecycle !== 'deprecated')
    return err(invalid('successor', 'is only for a tool whose lifecycle is "deprecated"'));
  const after: Curation = {
    owner: orBefore(change.owner, before.owner),
    lifecycle,
    successorId: lifecycle === 'deprecated' ? orBefore(successorId, before.successorId) : null,
    whenToUse: orBefore(change.when_to_use, before.whenToUse),
    synonyms: change.synonyms ?? before.synonyms,
    tags: change.tags ?? before.tags,
    exampleQueries: change.example_queries ?? before.exampleQueries,
    examples: change.examples ?? before.examples,
  };
  if (successorId != null && leadsTo(successorId, tool, curationOf))
    return err(invalid('successor', 'is the tool itself, or leads back to it'));
  const problem = change.examples === undefined ? null : problemOf(change.examples, tool, catalog);
  return problem === null ? ok(after) : err(problem);
}

function orBefore(asked: string | null | undefined, before: string | null): string | null {
  if (asked === undefined) return before;
  return asked?.trim() ? asked.trim() : null;
}

function leadsTo(from: string, tool: Tool, curationOf: CurateDeps['curationOf']): boolean {
  let id: string | null = from;
  for (let n = 0; n < maxSuccessors && id !== null; n++) {
    if (id === tool.id) return true;
    id = curationOf(tool.projectId, id).successorId;
  }
  return id !== null;
}

function problemOf(
  examples: readonly Record<string, unknown>[],
  tool: Tool,
  catalog: CurateDeps['catalog'],
): Refusal | null {
  if (JSON.stringify(examples).length > maxExamplesText)
    return invalid('examples', `must not be longer than ${maxExamplesText / 1024} KiB together`);
  const shown = catalog.shown(tool);
  for (const [at, example] of examples.entries()) {
    const taken = shown.takes(example);
    if (taken.ok) continue;
    const { field = 'arguments', message } = taken.error;
    const place = field.replace(/^arguments/, `examples[${at}]`);
    return refusal('request.params_invalid', message.replace(field, place), { field: place });
  }
  return null;
}

function invalid(field: string, problem: string): Refusal {
  return refusal('request.params_invalid', `${field}: ${problem}`, { field });
}
