import type { JsonSchema, Tool } from '#domain';
import type { Curation } from './contract.ts';

/** What may be wrong; the order stays, as items of the queue are known by it. */
export const findingCodes = [
  'no_description',
  'description_is_name',
  'short_description',
  'bare_parameters',
  'empty_name',
  'no_successor',
  'successor_gone',
  'stale_examples',
] as const;

/** Something that a model is not told of a tool. */
export interface Finding {
  readonly code: (typeof findingCodes)[number];
  /** What to mend. */
  readonly advice: string;
  readonly severity: number;
}

const shortDescription = 40;
const maxNamed = 5;

/** Words that say what any tool does. */
const empty = new Set(
  'a action an api call cmd command data do endpoint exec execute fn for from func function get handle handler helper info invoke item main make method misc my new object of op operation perform post process put request resource run stuff task test the thing tool tools use util utils v1 v2 with'.split(
    ' ',
  ),
);

/** What of a tool is documented too little; what people wrote of it counts as well as what its source says. */
export function findingsOf(tool: Tool, curation: Curation): readonly Finding[] {
  return [...ofDescription(tool, curation), ...ofParameters(tool.inputSchema), ...ofName(tool, curation)];
}

function ofDescription({ description, name }: Tool, { whenToUse }: Curation): Finding[] {
  const own = description.trim();
  const said = [own, whenToUse ?? ''].join(' ').trim();
  if (said === '')
    return [finding('no_description', 'it has no description: say what it does, and when to use it', 5)];
  if (wordsOf(said).every((word) => wordsOf(name).includes(word)))
    return [
      finding(
        'description_is_name',
        'its description only repeats its name: say what it does, and when to use it',
        4,
      ),
    ];
  if (said.length < shortDescription)
    return [
      finding(
        'short_description',
        `its description has only ${said.length} characters: say what it gives back, and when to use it`,
        3,
      ),
    ];
  return [];
}

function ofParameters(schema: JsonSchema): Finding[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, unknown>);
  const bare = properties.filter(([, property]) => !isDescribed(property)).map(([name]) => name);
  if (bare.length === 0) return [];
  const named = bare.slice(0, maxNamed).map((name) => JSON.stringify(name.slice(0, 64)));
  const more = bare.length > maxNamed ? ` and ${bare.length - maxNamed} more` : '';
  const advice = `nothing is said of its parameters ${named.join(', ')}${more}: describe what to give`;
  return [finding('bare_parameters', advice, 1 + (2 * bare.length) / properties.length)];
}

function isDescribed(property: unknown): boolean {
  if (typeof property !== 'object' || property === null) return false;
  const { description } = property as { description?: unknown };
  return typeof description === 'string' && description.trim() !== '';
}

function ofName({ name }: Tool, { synonyms }: Curation): Finding[] {
  const words = wordsOf(name);
  if (synonyms.length > 0 || words.some((word) => word.length > 2 && !empty.has(word))) return [];
  return [finding('empty_name', 'its name says nothing of what it is for: give it synonyms', 2)];
}

function finding(code: Finding['code'], advice: string, severity: number): Finding {
  return { code, advice, severity };
}

/** `createIssue`, `create_issue`, `Create issue.` */
function wordsOf(text: string): string[] {
  return text
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
