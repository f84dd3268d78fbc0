import { type SourceKindName, sourceKinds } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { isAskedFor, isWithin } from './namespaces.ts';
import { oneLine } from './one-line.ts';
import type { Only, Scope } from './scopes.ts';
import { stemOf } from './search/lexicon.ts';
import { eachWord } from './search/words.ts';

/** What to try where little or nothing was found. It is made of what whoever asks may use, as everything that they are told. */

const whatThereIs = 'list_namespaces tells what there is.';
const otherWords = `Search again in other words: what is to be done, and with what, one intent a query. ${whatThereIs}`;
const notAllThere = 'Not every tool can be found yet: search again in a few seconds.';
const noTools =
  'There is no tool that you may use here at the moment. If there still is none in a while, whoever looks after this server has to grant you some.';

/** As many namespaces as are named. */
const mostNamed = 5;

export interface FoundNothing {
  readonly scope: Pick<Scope, 'spaces'>;
  /** Whether the index has all that may be found. */
  readonly isWhole: boolean;
  readonly only: Only;
  /** Namespaces of what is found when nothing but words matters, the best first. */
  readonly elsewhere: () => Promise<readonly string[]>;
}

export async function adviceOnNothing({ scope, isWhole, only, elsewhere }: FoundNothing): Promise<string> {
  const names = [...scope.spaces.keys()];
  if (names.length === 0) return noTools;
  const soon = isWhole ? [] : [notAllThere];
  if (only.namespace === undefined && only.kinds === undefined)
    return ['Nothing was found.', ...soon, otherWords].join(' ');
  const there = [...new Set(await elsewhere())].slice(0, mostNamed);
  const next =
    there.length === 0
      ? otherWords
      : `${listOf(there)} may have it: search there, or without namespace and kinds.`;
  return [whyNothing(names, only), ...soon, next].join(' ');
}

function whyNothing(names: readonly string[], { namespace, kinds }: Only): string {
  if (names.some((name) => isAskedFor(name, { namespace, kinds }))) return 'Nothing was found there.';
  const within = namespace === undefined ? names : names.filter((name) => isWithin(name, namespace));
  if (namespace !== undefined && within.length === 0) {
    const near = nearest(names, namespace);
    const meant = near.length === 0 ? '' : ` Perhaps ${listOf(near)} is meant.`;
    return `No tool that you may use is in the namespace ${JSON.stringify(shown(namespace))}.${meant}`;
  }
  const there = sourceKinds.filter((kind) => within.some((name) => name.startsWith(`${kind}://`)));
  return `No tool${namespace === undefined ? '' : ' there'} that you may use is of ${listOf(kinds ?? [])}: all are of ${listOf(there)}.`;
}

/** What somebody typed, and what was found for it. */
export interface SearchedIntent {
  readonly text: string;
  readonly isMissed: boolean;
  /** `null`: not told. */
  readonly best: ShownTool | null;
}

/** What was not found, and whether what was found says little of what was asked for; `undefined`: there is nothing to say. */
export function adviceOnFound(
  intents: readonly SearchedIntent[],
  isByWords: boolean,
  isWhole: boolean,
): string | undefined {
  const missed = intents.filter(({ isMissed }) => isMissed).map(({ text }) => JSON.stringify(shown(text)));
  const told = intents.filter(({ best }) => best !== null);
  const isPoor =
    isByWords && told.length > 0 && told.every(({ text, best }) => best !== null && saysLittle(best, text));
  const said = [
    ...(missed.length === 0 ? [] : [`Nothing was found for ${listOf(missed)}.`]),
    ...(isPoor ? ['These say little of what you asked for: look at their details before you run one.'] : []),
    ...(isWhole ? [] : [notAllThere]),
    ...(missed.length > 0 || isPoor ? [otherWords] : []),
  ];
  return said.length === 0 ? undefined : said.join(' ');
}

/** Of the words of a query that mean something, the best tool has as many when it fits, in all but few cases. */
const leastShare = 0.15;

function saysLittle({ tool, description, inputSchema }: ShownTool, query: string): boolean {
  const wanted = stemsOf(query);
  if (wanted.size === 0) return false;
  const has = stemsOf(
    `${tool.ruleName} ${String(tool.mcp.title ?? '')} ${description} ${JSON.stringify(inputSchema)}`,
  );
  let share = 0;
  for (const stem of wanted) if (has.has(stem)) share += 1 / wanted.size;
  return share < leastShare;
}

function stemsOf(text: string): ReadonlySet<string> {
  const stems = new Set<string>();
  eachWord(text, (word) => {
    const stem = stemOf(word);
    if (stem !== null) stems.add(stem);
  });
  return stems;
}

/** Namespaces that are spelled much like it, the likest first. */
function nearest(names: readonly string[], asked: string): readonly string[] {
  const wanted = pairsOf(asked);
  const liked = names.map((name) => ({ name, like: likeness(pairsOf(name), wanted) }));
  const near = liked.filter(({ like }) => like >= 0.5).sort((one, other) => other.like - one.like);
  return near.slice(0, mostNamed).map(({ name }) => name);
}

function pairsOf(name: string): ReadonlySet<string> {
  const letters = name
    .slice(name.indexOf('://') + 1)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < letters.length; at++) pairs.add(letters.slice(at, at + 2));
  return pairs;
}

/** From 0 to 1: the share of what they have in common (Dice). */
function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let common = 0;
  for (const pair of one) if (other.has(pair)) common++;
  return common === 0 ? 0 : (2 * common) / (one.size + other.size);
}

const shown = (text: string): string => oneLine(text).slice(0, 100);

function listOf(names: readonly (string | SourceKindName)[]): string {
  return names.length < 3 ? names.join(' or ') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
