import { type Egress, guardedFetch } from '#egress';
import { type Clock, Fault } from '#foundation';
import type { KeyService } from './contract.ts';
import type { GivenRootKey, GivenRootKeys } from './root-keys.ts';
import { type AwsKms, createAwsKms } from './services/aws-kms.ts';
import { type AzureKeyVault, createAzureKeyVault } from './services/azure-key-vault.ts';
import { createGcpKms, type GcpKms } from './services/gcp-kms.ts';
import { createLocalKey } from './services/local.ts';
import { createVaultTransit, type VaultTransit } from './services/vault-transit.ts';

export const environmentRootId = 'environment';

/** A root key as the config file declares it: one of the five. */
export interface DeclaredRootKey {
  readonly id: string;
  /** `false`: it opens what it wrapped, and nothing new is wrapped by it. */
  readonly default?: boolean | undefined;
  /** 32 bytes. */
  readonly value?: Buffer | undefined;
  readonly aws_kms?: AwsKms | undefined;
  readonly gcp_kms?: GcpKms | undefined;
  readonly azure_key_vault?: AzureKeyVault | undefined;
  readonly vault_transit?: VaultTransit | undefined;
}

export interface RootKeySources {
  readonly declared: readonly DeclaredRootKey[];
  /** `SALLYPORT_ROOT_KEY`. */
  readonly environment: Buffer | null;
  /** Where the tools of the key services keep their settings. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly egress: Egress;
  readonly clock: Clock;
}

const limits = { timeoutMs: 10_000, maxBytes: 64 * 1024 };

/** The default is the one that says so; else the environment's; else the only one, unless it says that it is not; else one of our own. */
export function givenRootKeys({ declared, environment, env, egress, clock }: RootKeySources): GivenRootKeys {
  const deps = { env, clock, send: guardedFetch(egress, 'file', limits) };
  const keys: GivenRootKey[] = declared.map((key) => ({
    service: serviceOf(key, deps),
    isLocal: key.value !== undefined,
  }));
  if (environment !== null) {
    const service = createLocalKey(environmentRootId, environment, 'SALLYPORT_ROOT_KEY');
    keys.push({ service, isLocal: true });
  }
  const named = declared.find((key) => key.default);
  const [only] = declared.length === 1 ? declared.filter(mayBeDefault) : [];
  const defaultId = named?.id ?? (environment === null ? (only?.id ?? null) : environmentRootId);
  if (defaultId === null && declared.some(mayBeDefault))
    throw new Fault('security.root_keys: expected "default: true" at one of them, for what is new');
  return { keys, defaultId };
}

const mayBeDefault = (key: DeclaredRootKey): boolean => key.default !== false;

/** What every key service is given. */
export interface ServiceDeps {
  readonly env: RootKeySources['env'];
  readonly clock: Clock;
  /** Through the egress policy. */
  readonly send: typeof fetch;
}

function serviceOf(key: DeclaredRootKey, deps: ServiceDeps): KeyService {
  if (key.value !== undefined) return createLocalKey(key.id, key.value, 'in security.root_keys');
  if (key.aws_kms !== undefined) return createAwsKms(key.id, key.aws_kms, deps);
  if (key.gcp_kms !== undefined) return createGcpKms(key.id, key.gcp_kms, deps);
  if (key.azure_key_vault !== undefined) return createAzureKeyVault(key.id, key.azure_key_vault, deps);
  if (key.vault_transit !== undefined) return createVaultTransit(key.id, key.vault_transit, deps);
  throw new Fault(`root key "${key.id}" says neither its value nor its key service`);
}
