import type { MaybePromise } from '#foundation';

/**
 * Seals what must be kept and nobody may read: tokens, secrets, keys. Each record has a data key of its own (AES-256-GCM), which a
 * vault key wraps, which a root key wraps; root keys are named by reference, and may live in a key service.
 */
export interface Vault {
  /**
   * `payload` as text for a column. It opens only for the same `purpose` and the same `boundTo`: the record that it stands in. Two
   * seals of one payload differ. Throws a Fault while a newer vault key cannot be had: what is sealed with an older one might be lost.
   */
  seal(purpose: string, payload: unknown, boundTo: string): string;
  /**
   * The payload; `null` for anything that was not sealed so. Immediate, unless another replica sealed it with a key that has to be
   * read first. A Fault that names the key where that cannot be had.
   */
  open(purpose: string, sealed: string, boundTo: string): MaybePromise<unknown>;
  /**
   * Names a column of sealed texts, once, by whoever keeps it: it is sealed anew where the root key changes. So nobody writes a
   * sealed text that they held for a while back into the database: they seal it anew.
   */
  keeps(column: SealedColumn): void;
  /** Seals what a version before the vault left in plain text. Quick where there is nothing, so call it before every load. */
  adopt(rows: PlainRows): Promise<void>;
  /** The installation's own random key of this name, 32 bytes: the same in every replica and after every restart. */
  serverKey(name: string): Promise<Buffer>;
  status(): VaultStatus;
  /** From now on records move to the vault key of the default root key: call it once everybody has said what they keep. */
  keepUp(): void;
  /** Moves now what is to be moved; for tests. */
  move(): Promise<void>;
  /** Done when nothing is being moved; for tests. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface SealedColumn {
  readonly table: string;
  /** `text`; `''` and null hold nothing. */
  readonly column: string;
}

/** Rows whose text column `sealed` is `''` hold in `plain`, JSON, what is to be sealed. */
export interface PlainRows {
  readonly table: string;
  /** The columns of the primary key, in the order in which `boundTo` gets their values. */
  readonly key: readonly string[];
  readonly plain: string;
  readonly purpose: string;
  readonly boundTo: (key: readonly string[]) => string;
  /** SQL: which rows are meant at all. */
  readonly where?: string;
}

export interface VaultStatus {
  /** Of the root key that seals what is new. */
  readonly rootKeyId: string;
  /** Where it lies beside what it seals, and so protects no copy of all of it. */
  readonly besideData: 'file' | 'database' | null;
  /** Vault keys that records are still moving away from. */
  readonly retired: number;
  /** False while a newer vault key, which another replica made, cannot be had; why is in the log. It is tried again. */
  readonly seals: boolean;
}

/** A root key, wherever it lies: it never comes out; it wraps vault keys. Errors are Faults that name the key and what to do. */
export interface KeyService {
  /** As whoever runs the server named it. */
  readonly id: string;
  /** Text for a column. It unwraps only in the same context. */
  wrap(bytes: Buffer, context: string): Promise<string>;
  unwrap(wrapped: string, context: string): Promise<Buffer>;
}
