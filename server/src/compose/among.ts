import { join } from 'node:path';
import type { Audit } from '#audit';
import type { Settings } from '#config';
import type { Sources } from '#sources';
import type { Changes, Db } from '#storage';

/** What a process's rooms are among the other processes of the server. */
export interface Among {
  /** The embedded database where another process holds it; `null`: it is opened here. */
  readonly heldDb: Db | null;
  /** Whether others have the same database, whatever it is. */
  readonly sharesDb: boolean;
  /** Looks after sources and keys: one process does. */
  readonly isOffice: boolean;
  /** Where another process looks after sources: this one should be looked at. */
  readonly onHurry: (projectId: string, sourceId: string) => void;
  /** The journal is below it. */
  readonly auditDir: (settings: Settings) => string;
  readonly db: (db: Db) => Db;
  readonly changes: (changes: Changes) => Changes;
  readonly audit: (audit: Audit) => Audit;
  /** As calls run on them. */
  readonly sources: (sources: Sources) => Sources;
}

/** The only process of the server. */
export const alone: Among = {
  heldDb: null,
  sharesDb: false,
  isOffice: true,
  onHurry() {},
  auditDir: ({ dataDir }) => dataDir,
  db: (db) => db,
  changes: (changes) => changes,
  audit: (audit) => audit,
  sources: (sources) => sources,
};

export const lanesDir = (dataDir: string): string => join(dataDir, 'lanes');

/** Each journal has a writer of its own. */
export const laneDir = (dataDir: string, number: number): string => join(lanesDir(dataDir), String(number));
