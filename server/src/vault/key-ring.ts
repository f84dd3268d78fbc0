import { randomBytes } from 'node:crypto';
import { type Clock, createSingleFlight, Fault, messageOf, newId } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { VaultKey } from './envelope.ts';
import { databaseRootId, makeRootKeyRow, readRootKeyRow } from './root-key-row.ts';
import type { RootKeys } from './root-keys.ts';
import { insertActiveKey, lockVaultKeys, readVaultKeys, topic, type VaultKeyRow } from './vault-keys.ts';

/** The vault keys, unwrapped: all that were there at the start, and those that came since. */
export interface KeyRing {
  /** Seals what is new. A Fault while the newest cannot be had. */
  active(): VaultKey;
  /** One that is at hand. */
  get(id: string): VaultKey | undefined;
  /** Reads one that another replica made; `null`: there is none. A Fault where it cannot be had. */
  read(id: string): Promise<VaultKey | null>;
  /** Those that nothing new is sealed with, as the database says now. */
  retired(): Promise<readonly VaultKeyRow[]>;
  retiredCount(): number;
  /** Whether something new can be sealed. */
  seals(): boolean;
  /** Looks again at what there is. */
  reload(): Promise<void>;
}

export interface KeyRingDeps {
  readonly db: Db;
  readonly changes: Changes | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly roots: RootKeys;
}

/** Every key that there is must open: records may need it. A Fault that says which root key does not. */
export async function openKeyRing(deps: KeyRingDeps, rows: readonly VaultKeyRow[]): Promise<KeyRing> {
  const { db, changes, log, roots } = deps;
  const keys = new Map<string, VaultKey>();
  const once = createSingleFlight<VaultKey | null>();
  let activeId = '';
  let retired = 0;
  /** Why the key of what is new cannot be had. */
  let missing: Fault | null = null;

  /** As the row is then: its root key may have got another name. */
  async function unwrap(row: VaultKeyRow): Promise<VaultKeyRow> {
    const { bytes, by } = await roots.unwrap(row, contextOf(row.id));
    keys.set(row.id, { id: row.id, bytes });
    if (by !== row.root_key_id)
      await db.query('update vault_keys set root_key_id = $2 where id = $1', [row.id, by]);
    return { ...row, root_key_id: by };
  }

  async function take(found: readonly VaultKeyRow[]): Promise<void> {
    retired = found.filter(({ active }) => !active).length;
    const active = found.find((row) => row.active);
    if (active === undefined) throw new Fault('no vault key is active; restore the table vault_keys');
    await Promise.all(found.filter(({ id }) => !keys.has(id)).map(unwrap));
    activeId = active.id;
  }

  async function reload(): Promise<void> {
    try {
      await take(await readVaultKeys(db));
      missing = null;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const isTold = missing !== null;
      missing = new Fault(`another replica made a vault key that this one cannot have: ${error.message}`);
      if (!isTold)
        log.error({ error: error.message }, 'nothing can be sealed: a new vault key cannot be had');
    }
  }

  async function read(id: string): Promise<VaultKey | null> {
    const [row] = await readVaultKeys(db, id);
    if (row === undefined) return null;
    try {
      await unwrap(row);
      return keys.get(id) as VaultKey;
    } catch (error) {
      throw new Fault(`vault key ${id} cannot be had: ${messageOf(error)}`, { cause: error });
    }
  }

  const opened = await Promise.all(rows.map(unwrap));
  const current = opened.find((row) => row.active);
  if (current?.root_key_id === roots.main.id) await take(opened);
  else {
    await makeActive(deps);
    await take(await readVaultKeys(db));
  }
  changes?.on(topic, reload);

  return {
    active() {
      if (missing !== null) throw missing;
      return keys.get(activeId) as VaultKey;
    },
    get: (id) => keys.get(id),
    read: (id) => once(id, () => read(id)),
    async retired() {
      const found = (await readVaultKeys(db)).filter(({ active }) => !active);
      retired = found.length;
      return found;
    },
    retiredCount: () => retired,
    seals: () => missing === null,
    reload,
  };
}

/** Of replicas that start at the same time, one makes it. */
async function makeActive({ db, changes, clock, roots: { main } }: KeyRingDeps): Promise<void> {
  const id = newId('vk', clock.now());
  const bytes = randomBytes(32);
  const wrapped = await main.wrap(bytes, contextOf(id));
  // A root key that wraps and does not unwrap would lose everything at the next start.
  if (!(await main.unwrap(wrapped, contextOf(id))).equals(bytes))
    throw new Fault(`root key "${main.id}" does not give back what it wrapped; nothing was sealed with it`);
  await db.tx(async (queries) => {
    await lockVaultKeys(queries);
    const current = (await readVaultKeys(queries)).find(({ active }) => active);
    if (current?.root_key_id === main.id) return;
    if (main.id === databaseRootId) {
      await makeRootKeyRow(queries, clock.iso());
      // It may have been removed, and made anew, since we read it.
      await (await readRootKeyRow(queries))?.unwrap(wrapped, contextOf(id));
    }
    await insertActiveKey(queries, { id, root_key_id: main.id, wrapped }, clock.iso());
    await changes?.tell(queries, topic, id);
  });
}

const contextOf = (keyId: string) => `sallyport vault key ${keyId}`;
