import type { Refusal } from '#domain';
import type { MaybePromise, Result } from '#foundation';

/** A value that tools and servers are given, without the value. */
export interface Secret {
  /** `sec_…`; of the file: its key. */
  readonly id: string;
  readonly organizationId: string;
  /** `null`: of every project of the organisation, where the project has none of that key itself. */
  readonly projectId: string | null;
  readonly key: string;
  readonly description: string;
  readonly origin: 'file' | 'api';
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastAccessedAt: string | null;
}

export interface SecretPlace {
  readonly organizationId: string;
  readonly projectId: string | null;
}

/** Changes are told to other replicas (topic `secrets`), and act on the next call. */
export interface Secrets {
  /** Those that a project has, its organisation's among them. */
  list(projectId: string): readonly Secret[];
  /** Makes it, or gives it another value. Refused where the file declares it. */
  put(
    place: SecretPlace,
    secret: {
      readonly key: string;
      readonly value: string;
      /** `undefined`: the one of before stays. */
      readonly description: string | undefined;
    },
  ): Promise<Result<Secret, Refusal>>;
  remove(place: SecretPlace, id: string): Promise<Result<Secret, Refusal>>;
  applyFile(
    projectId: string,
    secrets: readonly {
      readonly key: string;
      readonly value: string;
      readonly description?: string | undefined;
    }[],
  ): void;
  has(projectId: string, key: string): boolean;
  /** The value, opened for one use; `null`: there is none. */
  open(projectId: string, key: string): MaybePromise<string | null>;
  /** Hears of every change, of other replicas too. `null`: of any project. */
  onChange(listener: (projectId: string | null) => void): void;
}
