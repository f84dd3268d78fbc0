/** What of a tool is searched, and nothing else of it. */
export interface SearchDocument {
  /** The tool's stable id, in one line. */
  readonly id: string;
  /** The same as long as everything here that is searched is: who holds documents against an index (`has`) puts in only what differs. */
  readonly hash: string;
  /** As the source spells it: `create_issue`, `SendEmail`. */
  readonly name: string;
  /** `mcp://github`: what its tools have in common. */
  readonly namespace: string;
  readonly title: string | null;
  readonly description: string;
  readonly parameters: readonly { readonly name: string; readonly description: string }[];
  /** Further words: tags, synonyms, when to use it, questions that it answers. */
  readonly enrichment: readonly string[];
  /** What people asked who then used it; `weight` is above 0 and at most 1. */
  readonly learned: readonly { readonly query: string; readonly weight: number }[];
  /** Of an embedding model that was configured; left out: the built-in one stands in. */
  readonly vector?: Float32Array;
}

/**
 * Documents that may be found, as bits: slot `n` is bit `n & 7` of byte `n >> 3`. Slots beyond its end are not permitted.
 * Made by `SearchIndex.permit`, and good until a slot has another document (`SearchIndex.generation`): later searches refuse it.
 */
export interface Permitted {
  readonly bits: Uint8Array;
  readonly generation: number;
  readonly count: number;
  /** How many that were named are not in the index. */
  readonly missing: number;
}

/** Where some documents are, to be put together with others (`SearchIndex.permitted`): bits as above, from byte `from` on. */
export interface Named {
  readonly from: number;
  readonly bits: Uint8Array;
  /** How often documents had come, and gone, when it was made. */
  readonly came: number;
  readonly went: number;
  /** How many that were named are not in the index. */
  readonly missing: number;
}

export interface SearchQuery {
  readonly text: string;
  /** `null`: everything. Nothing that is not permitted has any part in the answer, nor in its scores. */
  readonly permitted: Permitted | null;
  readonly limit: number;
  /** Of the model that the documents' vectors are of. */
  readonly vector?: Float32Array;
  /** How much of a score is likeness by that vector, from 0 to 1; a half unless given. */
  readonly weight?: number | undefined;
}

/** Best first. */
export interface Hit {
  readonly id: string;
  /** 0 to 1, against the best of this answer: it tells nothing of what fits another query. */
  readonly score: number;
  /** Others with the same name and description, which this one stands for; at most 100. */
  readonly alike: readonly string[];
}

/** The searchable tools of one project. */
export interface SearchIndex {
  readonly size: number;
  /** Grows whenever a slot is given to another document. */
  readonly generation: number;
  /** Whether a document with this id is in, and with this hash. */
  has(id: string, hash: string): boolean;
  /** Of all that are in; it must not change meanwhile. */
  ids(): Iterable<string>;
  /** Puts documents in, or in place of those with their ids; resolves when searches see it. Searches pass in between. */
  update(change: {
    readonly put: readonly SearchDocument[];
    readonly remove: readonly string[];
  }): Promise<void>;
  /** Of these ids, those that are in the index. */
  permit(ids: Iterable<string>): Permitted;
  /** Of these ids, those that are in the index: for what is asked for again and again, together with one or another. */
  named(ids: Iterable<string>): Named;
  /** Whether naming the same ids would come to the same. */
  isCurrent(named: Named): boolean;
  /** Whether it still names none but those ids; some of them may have come since. */
  isTrue(named: Named): boolean;
  /** All of these, which are true. */
  permitted(named: readonly Named[]): Permitted;
  /** Refuses (a fault) what was permitted in another generation. */
  search(query: SearchQuery): Promise<readonly Hit[]>;
  /** Writes all of it into a file; `stamp` says of what, and is given back by `load`. */
  save(path: string, stamp: string): Promise<void>;
  /**
   * Fills an index that is empty; of the same file once, and whoever asks again is told the same. `null`: there is no such file, or it
   * is damaged or another's, which is logged.
   */
  load(path: string): Promise<string | null>;
  close(): void;
}

/** Keeps the indexes in a thread of its own, so that nobody else waits for a search. */
export interface SearchEngine {
  index(projectId: string): SearchIndex;
  close(): Promise<void>;
}
