import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { objectsOf } from '../manifests/made-file.ts';
import { type Names, namesOf } from '../manifests/names.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { planManifests } from '../manifests/plan.ts';
import type { Io } from '../output/io.ts';
import { chosenServers } from '../spec/find.ts';
import type { LoadedServer, Project } from '../spec/load.ts';

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

/** Servers by name, folder or server.yaml; the one here, or else all of the repository. */
export async function chosenByName(
  io: Pick<Io, 'cwd'>,
  project: Project,
  given: readonly string[],
): Promise<readonly LoadedServer[]> {
  const all = !existsSync(join(io.cwd, 'server.yaml'));
  const servers = await chosenServers(io, project, given, given.length === 0 && all);
  if (servers.length > 0) return servers;
  throw new CommandError('spec.none', 'there is no server.yaml in this repository', [
    'sallyport server new <name> makes one; sallyport deploy import <manifest> reads it from manifests.',
  ]);
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
