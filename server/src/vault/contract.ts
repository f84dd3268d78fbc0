import type { MaybePromise } from '#foundation';

/**
 * Seals what must be kept and nobody may read: tokens, secrets, keys. Each record has a data key of its own (AES-256-GCM), which a
 * key of ours wraps, which a root key wraps; root keys are named by reference, and may live in a key service.
 */
export interface Vault {
  /**
   * `payload` as text for a column. It opens only for the same `purpose` and the same `boundTo`: the record that it stands in. Two
   * seals of one payload differ.
   */
  seal(purpose: string, payload: unknown, boundTo: string): string;
  /**
   * The payload; `null` for anything that was not sealed so. Immediate, unless another replica sealed it with a key that has to be
   * read first.
   */
  open(purpose: string, sealed: string, boundTo: string): MaybePromise<unknown>;
  /** Names a column of sealed texts, once, by whoever keeps it: it is sealed anew where the root key changes. */
  keeps(column: SealedColumn): void;
  /** The installation's own random key of this name, 32 bytes: the same in every replica and after every restart. */
  serverKey(name: string): Promise<Buffer>;
  close(): void;
}

export interface SealedColumn {
  readonly table: string;
  /** `text`; `''` and null hold nothing. */
  readonly column: string;
}
