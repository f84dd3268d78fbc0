import type { PinMode } from '#domain';

/** One difference between two definitions, by JSON pointer; a side that is missing was not there. */
export interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A tool whose source lists a definition that nobody approved. */
export interface ToolChange {
  readonly projectId: string;
  readonly sourceId: string;
  readonly toolId: string;
  readonly qualifiedName: string;
  readonly version: string | null;
  /** Held back; otherwise only told of. */
  readonly quarantined: boolean;
  /** Of the new definition. */
  readonly digest: string;
  readonly seenAt: string;
  readonly differences: readonly Difference[];
  /** Further differences, which are not told. */
  readonly leftOut: number;
  readonly definition: { readonly [member: string]: unknown };
}

/** How a source is pinned, and who hears of each change once, before the change shows. */
export interface Pinning {
  readonly mode: PinMode;
  readonly onChange: (change: ToolChange) => void | Promise<void>;
}
