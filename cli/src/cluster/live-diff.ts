import { isDeepStrictEqual } from 'node:util';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import type { Cluster } from './cluster.ts';
import { ClusterError } from './cluster-error.ts';
import { type Difference, differences } from './difference.ts';
import type { Live, LiveDeployment } from './live.ts';
import { type Owner, ownerOf } from './owners.ts';

/** What the cluster would make of one object, found out by a dry run. */
export interface ObjectDiff {
  readonly object: KubernetesObject;
  /** `Deployment ai-platform/github-mcp` */
  readonly title: string;
  /** As it is in the cluster; null where it is not there yet. */
  readonly live: Live | null;
  readonly change: 'new' | 'changed' | 'same' | 'refused';
  readonly differences: readonly Difference[];
  /** Fields that somebody else has applied: taken over only by force. */
  readonly conflicts: readonly { readonly field: string; readonly owner: string }[];
  /** Who would undo a change. */
  readonly owner: Owner | null;
  /** Why the cluster would not take it, or what would come of it. */
  readonly refusal: string | null;
  /** Its selector would change, which Kubernetes does not allow: applied with its Service, it is an outage. */
  readonly selectorChange: boolean;
}

/** Compares each object with what a server-side apply would make of it; nothing is changed. */
export async function liveDiff(
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  /** In our own name, even where somebody else keeps the object. */
  { asOurs = false }: { readonly asOurs?: boolean } = {},
): Promise<readonly ObjectDiff[]> {
  const diffs: ObjectDiff[] = [];
  for (const object of objects) diffs.push(await diffOf(cluster, object, asOurs));
  return diffs;
}

async function diffOf(cluster: Cluster, object: KubernetesObject, asOurs: boolean): Promise<ObjectDiff> {
  const live = await cluster.get(object);
  const owner = live === null ? null : ownerOf(live);
  const base = { object, title: objectTitle(object), live, owner, conflicts: [], refusal: null };
  if (live !== null && changesSelector(live, object)) {
    const found = differences(selectorOf(live), selectorOf(object));
    return {
      ...base,
      change: 'refused',
      differences: found,
      refusal: immutableSelector,
      selectorChange: true,
    };
  }
  const manager = owner === null || asOurs ? {} : { manager: owner.manager };
  const tried = await attempt(() => cluster.apply(object, { dryRun: true, ...manager }));
  const conflicts = tried instanceof ClusterError ? conflictsIn(tried) : [];
  const forced =
    conflicts.length > 0
      ? await attempt(() => cluster.apply(object, { dryRun: true, force: true, ...manager }))
      : tried;
  if (forced instanceof ClusterError) {
    return {
      ...base,
      conflicts,
      change: 'refused',
      differences: [],
      refusal: forced.message,
      selectorChange: false,
    };
  }
  const found = live === null ? [] : differences(meaning(live), meaning(forced));
  const change = live === null ? 'new' : found.length > 0 ? 'changed' : 'same';
  const left = leftContainers(object, forced);
  const told = { ...base, conflicts, differences: found, selectorChange: false };
  if (left.length === 0) return { ...told, change };
  return { ...told, change: 'refused', refusal: `${left.join(', ')} ${leftHint}` };
}

const leftHint =
  'would run beside the containers of the manifest, as somebody else has applied it under another name: give the container that name by a patch in server.yaml, or take it out first.';

/** Containers of somebody else, which an apply leaves where they are. */
function leftContainers(object: KubernetesObject, result: Live): string[] {
  if (object.kind !== 'Deployment') return [];
  const namesIn = (from: unknown) =>
    ((from as LiveDeployment).spec.template.spec.containers ?? []) as { name: string }[];
  const wanted = new Set(namesIn(object).map(({ name }) => name));
  return namesIn(result).flatMap(({ name }) => (wanted.has(name) ? [] : [`container ${name}`]));
}

const immutableSelector =
  'spec.selector of a Deployment cannot change. Applied with its Service, the Service would lead nowhere: sallyport deploy migrate <name> labels changes it without an outage.';

/** Only a refusal of this very object; that the cluster is gone, or we have no right, is not about it. */
async function attempt(act: () => Promise<Live>): Promise<Live | ClusterError> {
  try {
    return await act();
  } catch (error) {
    const isOfObject =
      error instanceof ClusterError && [400, 404, 409, 422].includes(error.refusal?.status ?? 0);
    if (isOfObject || (error instanceof ClusterError && error.code === 'cluster.unknown-kind')) return error;
    throw error;
  }
}

function conflictsIn({ refusal }: ClusterError): { field: string; owner: string }[] {
  if (refusal?.status !== 409) return [];
  return refusal.causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field = '', message = '' }) => ({
      field: field.replace(/^\./, ''),
      owner: /conflict with "([^"]+)"/.exec(message)?.[1] ?? message,
    }));
}

/** A selector is one value: an apply puts all of it in the place of the one that is there. */
function changesSelector(live: Live, object: KubernetesObject): boolean {
  if (object.kind !== 'Deployment') return false;
  const [before, after] = [live as LiveDeployment, object as unknown as LiveDeployment];
  return !isDeepStrictEqual(before.spec.selector, after.spec.selector);
}

function selectorOf(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { selector } = (object as unknown as LiveDeployment).spec;
  return { apiVersion, kind, metadata: { name: metadata.name }, spec: { selector } };
}

/** Without what the server keeps for itself. */
function meaning(object: Live): KubernetesObject {
  const { status: _status, ...rest } = object;
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    generation: _g,
    creationTimestamp: _c,
    ...metadata
  } = object.metadata;
  const { [lastApplied]: _l, ...annotations } = metadata.annotations ?? {};
  return { ...rest, metadata: { ...metadata, annotations } };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
