import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import type { Project } from './project.ts';

/** Every `server.yaml` and `*.server.yaml` of the repository, sorted. */
export async function findServers({ root }: Pick<Project, 'root'>): Promise<string[]> {
  const found: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !isLeftOut(entry.name)) folders.push(path);
      if (entry.isFile() && /^(.*\.)?server\.yaml$/.test(entry.name)) found.push(path);
    }
  }
  return found.sort();
}

/** The servers that a command line means: the files given, all, or the one where it runs. */
export async function chosenServers(
  io: Pick<Io, 'cwd'>,
  project: Project,
  files: readonly string[],
  all: boolean,
): Promise<string[]> {
  if (all) return await findServers(project);
  if (files.length > 0) return [...new Set(files.map((file) => resolve(io.cwd, file)))];
  const here = join(io.cwd, 'server.yaml');
  if (existsSync(here)) return [here];
  throw new CommandError('spec.none', 'there is no server.yaml here', [
    'Name the file, or take all of the repository with --all; sallyport server new <name> makes one.',
  ]);
}

/** Folders that hold what others wrote, and hidden ones. */
const isLeftOut = (name: string): boolean =>
  name.startsWith('.') || name === 'node_modules' || name === 'dist';
