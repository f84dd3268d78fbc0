import type { TextEdit } from '../files/text-edit.ts';
import type { Place } from '../files/yaml-file.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';
import type { Resource } from './resource.ts';

/** Where a finding is: in an object, or anywhere in a file. */
export type Where = Place & ({ readonly resource: Resource } | { readonly file: string });

export interface Extras {
  /** Other than the rule's. */
  readonly level?: Finding['level'];
  readonly fix?: readonly TextEdit[] | undefined;
}

/** Tells of one place what is wrong and what to do, in one sentence. */
export type Say = (where: Where, message: string, extras?: Extras) => void;

export interface Rule {
  readonly id: string;
  readonly level: Finding['level'];
  /** What it asks for, as a line of a table. */
  readonly what: string;
  /** Why, for people who meet it for the first time. */
  readonly why: string;
  /** Whether `--fix` can mend what it finds, at least some of it. */
  readonly fixable: boolean;
  readonly check: (repository: Repository, say: Say) => void | Promise<void>;
}

export const at = (resource: Resource, path: readonly (string | number)[] = []): Where => ({
  resource,
  ...resource.at(path),
});

export const atKey = (resource: Resource, path: readonly (string | number)[]): Where => ({
  resource,
  ...resource.atKey(path),
});
