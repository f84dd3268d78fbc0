import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Json } from './start-app.ts';

/**
 * Models as OpenAI, Voyage, Cohere and Jina serve them: what they do not document is refused. Texts with words in common are
 * alike, and that is all that these models know.
 */
export interface ModelServer {
  readonly url: string;
  /** What was asked, in order. */
  readonly asked: {
    readonly path: string;
    readonly body: Json;
    readonly headers: IncomingMessage['headers'];
  }[];
  /** What of it was against what the makers document. */
  readonly problems: string[];
  /** Called for each request; whoever returns `true` has answered it in another way. */
  misbehave: ((path: string, body: Json, response: ServerResponse) => boolean) | null;
  /** What a chat model says to what it is given. */
  chat: (task: string, data: Json) => string;
  /** Resolves when so many requests have come. */
  came(count: number): Promise<void>;
  close(): Promise<void>;
}

export const modelKey = 'key-of-the-models';
export const modelDimensions = 64;

const texts = (most: number) => z.array(z.string().min(1)).min(1).max(most);
const model = z.string();
const documents = { model, query: z.string().min(1), documents: texts(1000) };

const requests: Readonly<Record<string, z.ZodType>> = {
  '/openai/embeddings': z.strictObject({
    model,
    input: texts(2048),
    encoding_format: z.enum(['float', 'base64']).optional(),
    dimensions: z.int().min(1).optional(),
    user: z.string().optional(),
  }),
  '/voyage/embeddings': z.strictObject({
    model,
    input: texts(1000),
    input_type: z.enum(['query', 'document']).nullish(),
    truncation: z.boolean().optional(),
    output_dimension: z.int().nullish(),
    output_dtype: z.enum(['float', 'int8', 'uint8', 'binary', 'ubinary']).optional(),
  }),
  '/cohere/embed': z.strictObject({
    model,
    texts: texts(96),
    input_type: z.enum(['search_document', 'search_query', 'classification', 'clustering']),
    embedding_types: z.array(z.enum(['float', 'int8'])).min(1),
    output_dimension: z.int().optional(),
    truncate: z.enum(['NONE', 'START', 'END']).optional(),
  }),
  '/cohere/rerank': z.strictObject({
    ...documents,
    top_n: z.int().min(1).optional(),
    max_tokens_per_doc: z.int().optional(),
  }),
  '/voyage/rerank': z.strictObject({
    ...documents,
    top_k: z.int().min(1).nullish(),
    return_documents: z.boolean().optional(),
    truncation: z.boolean().optional(),
  }),
  '/jina/rerank': z.strictObject({
    ...documents,
    top_n: z.int().min(1).optional(),
    return_documents: z.boolean().optional(),
  }),
  '/openai/chat': z.strictObject({
    model,
    messages: z
      .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
      .min(1),
    response_format: z.strictObject({ type: z.enum(['text', 'json_object']) }).optional(),
    max_completion_tokens: z.int().min(1).optional(),
    temperature: z.number().optional(),
  }),
};

/** Words in places of their own, by what they begin with. */
export function embeddingOf(given: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const word of given.toLowerCase().match(/[a-z]+/g) ?? ['']) {
    const at = Number.parseInt(hash('sha1', word.slice(0, 5)).slice(0, 8), 16) % dimensions;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  return vector;
}

function likeness(one: string, other: string): number {
  const words = (given: string) => new Set(given.toLowerCase().match(/[a-z]+/g));
  const both = [...words(one)].filter((word) => words(other).has(word)).length;
  return both / (1 + both);
}

function answerTo(path: string, body: Json, chat: ModelServer['chat']): object {
  const dimensions = body.dimensions ?? body.output_dimension ?? modelDimensions;
  const embedded = (body.input ?? body.texts ?? []).map((given: string) => embeddingOf(given, dimensions));
  const ranked = () =>
    body.documents
      .map((given: string, index: number) => ({ index, relevance_score: likeness(body.query, given) }))
      .sort((one: Json, other: Json) => other.relevance_score - one.relevance_score);
  const listed = () =>
    embedded.map((embedding: number[], index: number) => ({ object: 'embedding', index, embedding }));
  const answers: Record<string, () => object> = {
    // Nobody promised that they come in order.
    '/openai/embeddings': () => ({
      object: 'list',
      data: listed().reverse(),
      model: body.model,
      usage: { prompt_tokens: 1, total_tokens: 1 },
    }),
    '/voyage/embeddings': () => ({
      object: 'list',
      data: listed(),
      model: body.model,
      usage: { total_tokens: 1 },
    }),
    '/cohere/embed': () => ({
      id: '1',
      embeddings: { float: embedded },
      texts: body.texts,
      meta: { api_version: { version: '2' } },
    }),
    '/cohere/rerank': () => ({ id: '1', results: ranked().slice(0, body.top_n), meta: {} }),
    '/voyage/rerank': () => ({
      object: 'list',
      data: ranked().slice(0, body.top_k),
      model: body.model,
      usage: { total_tokens: 1 },
    }),
    '/jina/rerank': () => ({
      model: body.model,
      results: ranked().slice(0, body.top_n),
      usage: { total_tokens: 1 },
    }),
    '/openai/chat': () => ({
      id: '1',
      object: 'chat.completion',
      model: body.model,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            content: chat(body.messages[0].content, JSON.parse(body.messages.at(-1).content)),
          },
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  };
  return (answers[path] as () => object)();
}

export async function startModelServer(): Promise<ModelServer> {
  const asked: ModelServer['asked'] = [];
  const problems: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const state: Pick<ModelServer, 'misbehave' | 'chat'> = { misbehave: null, chat: () => '{}' };
  const say = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = JSON.parse(await text(request)) as Json;
    asked.push({ path, body, headers: request.headers });
    for (const one of waiting) if (asked.length >= one.count) one.resolve();
    if (request.headers.authorization !== `Bearer ${modelKey}`)
      return void say(response, 401, { error: { message: 'no' } });
    const parsed = requests[path]?.safeParse(body);
    if (request.method !== 'POST' || parsed?.success !== true) {
      problems.push(`${request.method} ${path}: ${parsed?.error ?? 'not there'}`);
      return void say(response, 400, { error: { message: 'that is no such request' } });
    }
    if (state.misbehave?.(path, body, response)) return;
    say(response, 200, answerTo(path, body, state.chat));
  }

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    asked,
    problems,
    async came(count: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (asked.length >= count) resolve();
      await promise;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}
