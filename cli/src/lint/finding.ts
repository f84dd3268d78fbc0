import type { TextEdit } from '../files/text-edit.ts';

/** What one rule says of one place. */
export interface Finding {
  /** As in the table of rules: `labels-missing`, `nodeport-dup`. */
  readonly rule: string;
  readonly level: 'error' | 'warning';
  /** From the root of the repository, with `/`. */
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** `Deployment ai-platform/github-mcp`, where the place belongs to one. */
  readonly object?: string;
  /** What is wrong and what to do, in one sentence. */
  readonly message: string;
  /** What `--fix` changes in that file; all of one finding, or none. */
  readonly fix?: readonly TextEdit[];
}
