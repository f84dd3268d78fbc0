import type { Principal, Refusal, Scope } from '#domain';
import type { Result } from '#foundation';

export interface ApiKey {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** The first characters of the key, to recognise it by. */
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly users: readonly string[] | null;
  readonly gateways: readonly string[] | null;
  readonly tools: readonly string[] | null;
  /** `svc_…`: the key does no more than this account may, acts as it where nobody is named, and goes with it; `null`: nobody's. */
  readonly serviceAccountId: string | null;
  readonly expiresAt: string | null;
  readonly createdAt: string;
}

export type NewApiKey = Pick<
  ApiKey,
  'projectId' | 'name' | 'scopes' | 'users' | 'gateways' | 'tools' | 'serviceAccountId' | 'expiresAt'
>;

export interface ApiKeys {
  /**
   * Who presents this `Authorization` header: an API key, with or without `Bearer`. `identity.missing`, `.invalid`
   * (unknown and revoked keys alike) or `.expired`. Takes no database round trip.
   */
  authenticate(authorization: string | undefined): Result<Principal, Refusal>;
  /** What `authenticate` says of this key now; by its id, for what goes on after its request. */
  principalOf(projectId: string, id: string): Result<Principal, Refusal>;
  createKey(key: NewApiKey): Promise<{ readonly key: ApiKey; readonly plaintext: string }>;
  listKeys(projectId: string): readonly ApiKey[];
  /** What is left out stays; `null` where the project has no such key. */
  updateKey(
    projectId: string,
    id: string,
    change: Partial<Pick<ApiKey, 'name' | 'expiresAt'>>,
  ): Promise<ApiKey | null>;
  revokeKey(projectId: string, id: string): Promise<boolean>;
  /** Makes sure that `plaintext` is an admin key, or, where there is no key at all, makes one. Returns a key only when it made one. */
  ensureAdminKey(plaintext: string | null): Promise<string | null>;
}
