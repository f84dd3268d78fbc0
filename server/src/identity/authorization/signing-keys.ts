import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, messageOf } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import type { Log } from '#telemetry';
import { opened, type Vault } from '#vault';
import type { SigningKey, SigningKeys } from './contract.ts';

const lookEveryMs = 6 * 3_600_000;
const dayMs = 24 * 3_600_000;
/** How long a key signs. */
const signsMs = 30 * dayMs;
/** How long before its predecessor retires a key is published, so that everybody knows it when it begins to sign. */
const aheadMs = dayMs;
/** How long a key is published after it retired; nothing that is signed holds for longer. */
const heldMs = dayMs;

const purpose = 'signing key';

const newKeyPair = promisify(generateKeyPair);

interface StoredKey extends SigningKey {
  readonly retiresAtMs: number;
  readonly expiresAtMs: number;
}

interface KeyRow extends Record<string, unknown> {
  id: string;
  sealed: string;
  retires_at: string;
  expires_at: string;
}

export interface SigningKeysDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
}

export async function createSigningKeys({
  db,
  changes,
  vault,
  clock,
  log,
}: SigningKeysDeps): Promise<SigningKeys> {
  vault.keeps({ table: 'signing_keys', column: 'sealed' });
  const listeners = new Set<() => void>();
  let keys: readonly StoredKey[] = await load(db, vault);
  let making: Promise<void> | null = null;
  let said: readonly SigningKey[] = [];
  let told: readonly SigningKey[] = current();

  /** The same list as long as the keys in it are the same. */
  function current(): readonly SigningKey[] {
    const now = inOrder(keys, clock.now());
    if (now.length !== said.length || now.some((key, at) => key !== said[at])) said = now;
    return said;
  }

  async function reload(): Promise<void> {
    const loaded = await load(db, vault);
    if (loaded.map(({ kid }) => kid).join() === keys.map(({ kid }) => kid).join()) return;
    keys = loaded;
    tell();
  }

  function tell(): void {
    told = current();
    for (const listener of listeners) listener();
  }

  function needsNext(list: readonly Pick<StoredKey, 'retiresAtMs'>[]): boolean {
    return !list.some(({ retiresAtMs }) => retiresAtMs - clock.now() > aheadMs);
  }

  async function make(): Promise<void> {
    const { privateKey } = await newKeyPair('rsa', { modulusLength: 2048 });
    const kid = randomBytes(12).toString('base64url');
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
    const now = clock.now();
    const at = (ms: number) => new Date(ms).toISOString();
    await db.tx(async (queries) => {
      // Of replicas that find at the same time that a key is needed, one makes it.
      await queries.query("select pg_advisory_xact_lock(hashtext('sallyport signing keys'))");
      if (!needsNext((await readRows(queries)).map(timesOf))) return;
      await queries.query(
        `insert into signing_keys (id, jwk, sealed, created_at, retires_at, expires_at)
         values ($1, '{}', $2, $3, $4, $5)`,
        [kid, vault.seal(purpose, jwk, kid), at(now), at(now + signsMs), at(now + signsMs + heldMs)],
      );
      await changes.tell(queries, 'signing_keys', kid);
    });
    await reload();
  }

  function ensure(): Promise<void> {
    if (!needsNext(keys)) return Promise.resolve();
    making ??= make().finally(() => {
      making = null;
    });
    return making;
  }

  async function keepUp(): Promise<void> {
    // Nobody asked for a key yet: none is made before.
    if (keys.length === 0) return;
    await ensure();
    await db.query('delete from signing_keys where expires_at <= $1', [clock.iso()]);
    await reload();
    // Which one signs changes by time alone, too.
    if (current() !== told) tell();
  }

  changes.on('signing_keys', reload);
  clock.every(lookEveryMs, () => {
    keepUp().catch((error) => log.error({ error: messageOf(error) }, 'signing keys could not be renewed'));
  });

  return {
    current,
    async ready() {
      if (keys.every(({ retiresAtMs }) => retiresAtMs <= clock.now())) await ensure();
      return current();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A key whose time has come signs before those that were made later; those that retired are only published. */
function inOrder(keys: readonly StoredKey[], nowMs: number): readonly StoredKey[] {
  const held = keys.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  return [
    ...held.filter(({ retiresAtMs }) => retiresAtMs > nowMs),
    ...held.filter(({ retiresAtMs }) => retiresAtMs <= nowMs),
  ];
}

async function load(db: Db, vault: Vault): Promise<StoredKey[]> {
  const boundTo = ([id]: readonly string[]) => id as string;
  await vault.adopt({ table: 'signing_keys', key: ['id'], plain: 'jwk', purpose, boundTo });
  const rows = await readRows(db);
  return Promise.all(
    rows.map(async (row) => ({
      kid: row.id,
      jwk: await opened<SigningKey['jwk']>(
        vault,
        { purpose, sealed: row.sealed, boundTo: row.id },
        `the signing key ${row.id}`,
      ),
      ...timesOf(row),
    })),
  );
}

function readRows(queries: Queries): Promise<KeyRow[]> {
  return queries.query<KeyRow>(
    'select id, sealed, retires_at, expires_at from signing_keys order by created_at, id',
  );
}

function timesOf({ retires_at, expires_at }: KeyRow) {
  return { retiresAtMs: Date.parse(retires_at), expiresAtMs: Date.parse(expires_at) };
}
