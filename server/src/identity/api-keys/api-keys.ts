import {
  compileGlobs,
  type Permission,
  type Principal,
  permissionsOfRole,
  permissionsOfScope,
  type Refusal,
  refusal,
} from '#domain';
import { type Clock, err, Fault, newId, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { ServiceAccount, ServiceAccounts } from '../service-accounts/contract.ts';
import type { ApiKey, ApiKeys, NewApiKey } from './contract.ts';
import { hashKey, hintOf, newKeyText, presentedKey } from './key-text.ts';
import { createKeyStore, type StoredKey } from './store.ts';

const firstKeyId = 'key_admin_first';
const environmentKeyId = 'key_admin_env';
/** They come from whoever runs the installation, who makes its first owners. */
export const isOperatorKey = (id: string): boolean => id === firstKeyId || id === environmentKeyId;
const maxKeyLength = 1024;

const missing = err(
  refusal('identity.missing', 'send an access token or an API key: Authorization: Bearer …', {
    field: 'Authorization',
  }),
);
const unknown = err(
  refusal(
    'identity.invalid',
    'this is no API key and no access token of this server: it is mistyped or revoked, or it belongs to another server',
    { field: 'Authorization' },
  ),
);

const deactivated = err(
  refusal('identity.deactivated', 'the service account of this API key is deactivated', {
    field: 'Authorization',
  }),
);

/** A key with its answers prepared, so that checking it makes nothing. */
interface LiveKey {
  readonly key: ApiKey;
  readonly expiresAtMs: number;
  /** Of the account as it was then. */
  accepted: Result<Principal, Refusal>;
  account: ServiceAccount | null;
  readonly expired: Result<Principal, Refusal>;
}

/** Loads all keys. Every change is written to the database first and then to memory. */
export async function createApiKeys(deps: {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly log: Log;
  readonly serviceAccounts: Pick<ServiceAccounts, 'get'>;
}): Promise<ApiKeys> {
  const { clock, log } = deps;
  const store = createKeyStore(deps.db, deps.changes);
  const byHash = new Map<string, LiveKey>();

  function keep({ hash, key }: StoredKey): void {
    byHash.set(hash, liveKey(key));
  }

  function forget(test: (key: ApiKey) => boolean): void {
    for (const [hash, { key }] of byHash) if (test(key)) byHash.delete(hash);
  }

  function find(projectId: string, id: string): { readonly hash: string; readonly live: LiveKey } | null {
    for (const [hash, live] of byHash)
      if (live.key.projectId === projectId && live.key.id === id) return { hash, live };
    return null;
  }

  function draft(id: string, text: string, key: NewApiKey): StoredKey {
    const expiresAt = key.expiresAt === null ? null : isoDate(key.expiresAt);
    const createdAt = clock.iso();
    return { hash: hashKey(text), key: { ...key, id, hint: hintOf(text), expiresAt, createdAt } };
  }

  /** Changing the key replaces the one before it. Nothing happens where it is already in place. */
  async function setEnvironmentKey(plaintext: string): Promise<void> {
    const stored = draft(environmentKeyId, plaintext, adminKey('SALLYPORT_ADMIN_KEY'));
    if (byHash.get(stored.hash)?.key.id === environmentKeyId) return;
    await store.replace(stored);
    forget(({ id }) => id === environmentKeyId);
    keep(stored);
    log.info({ key: environmentKeyId }, 'the admin key of the environment is in place');
  }

  /** As they are in the database now; `null`: all. */
  async function look(id: string | null): Promise<void> {
    const stored = await store.load(id);
    forget((key) => id === null || key.id === id);
    stored.forEach(keep);
  }

  deps.changes.on('api_keys', look);
  await look(null);

  return {
    authenticate(authorization) {
      const text = presentedKey(authorization);
      if (text === '') return missing;
      if (text.length > maxKeyLength) return unknown;
      // Found by digest, and a caller cannot steer a digest, so the time this takes tells nothing about any key.
      return answerOf(byHash.get(hashKey(text)), deps);
    },

    principalOf: (projectId, id) => answerOf(find(projectId, id)?.live, deps),

    async createKey(key) {
      const plaintext = newKeyText();
      const stored = draft(newId('key', clock.now()), plaintext, key);
      if (!(await store.insert(stored))) throw new Fault('a new API key has the id or text of another');
      keep(stored);
      return { key: stored.key, plaintext };
    },

    listKeys(projectId) {
      const keys = [...byHash.values()].map(({ key }) => key).filter((key) => key.projectId === projectId);
      return keys.filter((key) => hasAccount(key, deps.serviceAccounts)).sort(byAge);
    },

    async updateKey(projectId, id, change) {
      const found = find(projectId, id);
      if (found === null) return null;
      const { hash, live } = found;
      const before = live.key;
      const expiresAt = change.expiresAt == null ? change.expiresAt : isoDate(change.expiresAt);
      const key = { ...before, ...change, ...(expiresAt === undefined ? {} : { expiresAt }) };
      if (!(await store.update(key))) return null;
      keep({ hash, key });
      return key;
    },

    async revokeKey(projectId, id) {
      const removed = await store.remove(projectId, id);
      forget((key) => key.projectId === projectId && key.id === id);
      return removed;
    },

    async ensureAdminKey(plaintext) {
      if (plaintext !== null) {
        await setEnvironmentKey(plaintext);
        return null;
      }
      if (byHash.size > 0) return null;
      const text = newKeyText();
      const stored = draft(firstKeyId, text, adminKey('admin'));
      if (!(await store.insertFirst(stored))) return null;
      keep(stored);
      return text;
    },
  };
}

function adminKey(name: string): NewApiKey {
  const unrestricted = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
  return { projectId: 'default', name, scopes: ['admin'], ...unrestricted };
}

function answerOf(
  live: LiveKey | undefined,
  {
    clock,
    serviceAccounts,
  }: { readonly clock: Clock; readonly serviceAccounts: Pick<ServiceAccounts, 'get'> },
): Result<Principal, Refusal> {
  if (live === undefined) return unknown;
  if (live.expiresAtMs <= clock.now()) return live.expired;
  return live.key.serviceAccountId === null ? live.accepted : ofAccount(live, serviceAccounts);
}

/** As the account stands now: it may be gone, or another than it was a moment ago. */
function ofAccount(live: LiveKey, accounts: Pick<ServiceAccounts, 'get'>): Result<Principal, Refusal> {
  const account = accounts.get(live.key.serviceAccountId ?? '');
  if (account === null) return unknown;
  if (!account.active) return deactivated;
  if (account !== live.account) {
    live.account = account;
    live.accepted = ok(principalOf(live.key, account));
  }
  return live.accepted;
}

function principalOf(key: ApiKey, account: ServiceAccount | null): Principal {
  const permissions: Permission[] = key.scopes.flatMap((scope) => permissionsOfScope[scope]);
  if (isOperatorKey(key.id)) permissions.push(...permissionsOfRole.owner);
  const most = account === null ? permissions : permissionsOfRole[account.role];
  return {
    kind: 'api_key',
    id: key.id,
    name: key.name,
    projectId: key.projectId,
    permissions: new Set(permissions.filter((permission) => most.includes(permission))),
    users: key.users === null ? null : compileGlobs(key.users, 'exact'),
    gateways: key.gateways === null ? null : new Set(key.gateways),
    tools: key.tools === null ? null : compileGlobs(key.tools),
    confined: key.users !== null || key.tools !== null,
    expiresAtMs: key.expiresAt === null ? null : Date.parse(key.expiresAt),
    ...(account === null ? {} : { actsAs: account.id }),
  };
}

function liveKey(key: ApiKey): LiveKey {
  const principal = principalOf(key, null);
  const gone = refusal('identity.expired', `this API key expired at ${key.expiresAt}; make a new one`, {
    field: 'Authorization',
    reason: `API key ${key.id} expired`,
  });
  return {
    key,
    expiresAtMs: principal.expiresAtMs ?? Number.POSITIVE_INFINITY,
    accepted: ok(principal),
    account: null,
    expired: err(gone),
  };
}

function isoDate(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Fault('the expiry of an API key is not a date');
  return new Date(ms).toISOString();
}

/** Those of an account went with it. */
function hasAccount({ serviceAccountId: id }: ApiKey, accounts: Pick<ServiceAccounts, 'get'>): boolean {
  return id === null || accounts.get(id) !== null;
}

function byAge(a: ApiKey, b: ApiKey): number {
  return compare(a.createdAt, b.createdAt) || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
