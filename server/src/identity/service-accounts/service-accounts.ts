import { type Refusal, refusal } from '#domain';
import { type Clock, type Err, err, newId, ok } from '#foundation';
import type { Changes, Db } from '#storage';
import { hashSecret, isHashOf, newSecret } from './client-secret.ts';
import type { ServiceAccount, ServiceAccounts } from './contract.ts';
import { withoutExtras } from './public-keys.ts';
import { createAccountStore, type StoredAccount, topic } from './store.ts';

/** Loads all accounts. Every change is written to the database first and then to memory. */
export async function createServiceAccounts(deps: {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
}): Promise<ServiceAccounts> {
  const { clock } = deps;
  const store = createAccountStore(deps.db, deps.changes);
  let byId = mapOf(await store.load(null));

  deps.changes.on(topic, async (id) => {
    if (id === null) {
      byId = mapOf(await store.load(null));
      return;
    }
    const [stored] = await store.load(id);
    if (stored === undefined) byId.delete(id);
    else byId.set(id, stored);
  });

  async function change(projectId: string, id: string, to: Parameters<typeof store.update>[1]) {
    const stored = await store.update({ projectId, id }, to, clock.iso());
    if (stored !== null) byId.set(id, stored);
    return stored;
  }

  return {
    get: (id) => byId.get(id)?.account ?? null,

    list(projectId) {
      return [...byId.values()]
        .map(({ account }) => account)
        .filter((account) => account.projectId === projectId)
        .sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id));
    },

    async create(asked, { withSecret }) {
      const secret = withSecret ? newSecret() : null;
      const now = clock.iso();
      const account: ServiceAccount = {
        ...asked,
        id: newId('svc', clock.now()),
        jwks: withoutExtras(asked.jwks),
        hasSecret: withSecret,
        active: true,
        createdAt: now,
        updatedAt: now,
      };
      const stored = { account, secretHash: secret === null ? null : hashSecret(secret) };
      await store.insert(stored);
      byId.set(account.id, stored);
      return { account, secret };
    },

    async update(projectId, id, asked) {
      const jwks = asked.jwks === undefined ? {} : { jwks: withoutExtras(asked.jwks) };
      const stored = await change(projectId, id, { ...asked, ...jwks });
      return stored === null ? unknown(id) : ok(stored.account);
    },

    async renewSecret(projectId, id) {
      const secret = newSecret();
      const stored = await change(projectId, id, { secretHash: hashSecret(secret) });
      return stored === null ? unknown(id) : ok({ secret });
    },

    async remove(projectId, id) {
      const account = byId.get(id)?.account;
      if (!(await store.remove({ projectId, id })) || account === undefined) return unknown(id);
      byId.delete(id);
      return ok(account);
    },

    isSecret: (id, secret) => isHashOf(byId.get(id)?.secretHash ?? null, secret),
  };
}

function mapOf(all: readonly StoredAccount[]): Map<string, StoredAccount> {
  return new Map(all.map((stored) => [stored.account.id, stored]));
}

function unknown(id: string): Err<Refusal> {
  return err(refusal('resource.unknown', `there is no service account ${id}`, { field: 'id' }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
