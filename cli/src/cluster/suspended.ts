import { CommandError } from '../command-error.ts';
import type { Cluster } from './cluster.ts';
import type { Live } from './live.ts';
import { type Owner, ownerOf, ownerTitle } from './owners.ts';

/** Refuses to change what somebody else keeps, unless that is suspended. */
export async function refuseKept(cluster: Cluster, objects: readonly (Live | null)[]): Promise<void> {
  for (const object of objects) {
    const owner = object === null ? null : ownerOf(object);
    if (owner === null || (await isSuspended(cluster, owner))) continue;
    throw new CommandError(
      'migrate.kept',
      `${ownerTitle(owner)} keeps ${object?.kind} ${object?.metadata.name}, and would undo each step`,
      advice(owner),
    );
  }
}

function advice({ tool, by }: Owner): string[] {
  const parts = fluxName(by);
  if (tool === 'Flux' && parts !== null) {
    const [kind, namespace, name] = parts;
    const what = `${kind.toLowerCase()} ${name} -n ${namespace}`;
    return [
      `Suspend it: flux suspend ${what}. Then run this again: it writes the files, too.`,
      `When it is done and the files are pushed: flux resume ${what}.`,
    ];
  }
  if (tool === 'Argo CD')
    return ['Turn its automatic sync off, and take its labels from the objects, until this is done.'];
  return ['Take the objects out of its hands first, until this is done.'];
}

const versions = {
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
} as const;

function fluxName(by: string | null): [keyof typeof versions, string, string] | null {
  const [, kind, namespace, name] = /^(Kustomization|HelmRelease) ([^/]+)\/(.+)$/.exec(by ?? '') ?? [];
  if (kind === undefined || namespace === undefined || name === undefined) return null;
  return [kind as keyof typeof versions, namespace, name];
}

async function isSuspended(cluster: Cluster, { by }: Owner): Promise<boolean> {
  const parts = fluxName(by);
  if (parts === null) return false;
  const [kind, namespace, name] = parts;
  const live = await cluster.get({ apiVersion: versions[kind], kind, metadata: { name, namespace } });
  return (live?.spec as { suspend?: boolean } | undefined)?.suspend === true;
}
