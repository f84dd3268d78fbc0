import type { EvalTool } from './data-sets.ts';

const k1 = 1.2;
const b = 0.75;

/** BM25 as one writes it in an hour: words between spaces and signs, nothing split, nothing stemmed. What search is compared with. */
export function createNaiveBm25(
  tools: readonly EvalTool[],
): (query: string, limit: number) => readonly string[] {
  const postings = new Map<string, [document: number, count: number][]>();
  const lengths = tools.map((tool, document) => {
    const words = wordsOf(textOf(tool));
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) {
      const list = postings.get(word);
      if (list === undefined) postings.set(word, [[document, count]]);
      else list.push([document, count]);
    }
    return words.length;
  });
  const mean = lengths.reduce((sum, one) => sum + one, 0) / tools.length;
  return (query, limit) => {
    const scores = new Map<number, number>();
    for (const word of new Set(wordsOf(query))) {
      const list = postings.get(word) ?? [];
      const idf = Math.log(1 + (tools.length - list.length + 0.5) / (list.length + 0.5));
      for (const [document, count] of list) {
        const norm = 1 - b + (b * (lengths[document] ?? 0)) / mean;
        scores.set(document, (scores.get(document) ?? 0) + (idf * count * (k1 + 1)) / (count + k1 * norm));
      }
    }
    return [...scores]
      .sort((left, right) => right[1] - left[1] || left[0] - right[0])
      .slice(0, limit)
      .map(([document]) => tools[document]?.id ?? '');
  };
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
}

function textOf({ name, description, server, tags, parameters }: EvalTool): string {
  const said = Object.entries(parameters).flatMap(([parameter, one]) => [parameter, one.description ?? '']);
  return [name, description, server ?? '', ...(tags ?? []), ...said].join(' ');
}
