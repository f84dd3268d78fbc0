import { join } from 'node:path';
import { manifestFiles } from '../files/manifest-files.ts';
import { readText } from '../files/read-text.ts';
import { type Project, shownPath } from '../spec/load.ts';
import { type PortUse, portsOfManifest, portsOfService } from './registry.ts';

/** Ports of all manifests in the folder. */
export async function portsOfManifests(project: Project): Promise<readonly PortUse[]> {
  const uses: PortUse[] = [];
  for (const name of await manifestFiles(project.folder)) {
    const path = join(project.folder, name);
    const text = await readText(path).catch(() => null);
    uses.push(...portsOfManifest(shownPath(project, path), text ?? '', project.conventions.suffix));
  }
  return uses;
}

/** Ports of all Services of a cluster, in every namespace: whoever has one, no other Service gets it. */
export function portsOfServices(
  services: readonly unknown[],
  cluster: string,
  suffix: string,
): readonly PortUse[] {
  return services.flatMap((service) => portsOfService(service, suffix, `the cluster ${cluster}`));
}
