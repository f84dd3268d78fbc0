import { resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { objectsOf } from '../manifests/made-file.ts';
import { type Names, namesOf } from '../manifests/names.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { planManifests } from '../manifests/plan.ts';
import type { Io } from '../output/io.ts';
import { chosenServers, findServers } from '../spec/find.ts';
import { type LoadedServer, loadServer, type Project } from '../spec/load.ts';

/** What the repository is to say, and what clusters are to have by it. */
export interface Wanted {
  readonly servers: readonly WantedServer[];
  readonly changes: readonly FileChange[];
  readonly notes: readonly string[];
}

export interface WantedServer {
  readonly server: LoadedServer;
  readonly names: Names;
  readonly objects: readonly KubernetesObject[];
}

/** Servers by name or by the path of their server.yaml; the one here, or else all of the repository. */
export async function chosenByName(
  io: Pick<Io, 'cwd'>,
  project: Project,
  given: readonly string[],
): Promise<readonly LoadedServer[]> {
  const isPath = (one: string) => /[\\/]|\.ya?ml$/.test(one);
  const names = given.filter((one) => !isPath(one));
  const paths = given.filter(isPath).map((one) => resolve(io.cwd, one));
  const servers: LoadedServer[] = [];
  for (const path of paths) servers.push(await loadServer(project, path));
  if (names.length > 0) servers.push(...(await named(project, names)));
  if (given.length > 0) return servers;
  const here = await chosenServers(io, project, [], false).catch(() => findServers(project));
  for (const path of here) servers.push(await loadServer(project, path));
  if (servers.length > 0) return servers;
  throw new CommandError('spec.none', 'there is no server.yaml in this repository', [
    'sallyport server new <name> makes one; sallyport deploy import <manifest> reads it from manifests.',
  ]);
}

/** A mistake in the file of another server does not matter here. */
async function named(project: Project, names: readonly string[]): Promise<LoadedServer[]> {
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
  return names.map((name) => {
    const server = found.get(name) ?? found.get(name.replace(project.conventions.suffix, ''));
    if (server !== undefined) return server;
    if (mistake !== undefined) throw mistake;
    throw new CommandError('spec.unknown-name', `No server.yaml of this repository is of ${name}`, [
      `There are: ${[...found.keys()].join(', ') || 'none'}.`,
    ]);
  });
}

/** What `deploy generate` makes of these servers; nothing is written. */
export async function wantedOf(
  io: Pick<Io, 'now'>,
  servers: readonly LoadedServer[],
  project: Project,
): Promise<Wanted> {
  const { changes, notes } = await planManifests(servers, project, { replace: false, now: io.now });
  const wanted: WantedServer[] = [];
  for (const server of servers) {
    const names = namesOf(server.spec, project.conventions);
    const path = resolve(project.folder, names.file);
    const text = changes.find((change) => change.path === path)?.after ?? (await readText(path)) ?? '';
    wanted.push({ server, names, objects: objectsOf(path, text) });
  }
  return { servers: wanted, changes, notes };
}

/** Those of one cluster together, so that it is connected to once. */
export function byCluster(servers: readonly WantedServer[]): ReadonlyMap<string, readonly WantedServer[]> {
  return Map.groupBy(servers, ({ names }) => names.cluster);
}
