import type { Refusal, Role } from '#domain';
import type { Result } from '#foundation';

/** A program of a project: it signs in as itself (client_credentials), and API keys may belong to it. */
export interface ServiceAccount {
  /** `svc_…`; its OAuth client id, and its user id. */
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly hasSecret: boolean;
  /** Public keys, for `private_key_jwt`. */
  readonly jwks: { readonly keys: readonly { readonly [field: string]: unknown }[] } | null;
  /** What it may do on the API; on gateways it is a user like others. */
  readonly role: Exclude<Role, 'owner'>;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** In memory; changes are written first, and told to other replicas (topic `service_accounts`). */
export interface ServiceAccounts {
  get(id: string): ServiceAccount | null;
  list(projectId: string): readonly ServiceAccount[];
  create(
    account: Pick<ServiceAccount, 'projectId' | 'name' | 'description' | 'jwks' | 'role'>,
    options: { readonly withSecret: boolean },
  ): Promise<{ readonly account: ServiceAccount; readonly secret: string | null }>;
  update(
    projectId: string,
    id: string,
    change: Partial<Pick<ServiceAccount, 'name' | 'description' | 'jwks' | 'role' | 'active'>>,
  ): Promise<Result<ServiceAccount, Refusal>>;
  /** A new secret in the place of the one before. */
  renewSecret(projectId: string, id: string): Promise<Result<{ readonly secret: string }, Refusal>>;
  /** Its keys go with it. */
  remove(projectId: string, id: string): Promise<Result<ServiceAccount, Refusal>>;
  /** Constant time. */
  isSecret(id: string, secret: string): boolean;
}
