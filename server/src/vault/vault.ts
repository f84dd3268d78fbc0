import { existsSync } from 'node:fs';
import { type Clock, Fault } from '#foundation';
import type { Changes, Db } from '#storage';
import { type Log, silentLog } from '#telemetry';
import { adopt, serverKey } from './adopt.ts';
import type { Vault } from './contract.ts';
import { openWith, parseEnvelope, sealWith } from './envelope.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';
import { createMover } from './mover.ts';
import { fileRootId, isOpenToOthers, rootKeyPath } from './root-key-file.ts';
import { databaseRootId, rootKeyRow } from './root-key-row.ts';
import { type GivenRootKeys, openRootKeys } from './root-keys.ts';
import { readVaultKeys } from './vault-keys.ts';

const lookEveryMs = 60_000;

export interface VaultDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** Tells other replicas of new keys; none: there are none. */
  readonly changes?: Changes;
  readonly log?: Log;
  readonly given?: GivenRootKeys;
  /** Of the embedded database: where the root key is kept in a file when none is given. Without it, it is in the database. */
  readonly dataDir?: string;
}

/** Throws a Fault where a root key is missing, is another, or cannot be asked: then nothing was changed. */
export async function openVault(deps: VaultDeps): Promise<Vault> {
  const { db, clock, changes = null, log = silentLog, dataDir = null } = deps;
  const given = deps.given ?? { keys: [], defaultId: null };
  const rows = await readVaultKeys(db);
  const used = new Set(rows.map(({ root_key_id }) => root_key_id));
  const roots = await openRootKeys({ db, clock, given, dataDir, used });
  const ring = await openKeyRing({ db, changes, clock, log, roots }, rows);
  say(log, roots.main.id, dataDir, used);
  const { seal, open } = sealing(ring);
  const closing = new AbortController();
  const mover = createMover({ db, clock, log, ring, mainRootId: roots.main.id, signal: closing.signal });
  mover.keeps({ table: 'server_keys', column: 'key' });
  let stop = () => {};
  let moving: Promise<void> = Promise.resolve();
  /** One at a time. */
  const inTurn = () => {
    moving = moving.then(() => (closing.signal.aborted ? undefined : mover.tryMove()));
  };

  return {
    seal,
    open,
    keeps: (column) => mover.keeps(column),
    adopt: (rows) => adopt({ db, log, seal }, rows),
    serverKey(name) {
      if (name === rootKeyRow) throw new Fault(`"${name}" is not the name of a server's key`);
      return serverKey({ db, log, clock, vault: { seal, open } }, name);
    },
    status: () => ({
      rootKeyId: roots.main.id,
      besideData: besideData(roots.main.id),
      retired: ring.retiredCount(),
      seals: ring.seals(),
    }),
    keepUp() {
      inTurn();
      stop = clock.every(lookEveryMs, () => {
        if (ring.retiredCount() > 0 || !ring.seals()) inTurn();
      });
    },
    move: () => mover.move(),
    settled: () => moving,
    async close() {
      closing.abort();
      stop();
      await moving;
    },
  };
}

function sealing(ring: KeyRing): Pick<Vault, 'seal' | 'open'> {
  return {
    seal: (purpose, payload, boundTo) => sealWith(ring.active(), purpose, payload, boundTo),
    open(purpose, sealed, boundTo) {
      const envelope = parseEnvelope(sealed);
      if (envelope === null) return null;
      const key = ring.get(envelope.keyId);
      if (key !== undefined) return openWith(key, envelope, purpose, boundTo);
      return ring
        .read(envelope.keyId)
        .then((fetched) => (fetched === null ? null : openWith(fetched, envelope, purpose, boundTo)));
    },
  };
}

/** What whoever runs the server should know of where the root key lies. */
function say(log: Log, mainId: string, dataDir: string | null, used: ReadonlySet<string>): void {
  if (mainId === databaseRootId) {
    log.warn(
      { set: 'SALLYPORT_ROOT_KEY' },
      'the root key lies in the database, beside what it seals: whoever has a copy of all of it reads every secret',
    );
  }
  if (mainId === fileRootId && dataDir !== null && isOpenToOthers(dataDir)) {
    const file = rootKeyPath(dataDir);
    log.warn({ file }, 'others than the owner of the root key file may read it; run "chmod 600" on it');
  }
  const isLeft = dataDir !== null && mainId !== fileRootId && existsSync(rootKeyPath(dataDir));
  if (isLeft && !used.has(fileRootId)) {
    const file = rootKeyPath(dataDir);
    log.info({ file }, 'nothing is sealed with this root key any more; only older backups need it');
  }
}

function besideData(rootKeyId: string): 'file' | 'database' | null {
  return rootKeyId === fileRootId ? 'file' : rootKeyId === databaseRootId ? 'database' : null;
}
