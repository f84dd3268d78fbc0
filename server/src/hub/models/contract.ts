import type { Tool } from '#domain';

/** A model behind an address. */
interface EndpointSettings {
  readonly url: string;
  readonly model: string;
  /** A secret. */
  readonly key?: string | undefined;
  readonly timeout_ms: number;
}

export interface EmbeddingsSettings extends EndpointSettings {
  readonly format: 'openai' | 'voyage' | 'cohere';
  /** Left out: as many as the model gives. */
  readonly dimensions?: number | undefined;
  readonly weight: number;
  readonly batch: number;
}
export interface RerankSettings extends EndpointSettings {
  readonly format: 'cohere' | 'voyage' | 'jina';
  readonly candidates: number;
}
export interface RewriteSettings extends EndpointSettings {
  readonly format: 'openai';
}
export interface EnrichmentSettings extends EndpointSettings {
  readonly format: 'openai';
  readonly per_day: number;
}

/** What the config file says of models; what is left out is done without. */
export interface ModelSettings {
  readonly embeddings?: EmbeddingsSettings | undefined;
  readonly rerank?: RerankSettings | undefined;
  readonly rewrite?: RewriteSettings | undefined;
  readonly enrichment?: EnrichmentSettings | undefined;
}

/** For what a model is asked. */
export const modelUses = ['embed_query', 'embed_documents', 'rerank', 'rewrite', 'enrich'] as const;
export type ModelUse = (typeof modelUses)[number];

export interface FailingModel {
  readonly use: ModelUse;
  readonly model: string;
  readonly error: string;
  /** ISO 8601. */
  readonly since: string;
}

/** On whose behalf a model is asked about a search. */
export interface ModelAsking {
  /** What was answered is remembered for searches of the same scope alone: nobody learns by its speed what others searched for. */
  readonly scope: string;
  readonly signal?: AbortSignal | null;
}

/**
 * Models that others run, as far as they are configured. They only ever better what search does without them: `null` means not
 * configured, too slow, failed, or nonsense; nothing throws, and whoever runs the server sees it in the log and the metrics.
 *
 * They are told words of queries, and of tools their names, descriptions and the names of their parameters: never arguments,
 * results, or who asks.
 */
export interface Models {
  /** From now on these. What is not other than before goes on. */
  use(settings: ModelSettings): void;
  /** At most four intents of which the query consists; none where it is one. */
  rewrite(query: string, asking: ModelAsking): Promise<readonly string[] | null>;
  /** One for each text, normalised, of the space that serves the project; `null`, too, where none does. */
  embedQueries(
    projectId: string,
    texts: readonly string[],
    asking: ModelAsking,
  ): Promise<readonly Float32Array[] | null>;
  /** How many of the best should be found so that they can be put in a better order; `null`: that cannot be done now. */
  candidates(): number | null;
  /** How well each fits, from 0 to 1, in the order of the texts. Give only what the caller may see: nothing is added. */
  rerank(query: string, texts: readonly string[], asking: ModelAsking): Promise<readonly number[] | null>;
  readonly documents: ModelDocuments;
  /** Those that do not answer as they should, and are left alone for now. */
  failing(): readonly FailingModel[];
  close(): Promise<void>;
}

/** What one model makes of texts: those of two spaces cannot be compared. */
export interface VectorSpace {
  readonly id: string;
  readonly dimensions: number;
  /** How much meaning counts against words, from 0 to 1. */
  readonly weight: number;
}

/**
 * What models made of the tools of the catalogue: in the background, a batch at a time, kept in the database, and made by one
 * replica for all of them.
 */
export interface ModelDocuments {
  /** The one in which (nearly) every tool of the project has a vector; `null`: search by the built-in one. */
  space(projectId: string): VectorSpace | null;
  /** Of these tools; normalised, of the model that is configured. Not there for those that have none (yet). */
  vectorsOf(tools: readonly Tool[]): Promise<ReadonlyMap<string, Float32Array>>;
  /** For search alone: it is not the source's word, and must never be shown as if it were. */
  enrichmentsOf(tools: readonly Tool[]): Promise<ReadonlyMap<string, Enrichment>>;
  /** Called when these have other vectors or enrichments than before; `null`: all of the project may have. */
  onChange(listener: (projectId: string, toolIds: readonly string[] | null) => void): () => void;
}

/** Words by which a tool may be found, made up by a model from what the source says of it. */
export interface Enrichment {
  readonly whenToUse: string;
  readonly exampleQueries: readonly string[];
  readonly synonyms: readonly string[];
  readonly limitations: string;
}
