import type { Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { createAnswerCache } from './answer-cache.ts';
import type { EmbeddingsSettings, ModelAsking, VectorSpace } from './contract.ts';
import { askEmbeddings } from './embeddings.ts';
import type { ModelFailure } from './endpoint.ts';
import type { Making } from './keeping.ts';
import { createModelLine, type LineDeps } from './model-line.ts';
import { textOf } from './tool-text.ts';
import { packVector } from './vector-bytes.ts';

const cachedQueries = 1000;
const documentsTimeoutMs = 30_000;
const packedHeaderBytes = 4;
/** A source that says something else of its tools at every look costs, and keeps, no more than this. */
const mostADay = 500_000;

/** A model that embeds queries at once, and tools in the background. */
export interface Vectors {
  readonly making: Making;
  /** `null` as long as nobody knows how many dimensions the model has. */
  space(): VectorSpace | null;
  embedQueries(texts: readonly string[], asking: ModelAsking): Promise<readonly Float32Array[] | null>;
  close(): void;
}

export function createVectors(settings: EmbeddingsSettings, deps: LineDeps): Vectors {
  const { format, model, weight, timeout_ms: timeoutMs } = settings;
  const queries = createModelLine('embed_query', settings, deps);
  const documents = createModelLine('embed_documents', settings, deps);
  const cache = createAnswerCache<Float32Array>(cachedQueries);
  const asked = settings.dimensions === undefined ? '' : `/${settings.dimensions}`;
  const id = `${format}/${model}${asked}`;
  let dimensions = settings.dimensions ?? null;

  async function embed(
    texts: readonly string[],
    input: 'query' | 'document',
    signal: AbortSignal | null,
  ): Promise<Result<readonly Float32Array[], ModelFailure>> {
    const { body, maxBytes, read } = askEmbeddings(settings, texts, input);
    const isQuery = input === 'query';
    const line = isQuery ? queries : documents;
    const time = isQuery ? timeoutMs : documentsTimeoutMs;
    return await line.ask({ body, maxBytes, read: read(dimensions), timeoutMs: time, signal });
  }

  /** What is refused for what is in it is taken apart: one text that no model takes keeps no other from being taken. */
  async function embedTools(
    tools: readonly Tool[],
    signal: AbortSignal,
  ): Promise<Result<(Buffer | null)[], ModelFailure>> {
    const answer = await embed(tools.map(textOf), 'document', signal);
    if (answer.ok) {
      dimensions ??= answer.value[0]?.length ?? null;
      return ok(answer.value.map(packVector));
    }
    if (!answer.error.isOurs) return answer;
    if (tools.length === 1) return ok([null]);
    const packed: (Buffer | null)[] = [];
    for (const tool of tools) {
      const one = await embedTools([tool], signal);
      if (!one.ok) return one;
      packed.push(...one.value);
    }
    return ok(packed);
  }

  const keyOf = (text: string, { scope }: ModelAsking) => JSON.stringify([scope, text]);

  return {
    making: {
      model: id,
      batch: settings.batch,
      perDay: mostADay,
      heldMs: 3 * documentsTimeoutMs,
      urgencyOf: () => 0,
      isWhole(bytes) {
        const found = bytes - packedHeaderBytes;
        if (found < 1) return false;
        dimensions ??= found;
        return found === dimensions;
      },
      async make(tools, signal) {
        const made = await embedTools(tools, signal);
        return made.ok ? made : err({ restMs: Math.max(documents.restsMs(), made.error.restMs ?? 0) });
      },
    },
    space: () => (dimensions === null ? null : { id, dimensions, weight }),
    async embedQueries(texts, asking) {
      const known = texts.map((text) => cache.get(keyOf(text, asking)));
      const missing = texts.filter((_, at) => known[at] === undefined);
      if (missing.length === 0) return known as Float32Array[];
      const answer = await embed(missing, 'query', asking.signal ?? null);
      if (!answer.ok) return null;
      const fresh = new Map(missing.map((text, at) => [text, answer.value[at] as Float32Array]));
      for (const [text, vector] of fresh) cache.set(keyOf(text, asking), vector);
      return texts.map((text, at) => known[at] ?? (fresh.get(text) as Float32Array));
    },
    close() {
      queries.close();
      documents.close();
    },
  };
}
