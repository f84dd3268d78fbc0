import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { SearchDocument } from '@sallyport/gateway/search';

export const setNames = ['seal', 'bfcl', 'metatool'] as const;
export type SetName = (typeof setNames)[number];

/** A tool as the sets have it. */
export interface EvalTool {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly server?: string;
  readonly tags?: readonly string[];
  readonly parameters: Readonly<Record<string, { readonly description?: string }>>;
}

export interface EvalQuery {
  readonly id: string;
  readonly query: string;
  /** Ids of the tools that are wanted. */
  readonly relevant: readonly string[];
  readonly split: string;
}

export interface DataSet {
  readonly name: SetName;
  readonly tools: readonly EvalTool[];
  /** For choosing settings, and for learning from use. */
  readonly dev: readonly EvalQuery[];
  /** What nothing was chosen by. */
  readonly test: readonly EvalQuery[];
}

/** How the queries of each set are divided, as reports say it. */
export const splitRules: Readonly<Record<SetName, string>> = {
  seal: 'tuned on its dev split, held out: test_in_domain and test_out_domain',
  bfcl: 'tuned on the half whose ids have an even SHA-256, held out: the other half',
  metatool:
    'tuned on queries outside of the sample, held out: every tenth single query and all for several tools',
};

const isForTuning: Readonly<Record<SetName, (query: EvalQuery) => boolean>> = {
  seal: ({ split }) => split === 'dev',
  bfcl: ({ id }) => (createHash('sha256').update(id).digest()[0] ?? 0) % 2 === 0,
  metatool: ({ id, split }) => split === 'single' && Number(/\d+$/.exec(id)?.[0]) % 10 !== 0,
};

export const committedData = join(import.meta.dirname, 'data');

export function loadSet(name: SetName, folder = committedData): DataSet {
  const tools = readLines<EvalTool>(join(folder, name, 'tools.jsonl'));
  const queries = readLines<EvalQuery>(join(folder, name, 'queries.jsonl'));
  const known = new Set(tools.map(({ id }) => id));
  const stray = queries.find(
    ({ relevant }) => relevant.length === 0 || relevant.some((id) => !known.has(id)),
  );
  if (stray !== undefined)
    throw new Error(`${name}: the query ${stray.id} wants a tool that is not in the set`);
  return {
    name,
    tools,
    dev: queries.filter(isForTuning[name]),
    test: queries.filter((query) => !isForTuning[name](query)),
  };
}

/** JSON lines, in a file with this name or packed beside it. */
export function readLines<T>(path: string): T[] {
  const text = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

export function documentOf(
  { id, name, description, server, tags, parameters }: EvalTool,
  learned: SearchDocument['learned'] = [],
): SearchDocument {
  const searched = {
    name,
    namespace: server === undefined ? '' : `mcp://${server}`,
    title: null,
    description,
    parameters: Object.entries(parameters).map(([parameter, { description: said }]) => ({
      name: parameter,
      description: said ?? '',
    })),
    enrichment: tags ?? [],
    learned,
  };
  return { ...searched, id, hash: createHash('sha1').update(JSON.stringify(searched)).digest('base64') };
}
