import { createAnswerCache } from './answer-cache.ts';
import type { ModelSettings, Models, RerankSettings, RewriteSettings } from './contract.ts';
import { createDocuments, type DocumentDeps } from './documents.ts';
import { createEnrichments } from './enrichments.ts';
import { createModelLine, type LineDeps, type ModelLine, observeModels } from './model-line.ts';
import { askRerank } from './rerank.ts';
import { askIntents } from './rewriting.ts';
import { createVectors, type Vectors } from './vectors.ts';

const cachedQueries = 1000;

export function createModels(given: Omit<DocumentDeps, 'observed'>): Models {
  const observed = observeModels(given.metrics);
  const deps = { ...given, observed };
  const documents = createDocuments(deps, () => vectors.now?.space() ?? null);

  const rewriting = replaceable((settings: RewriteSettings) => createRewriting(settings, deps));
  const reranking = replaceable((settings: RerankSettings) => createReranking(settings, deps));
  const vectors = replaceable((settings: NonNullable<ModelSettings['embeddings']>): Vectors => {
    const made = createVectors(settings, deps);
    void documents.make('vector', made.making);
    return made;
  });
  const enrichments = replaceable((settings: NonNullable<ModelSettings['enrichment']>) => {
    const made = createEnrichments(settings, deps);
    void documents.make('enrichment', made.making);
    return made;
  });

  return {
    use({ rewrite, rerank, embeddings, enrichment }) {
      rewriting.use(rewrite);
      reranking.use(rerank);
      if (vectors.use(embeddings) && embeddings === undefined) void documents.make('vector', null);
      if (enrichments.use(enrichment) && enrichment === undefined) void documents.make('enrichment', null);
    },
    async rewrite(query, asking) {
      return (await rewriting.now?.rewrite(query, asking)) ?? null;
    },
    async embedQueries(projectId, texts, asking) {
      if (texts.length === 0 || documents.space(projectId) === null) return null;
      return (await vectors.now?.embedQueries(texts, asking)) ?? null;
    },
    candidates: () => reranking.now?.candidates() ?? null,
    async rerank(query, texts, asking) {
      if (texts.length === 0) return [];
      return (await reranking.now?.rerank(query, texts, asking)) ?? null;
    },
    documents,
    failing: () => [...observed.failing.values()],
    async close() {
      await documents.close();
      for (const one of [rewriting, reranking, vectors, enrichments]) one.use(undefined);
    },
  };
}

/** What was made of settings, as long as they are the same. */
function replaceable<Settings, Made extends { close(): void }>(make: (settings: Settings) => Made) {
  let settings: string | undefined;
  let now: Made | null = null;
  return {
    get now() {
      return now;
    },
    /** Whether these are others than before. */
    use(next: Settings | undefined): boolean {
      const text = JSON.stringify(next);
      if (text === settings) return false;
      settings = text;
      now?.close();
      now = next === undefined ? null : make(next);
      return true;
    },
  };
}

function createRewriting(settings: RewriteSettings, deps: LineDeps) {
  const line = createModelLine('rewrite', settings, deps);
  const cache = createAnswerCache<readonly string[]>(cachedQueries);
  return {
    async rewrite(query: string, { scope, signal = null }: Parameters<Models['rewrite']>[1]) {
      const key = JSON.stringify([scope, query]);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const { body, maxBytes, read } = askIntents(settings.model, query);
      const answer = await line.ask({ body, maxBytes, read, timeoutMs: settings.timeout_ms, signal });
      if (!answer.ok) return null;
      cache.set(key, answer.value);
      return answer.value;
    },
    close: line.close,
  };
}

function createReranking(settings: RerankSettings, deps: LineDeps) {
  const line: ModelLine = createModelLine('rerank', settings, deps);
  return {
    candidates: () => (line.restsMs() > 0 ? null : settings.candidates),
    async rerank(
      query: string,
      texts: readonly string[],
      { signal = null }: Parameters<Models['rerank']>[2],
    ) {
      const { body, maxBytes, read } = askRerank(settings, query, texts.slice(0, settings.candidates));
      const answer = await line.ask({ body, maxBytes, read, timeoutMs: settings.timeout_ms, signal });
      return answer.ok ? answer.value : null;
    },
    close: line.close,
  };
}
