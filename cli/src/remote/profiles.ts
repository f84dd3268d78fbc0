import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../files/values.ts';
import type { Io } from '../output/io.ts';

/** Whom this person is at which Sallyport, kept where only they can read it. */

const tokens = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_at_ms: z.number(),
});
export type Tokens = z.infer<typeof tokens>;

const signIn = z.object({
  client_id: z.string(),
  token_endpoint: z.string(),
  revocation_endpoint: z.string().optional(),
  /** By what they are for: `api`, or `gateway:<slug>`. */
  tokens: z.record(z.string(), tokens),
});

const profile = z.object({
  url: z.string(),
  insecure_http: z.boolean().optional(),
  /** `<organization>/<project>` */
  project: z.string().optional(),
  key: z.string().optional(),
  sign_in: signIn.optional(),
});
export type Profile = z.infer<typeof profile>;

const profiles = z.object({ profiles: z.record(z.string(), profile) });
export type Profiles = Readonly<Record<string, Profile>>;

type ProfileIo = Pick<Io, 'configDir' | 'sleep' | 'signal'>;

export const profilesFile = ({ configDir }: Pick<Io, 'configDir'>) => join(configDir, 'profiles.json');

export async function readProfiles(io: Pick<Io, 'configDir'>): Promise<Profiles> {
  const path = profilesFile(io);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
    if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CommandError('profile.unreadable', `${path} cannot be read: ${(error as Error).message}`);
  }
  const read = profiles.safeParse(parsedJson(text));
  if (read.success) return read.data.profiles;
  // Nothing of what stands there is said: it holds credentials.
  throw new CommandError('profile.invalid', `${path} is not what this command keeps there`, [
    'Move it away, and sign in again: sallyport login',
  ]);
}

/** Reads, changes and writes them while nobody else does. */
export async function changeProfiles<T>(
  io: ProfileIo,
  change: (profiles: Profiles) => Promise<{ readonly profiles: Profiles; readonly result: T }>,
): Promise<T> {
  await mkdir(io.configDir, { recursive: true, mode: 0o700 });
  const unlock = await lock(io);
  try {
    const before = await readProfiles(io);
    const { profiles, result } = await change(before);
    if (profiles !== before) await write(profilesFile(io), { profiles });
    return result;
  } finally {
    await unlock();
  }
}

async function write(path: string, content: unknown): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

const lockTries = 900;
const lockWaitMs = 50;

/** A file that holds the id of whoever has it; one whose process is gone counts for nothing. */
async function lock(io: ProfileIo): Promise<() => Promise<void>> {
  const path = join(io.configDir, 'profiles.lock');
  for (let tries = 0; tries < lockTries; tries++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => unlink(path).catch(() => undefined);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await unlink(path).catch(() => undefined);
    else await io.sleep(lockWaitMs, io.signal);
  }
  throw new CommandError('profile.locked', `another sallyport command has held ${path} for too long`, [
    'Where no other one runs, delete that file.',
  ]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
