import type {
  AuthProviderRequest,
  AuthProviderUpdate,
  CredentialProviderType,
  OAuth2Settings,
} from '@sallyport/contracts';
import type { Refusal } from '#domain';
import type { MaybePromise, Result } from '#foundation';
import type { KnownProvider } from './known-provider.ts';

/** An `auth_provider`: where users of a project have accounts that tools need. */
export interface AuthProvider {
  /** Chosen by whoever registers it; unique in the project. */
  readonly id: string;
  readonly projectId: string;
  readonly type: CredentialProviderType;
  /** The well-known provider whose facts it goes by (`github`); `null`: all is its own. */
  readonly providerId: string | null;
  /** What users know it by: `GitHub`. */
  readonly label: string;
  readonly description: string;
  readonly status: 'active' | 'inactive';
  /** As it was written, without secrets: the facts of a well-known provider are not in it; `header`, `entry`, `token_exchange` are. */
  readonly written: AuthProviderRequest;
  /** The well-known provider of `providerId`; `null`: there is none of that name. */
  readonly known: KnownProvider | null;
  /** For `oauth2`: complete, the facts of the well-known provider with its own on top. Without the secret. */
  readonly oauth2: OAuth2Settings | null;
  /** `file`: declared in the config file, read-only in the API; its endpoints may be internal. */
  readonly origin: 'file' | 'api';
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ProviderSecrets {
  /** Of `oauth2` and of `token_exchange`. */
  readonly clientSecret: string | null;
}

/** What a tool says it needs (`requirements.authorization`). */
export interface Requirement {
  /** A provider of the project by its own id. */
  readonly id: string | null;
  /** Or by the well-known provider that it is. */
  readonly providerId: string | null;
  readonly scopes: readonly string[];
}

/** Changes are told to other replicas (topic `auth_providers`). */
export interface Providers {
  list(projectId: string): readonly AuthProvider[];
  get(projectId: string, id: string): AuthProvider | null;
  /**
   * The active provider that serves this requirement: by id, or the one of that well-known kind; of several, the one whose id is
   * its name. `credentials.not_configured` says what is missing or ambiguous.
   */
  resolve(projectId: string, requirement: Requirement): Result<AuthProvider, Refusal>;
  create(projectId: string, request: AuthProviderRequest): Promise<Result<AuthProvider, Refusal>>;
  update(projectId: string, id: string, update: AuthProviderUpdate): Promise<Result<AuthProvider, Refusal>>;
  /** With all connections at it. */
  remove(projectId: string, id: string): Promise<Result<AuthProvider, Refusal>>;
  /** Makes those of the file exactly these. */
  applyFile(projectId: string, requests: readonly AuthProviderRequest[]): void;
  /** Its secrets, opened for one use. */
  secretsOf(provider: AuthProvider): MaybePromise<ProviderSecrets>;
  /** Whether it has any. */
  hasSecret(provider: AuthProvider): boolean;
  /** Where its users come back to: an address of its own, so that no provider gets the answer of another. */
  redirectUriOf(projectId: string, id: string): string;
}
