import { z } from 'zod';
import { err, ok, type Result } from '#foundation';
import type { RerankSettings } from './contract.ts';
import { cut } from './tool-text.ts';

const maxTextLength = 1200;
const bytesPerResult = 256;

const scored = z.array(z.object({ index: z.int(), relevance_score: z.number() })).max(1000);
const inData = z.object({ data: scored });
const inResults = z.object({ results: scored });

export function askRerank({ format, model }: RerankSettings, query: string, texts: readonly string[]) {
  const documents = texts.map((text) => cut(text, maxTextLength));
  const asked = { model, query: cut(query, maxTextLength), documents };
  const count = texts.length;
  const bodies = {
    cohere: { ...asked, top_n: count },
    voyage: { ...asked, top_k: count, return_documents: false },
    jina: { ...asked, top_n: count, return_documents: false },
  };
  return {
    body: bodies[format],
    // Some send the documents back, whatever is asked.
    maxBytes: count * (bytesPerResult + 4 * maxTextLength) + 16 * 1024,
    read(value: unknown): Result<number[], string> {
      const results =
        format === 'voyage' ? inData.safeParse(value).data?.data : inResults.safeParse(value).data?.results;
      const scores = new Array<number>(count).fill(Number.NaN);
      for (const { index, relevance_score: score } of results ?? [])
        if (index >= 0 && index < count) scores[index] = Math.min(1, Math.max(0, score));
      return results?.length === count && !scores.some(Number.isNaN)
        ? ok(scores)
        : err('it answered with something that is no score for each document');
    },
  };
}
