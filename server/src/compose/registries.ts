import { mcpKind, type SourceKind, workerKind } from '#sources';

/** The kinds of places where tools can live. */
export const sourceKinds: readonly SourceKind[] = [workerKind, mcpKind];
