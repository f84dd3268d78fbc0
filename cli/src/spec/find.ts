import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import { type LoadedServer, loadServer } from './load.ts';
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

/** The servers that a command line means: those given, all, or the one where it runs. */
export async function chosenServers(
  io: Pick<Io, 'cwd'>,
  project: Project,
  given: readonly string[],
  all: boolean,
): Promise<LoadedServer[]> {
  if (!all && given.length > 0) return await namedServers(io, project, given);
  const here = join(io.cwd, 'server.yaml');
  if (!all && !existsSync(here)) {
    throw new CommandError('spec.none', 'there is no server.yaml here', [
      'Name a server, or take all of the repository with --all; sallyport server new <name> makes one.',
    ]);
  }
  const servers: LoadedServer[] = [];
  for (const path of all ? await findServers(project) : [here]) servers.push(await loadServer(project, path));
  return servers;
}

/** Servers by their name, by their folder, or by the path of their server.yaml, each once. */
export async function namedServers(
  io: Pick<Io, 'cwd'>,
  project: Project,
  given: readonly string[],
): Promise<LoadedServer[]> {
  const servers = new Map<string, LoadedServer>();
  for (const one of given) {
    const isPath = /[\\/]|\.ya?ml$/.test(one);
    const server = isPath ? await loadServer(project, fileAt(io, one)) : await named(io, project, one);
    servers.set(server.path, server);
  }
  return [...servers.values()];
}

function fileAt({ cwd }: Pick<Io, 'cwd'>, given: string): string {
  const inside = resolve(cwd, given, 'server.yaml');
  return existsSync(inside) ? inside : resolve(cwd, given);
}

/** A mistake in the file of another server does not matter here. */
async function named(io: Pick<Io, 'cwd'>, project: Project, name: string): Promise<LoadedServer> {
  const found = new Map<string, LoadedServer>();
  let mistake: unknown;
  for (const path of await findServers(project)) {
    try {
      const server = await loadServer(project, path);
      found.set(server.spec.name, server);
    } catch (error) {
      mistake ??= error;
    }
  }
  const server = found.get(name) ?? found.get(name.replace(project.conventions.suffix, ''));
  if (server !== undefined) return server;
  const path = fileAt(io, name);
  if (basename(path) === 'server.yaml') return await loadServer(project, path);
  if (mistake !== undefined) throw mistake;
  throw new CommandError('spec.unknown-name', `No server.yaml of this repository is of ${name}`, [
    `There are: ${[...found.keys()].join(', ') || 'none'}.`,
  ]);
}

/** Folders that hold what others wrote, and hidden ones. */
const isLeftOut = (name: string): boolean =>
  name.startsWith('.') || name === 'node_modules' || name === 'dist';
