import { createHash } from 'node:crypto';
import { openEngine, type SearchDocument, type SearchIndex } from '@sallyport/gateway/search';
import { type ListedTool, listedTool, sourceName } from './many-tools.ts';

/**
 * One process, one index: how long a search takes among so many tools, of which a caller may use a part. Arguments: how many tools,
 * and how many searches of each part. It prints one line of JSON, a `SearchCost`.
 */
export interface SearchCost {
  readonly tools: number;
  /** From documents to answers, without a catalogue. */
  readonly indexMs: number;
  readonly indexCpuMs: number;
  /** Of the whole process, index and Node itself; the documents are gone. */
  readonly residentMb: number;
  readonly parts: readonly PartCost[];
}

export interface PartCost {
  readonly share: number;
  readonly permitted: number;
  /** The first search of a caller whose permissions were not seen before. */
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

const toolsPerSource = 1000;
const shares = [0.01, 0.1, 1];

const idOf = (at: number): string => `tool-${at}`;
const toolAt = (at: number): ListedTool => listedTool(Math.floor(at / toolsPerSource), at % toolsPerSource);

function documentAt(at: number): SearchDocument {
  const { name, title, description, inputSchema } = toolAt(at);
  const properties = inputSchema.properties as Record<string, { readonly description: string }>;
  return {
    id: idOf(at),
    hash: idOf(at),
    name,
    namespace: `mcp://${sourceName(Math.floor(at / toolsPerSource))}`,
    title,
    description,
    parameters: Object.entries(properties).map(([parameter, one]) => ({
      name: parameter,
      description: one.description,
    })),
    enrichment: [],
    learned: [],
  };
}

/** As short as a name, a sentence, and two things at once: in the words of tools that are there. */
function queryAt(at: number, tools: number): string {
  const place = (salt: number): number =>
    createHash('sha256').update(`${at} ${salt}`).digest().readUInt32LE(0) % tools;
  const [one, other] = [toolAt(place(1)), toolAt(place(2))];
  const sentence = ({ description }: ListedTool): string => description.split('. ').slice(0, 2).join(', ');
  return [
    one.name.replaceAll('_', ' '),
    `I would like to ${sentence(one).toLowerCase()}`,
    `${sentence(one)} and then ${other.title.toLowerCase()} for everybody who takes part in it`,
  ][at % 3] as string;
}

async function measure(tools: number, searches: number): Promise<SearchCost> {
  const engine = openEngine();
  const index = engine.index('bench');
  const began = { at: performance.now(), cpu: process.cpuUsage() };
  let making = 0;
  for (let from = 0; from < tools; from += toolsPerSource) {
    const makingFrom = performance.now();
    const put = Array.from({ length: Math.min(toolsPerSource, tools - from) }, (_, at) =>
      documentAt(from + at),
    );
    making += performance.now() - makingFrom;
    await index.update({ put, remove: [] });
  }
  const indexMs = performance.now() - began.at - making;
  const indexCpuMs = cpuSince(began.cpu) - making;
  const parts: PartCost[] = [];
  for (const share of shares) parts.push(await measurePart(index, tools, share, searches));
  globalThis.gc?.();
  const residentMb = process.memoryUsage.rss() / 2 ** 20;
  await engine.close();
  return { tools, indexMs, indexCpuMs, residentMb, parts };
}

async function measurePart(
  index: SearchIndex,
  tools: number,
  share: number,
  searches: number,
): Promise<PartCost> {
  const ids = Array.from({ length: tools }, (_, at) => idOf(at)).filter((id) => fractionOf(id) < share);
  const permitted = index.permit(ids);
  const search = async (at: number): Promise<number> => {
    const began = performance.now();
    const hits = await index.search({ text: queryAt(at, tools), permitted, limit: 10 });
    if (hits.length === 0 && share === 1) throw new Error(`nothing was found for ${queryAt(at, tools)}`);
    return performance.now() - began;
  };
  const firstMs = await search(0);
  const warmUp = Math.ceil(searches / 5);
  for (let at = 1; at < warmUp; at++) await search(at);
  const cpu = process.cpuUsage();
  const took: number[] = [];
  for (let at = warmUp; at < warmUp + searches; at++) took.push(await search(at));
  const cpuMs = cpuSince(cpu) / searches;
  took.sort((left, right) => left - right);
  const quantile = (part: number): number =>
    took[Math.min(searches - 1, Math.floor(searches * part))] as number;
  return { share, permitted: permitted.count, firstMs, p50Ms: quantile(0.5), p95Ms: quantile(0.95), cpuMs };
}

function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (import.meta.main) {
  const [tools = 5000, searches = 300] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await measure(tools, searches)));
}
