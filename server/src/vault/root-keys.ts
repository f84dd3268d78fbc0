import { type Clock, Fault } from '#foundation';
import type { Db } from '#storage';
import type { KeyService } from './contract.ts';
import { fileRootId, makeRootKeyFile, readRootKeyFile, rootKeyPath } from './root-key-file.ts';
import { databaseRootId, makeRootKeyRow, readRootKeyRow } from './root-key-row.ts';

/** What the environment and the config file give. */
export interface GivenRootKeys {
  readonly keys: readonly GivenRootKey[];
  /** `null`: none of them is for what is new. */
  readonly defaultId: string | null;
}

export interface GivenRootKey {
  readonly service: KeyService;
  /** Whether it costs nothing to try. */
  readonly isLocal: boolean;
}

export interface RootKeys {
  /** Seals what is new. */
  readonly main: KeyService;
  /** What wrapped it, and by which root key it opened: a key may have got another name since. */
  unwrap(key: WrappedKey, context: string): Promise<{ readonly bytes: Buffer; readonly by: string }>;
}

export interface WrappedKey {
  readonly id: string;
  readonly root_key_id: string;
  readonly wrapped: string;
}

export interface RootKeysDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly given: GivenRootKeys;
  /** Where a root key may be kept in a file; `null`: nowhere. */
  readonly dataDir: string | null;
  /** The root keys that vault keys are wrapped with. */
  readonly used: ReadonlySet<string>;
}

/** Every root key that is at hand. One is made only where nothing was ever sealed without it. */
export async function openRootKeys({ db, clock, given, dataDir, used }: RootKeysDeps): Promise<RootKeys> {
  const ownFile = dataDir === null || db.kind === 'postgres' ? null : dataDir;
  const known = [...given.keys];
  const mainId = given.defaultId ?? (ownFile === null ? databaseRootId : fileRootId);
  const found = [fileKey(), await readRootKeyRow(db)];
  for (const service of found) if (service !== null) known.push({ service, isLocal: true });
  if (!known.some(({ service }) => service.id === mainId)) {
    for (const id of used) if (!known.some(({ service }) => service.id === id)) throw lost(id, dataDir);
    known.push({ service: await make(), isLocal: true });
  }
  const byId = new Map(known.map((one) => [one.service.id, one]));

  /** One that cannot be read stops nobody who does not need it. */
  function fileKey(): KeyService | null {
    try {
      return dataDir === null ? null : readRootKeyFile(dataDir);
    } catch (error) {
      if (mainId === fileRootId || used.has(fileRootId)) throw error;
      return null;
    }
  }

  async function make(): Promise<KeyService> {
    if (ownFile === null) await makeRootKeyRow(db, clock.iso());
    else makeRootKeyFile(ownFile);
    const made = ownFile === null ? await readRootKeyRow(db) : readRootKeyFile(ownFile);
    if (made === null) throw new Fault('the root key that was just made is gone');
    return made;
  }

  return {
    main: (byId.get(mainId) as GivenRootKey).service,
    async unwrap({ root_key_id, wrapped }, context) {
      const named = byId.get(root_key_id);
      if (named?.isLocal !== false) {
        const locals = known.filter((one) => one.isLocal && one !== named);
        for (const { service } of named === undefined ? locals : [named, ...locals]) {
          const bytes = await service.unwrap(wrapped, context).catch(() => null);
          if (bytes !== null) return { bytes, by: service.id };
        }
      }
      if (named === undefined) throw lost(root_key_id, dataDir);
      return { bytes: await named.service.unwrap(wrapped, context), by: root_key_id };
    },
  };
}

function lost(id: string, dataDir: string | null): Fault {
  const where =
    id === fileRootId && dataDir !== null
      ? `Put back ${rootKeyPath(dataDir)} from your backup`
      : id === 'environment'
        ? 'Set SALLYPORT_ROOT_KEY to it again'
        : id === databaseRootId
          ? 'Restore the row "root key" of the table server_keys from a backup'
          : 'Declare it in security.root_keys again';
  return new Fault(
    `root key "${id}" is missing, and secrets in this database are sealed with it. ${where}: without it they cannot be ` +
      'read. Nothing was changed.',
  );
}
