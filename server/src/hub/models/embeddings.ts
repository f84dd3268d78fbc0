import { z } from 'zod';
import { err, ok, type Result } from '#foundation';
import type { EmbeddingsSettings } from './contract.ts';
import { cut } from './tool-text.ts';

/** More is cut off: no model makes a better vector of it. */
const maxTextLength = 2000;
const maxDimensions = 4096;
/** A number as JSON writes it at most, and what is around it. */
const bytesPerNumber = 26;

export interface EmbeddingsAsked {
  readonly body: object;
  readonly maxBytes: number;
  /** `dimensions`: how many are expected; `null`: any number, the same for all. */
  read(dimensions: number | null): (value: unknown) => Result<Float32Array[], string>;
}

export function askEmbeddings(
  { format, model, dimensions }: EmbeddingsSettings,
  texts: readonly string[],
  input: 'query' | 'document',
): EmbeddingsAsked {
  const given = texts.map((text) => cut(text, maxTextLength));
  const bodies = {
    openai: { model, input: given, encoding_format: 'float', ...(dimensions && { dimensions }) },
    voyage: { model, input: given, input_type: input, ...(dimensions && { output_dimension: dimensions }) },
    cohere: {
      model,
      texts: given,
      input_type: `search_${input}`,
      embedding_types: ['float'],
      ...(dimensions && { output_dimension: dimensions }),
    },
  };
  return {
    body: bodies[format],
    maxBytes: texts.length * ((dimensions ?? maxDimensions) * bytesPerNumber + 1024) + 64 * 1024,
    read: (expected) => (value) => {
      const lists = (format === 'cohere' ? listsByType : listsByIndex)(value, texts.length);
      return lists === null
        ? err('it answered with something that is no list of embeddings, one for each text')
        : vectorsOf(lists, dimensions ?? expected);
    },
  };
}

const list = z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= maxDimensions);
const byIndex = z.object({ data: z.array(z.object({ index: z.int(), embedding: list })).max(1000) });
const byType = z.object({ embeddings: z.object({ float: z.array(list).max(1000) }) });

function listsByIndex(value: unknown, count: number): unknown[][] | null {
  const parsed = byIndex.safeParse(value);
  if (!parsed.success || parsed.data.data.length !== count) return null;
  const lists: unknown[][] = [];
  for (const { index, embedding } of parsed.data.data) lists[index] = embedding;
  // A place that was named twice has left another one empty.
  return lists.length === count &&
    lists.every((one) => one !== undefined) &&
    Object.keys(lists).length === count
    ? lists
    : null;
}

function listsByType(value: unknown, count: number): unknown[][] | null {
  const parsed = byType.safeParse(value);
  const lists = parsed.data?.embeddings.float;
  return lists?.length === count ? lists : null;
}

function vectorsOf(lists: readonly unknown[][], expected: number | null): Result<Float32Array[], string> {
  const dimensions = expected ?? lists[0]?.length ?? 0;
  const vectors: Float32Array[] = [];
  for (const one of lists) {
    if (one.length !== dimensions || dimensions === 0)
      return err(`it answered with ${one.length} dimensions where ${dimensions} were expected`);
    const vector = normalised(one);
    if (vector === null) return err('it answered with something that is no vector of numbers');
    vectors.push(vector);
  }
  return ok(vectors);
}

/** `null` where a number is none, or all are 0. */
function normalised(numbers: readonly unknown[]): Float32Array | null {
  let sum = 0;
  for (const number of numbers) {
    if (typeof number !== 'number') return null;
    sum += number * number;
  }
  const length = Math.sqrt(sum);
  if (!Number.isFinite(length) || length === 0) return null;
  return Float32Array.from(numbers as number[], (number) => number / length);
}
