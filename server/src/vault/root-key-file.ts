import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Fault } from '#foundation';
import { createLocalKey } from './services/local.ts';

export const fileRootId = 'file';

export const rootKeyPath = (dataDir: string) => join(dataDir, 'root.key');

/** The root key in the data directory; `null` where there is none. */
export function readRootKeyFile(dataDir: string) {
  const path = rootKeyPath(dataDir);
  if (!existsSync(path)) return null;
  const bytes = Buffer.from(read(path).trim(), 'base64');
  if (bytes.length !== 32) {
    throw new Fault(
      `The root key file ${path} is damaged: expected 32 bytes in base64. Put back the one from your backup; without it the ` +
        'secrets in the database cannot be read.',
    );
  }
  return createLocalKey(fileRootId, bytes, path);
}

/** Whether others than its owner may read it, as after a backup was put back carelessly. */
export function isOpenToOthers(dataDir: string): boolean {
  return process.platform !== 'win32' && (statSync(rootKeyPath(dataDir)).mode & 0o077) !== 0;
}

/** Makes it, whole or not at all, for its owner alone; where somebody was quicker, theirs holds. */
export function makeRootKeyFile(dataDir: string): void {
  const path = rootKeyPath(dataDir);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, `${randomBytes(32).toString('base64')}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(draft, path);
    } catch (thrown) {
      if (codeOf(thrown) !== 'EEXIST') throw thrown;
    } finally {
      unlinkSync(draft);
    }
    syncDirectory(dataDir);
  } catch (thrown) {
    throw new Fault(
      `The root key file ${path} cannot be written (${codeOf(thrown)}). Check the permissions of the data directory.`,
    );
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new Fault(`The root key file ${path} cannot be read (${codeOf(thrown)}). Check its permissions.`);
  }
}

/** The name must be on disk before anything is sealed with the key. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const opened = openSync(directory, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
}
