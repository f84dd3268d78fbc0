import { createHash } from 'node:crypto';
import { type ClusterState, kindNamed } from './cluster-state.ts';
import { noteEvent } from './events.ts';
import { canonical, isSame, type Json } from './json.ts';
import { isReady } from './pods.ts';
import { selects } from './selectors.ts';

const hashLabel = 'pod-template-hash';

/**
 * One step of the controllers of Deployments and ReplicaSets: each does the next thing it would do and no more, so that a
 * test sees every state between. False when there is nothing to do.
 */
export function stepWorkloads(state: ClusterState): boolean {
  const before = state.store.version();
  for (const set of state.store.list(kindNamed(state, 'ReplicaSet'), null)) stepReplicaSet(state, set);
  for (const deployment of state.store.list(kindNamed(state, 'Deployment'), null))
    stepDeployment(state, deployment);
  return state.store.version() !== before;
}

const ownerOf = (object: Json): Json =>
  object.metadata.ownerReferences?.find((owner: Json) => owner.controller);

function ownedBy(apiVersion: string, kind: string, { metadata }: Json): Json {
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Those that are its own, and orphans that match, which it adopts. */
function claimed(state: ClusterState, kindName: string, owner: Json, ownerKind: string): Json[] {
  const kind = kindNamed(state, kindName);
  const { selector } = owner.spec;
  return state.store.list(kind, owner.metadata.namespace).flatMap((object) => {
    const now = ownerOf(object);
    if (now !== undefined) return now.uid === owner.metadata.uid ? [object] : [];
    if (!selects(selector, object.metadata.labels)) return [];
    object.metadata.ownerReferences = [ownedBy('apps/v1', ownerKind, owner)];
    return [state.store.replace(kind, object)];
  });
}

function templateOf(set: Json): Json {
  const template = structuredClone(set.spec.template);
  delete template.metadata.labels[hashLabel];
  return template;
}

const revisionKey = 'deployment.kubernetes.io/revision';
const revisionOf = (set: Json): number => Number(set.metadata.annotations?.[revisionKey] ?? 0);

function stepDeployment(state: ClusterState, deployment: Json): void {
  const sets = claimed(state, 'ReplicaSet', deployment, 'Deployment');
  const template = { ...deployment.spec.template, metadata: deployment.spec.template.metadata ?? {} };
  const current = sets.find((set) => isSame(templateOf(set), template)) ?? null;
  const wanted = deployment.spec.replicas;
  const newest = Math.max(0, ...sets.map(revisionOf));
  if (current === null)
    createSet(state, deployment, sets.length === 0 ? wanted : Math.min(1, wanted), newest + 1);
  else {
    if (revisionOf(current) < newest) {
      current.metadata.annotations[revisionKey] = String(newest + 1);
      current.metadata.resourceVersion = state.store.replace(
        kindNamed(state, 'ReplicaSet'),
        current,
      ).metadata.resourceVersion;
    }
    const old = sets.filter((set) => set !== current);
    scale(state, deployment, current, old);
  }
  setStatus(state, deployment, current);
}

function createSet(state: ClusterState, deployment: Json, replicas: number, revision: number): void {
  const { template, selector } = deployment.spec;
  const hash = createHash('sha256').update(canonical(template)).digest('hex').slice(0, 10);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  state.store.create(kindNamed(state, 'ReplicaSet'), {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: { [revisionKey]: String(revision) },
      ownerReferences: [ownedBy('apps/v1', 'Deployment', deployment)],
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0, readyReplicas: 0 },
  });
}

/** As with maxUnavailable 0 and maxSurge 1: one more of the new, then one less of the old once it is ready. */
function scale(state: ClusterState, deployment: Json, current: Json, old: readonly Json[]): void {
  const wanted = deployment.spec.replicas;
  const isRecreate = deployment.spec.strategy?.type === 'Recreate';
  const ready = [current, ...old].reduce((sum, set) => sum + (set.status?.readyReplicas ?? 0), 0);
  const oldest = old.find((set) => set.spec.replicas > 0);
  const setReplicas = (set: Json, replicas: number) => {
    set.spec.replicas = replicas;
    state.store.replace(kindNamed(state, 'ReplicaSet'), set);
  };
  if (isRecreate && oldest !== undefined) setReplicas(oldest, 0);
  else if (oldest === undefined) {
    if (current.spec.replicas !== wanted) setReplicas(current, wanted);
  } else if (ready > wanted || (oldest.status?.readyReplicas ?? 0) === 0) {
    if (ready >= wanted) setReplicas(oldest, oldest.spec.replicas - 1);
  } else if (current.spec.replicas < wanted && current.status?.readyReplicas === current.spec.replicas) {
    setReplicas(current, current.spec.replicas + 1);
  }
}

function setStatus(state: ClusterState, deployment: Json, current: Json | null): void {
  const kind = kindNamed(state, 'Deployment');
  const latest = state.store.find(kind, deployment.metadata.namespace, deployment.metadata.name);
  const sets = claimed(state, 'ReplicaSet', deployment, 'Deployment');
  const sum = (field: string) => sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
  const newest = current === null ? null : sets.find((set) => set.metadata.uid === current.metadata.uid);
  const available = sum('readyReplicas');
  const wanted = deployment.spec.replicas;
  const updated = newest?.status?.replicas ?? 0;
  const isDone = updated === wanted && available === wanted && sum('replicas') === wanted;
  const failure = newest?.status?.conditions?.find(({ type }: Json) => type === 'ReplicaFailure');
  latest.status = {
    observedGeneration: latest.metadata.generation,
    replicas: sum('replicas'),
    updatedReplicas: updated,
    readyReplicas: available,
    availableReplicas: available,
    unavailableReplicas: Math.max(0, wanted - available),
    conditions: [
      condition(
        'Available',
        available >= wanted,
        available >= wanted ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      ),
      condition('Progressing', true, isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated'),
      ...(failure === undefined ? [] : [failure]),
    ],
  };
  state.store.replace(kind, latest);
}

const condition = (type: string, isTrue: boolean, reason: string, message = ''): Json => ({
  type,
  status: isTrue ? 'True' : 'False',
  reason,
  message,
});

function stepReplicaSet(state: ClusterState, set: Json): void {
  const { namespace, name } = set.metadata;
  const pods = claimed(state, 'Pod', set, 'ReplicaSet');
  const refusal = state.quotas.get(namespace);
  const missing = set.spec.replicas - pods.length;
  let failure: Json[] = [];
  if (missing > 0 && refusal !== undefined) {
    const message = `pods "${name}-" is forbidden: ${refusal}`;
    failure = [condition('ReplicaFailure', true, 'FailedCreate', message)];
    noteEvent(state, set, 'Warning', 'FailedCreate', `Error creating: ${message}`);
  } else if (missing > 0) createPod(state, set);
  else if (missing < 0) {
    const victim = pods.find((pod) => !isReady(pod)) ?? (pods.at(-1) as Json);
    state.store.remove(kindNamed(state, 'Pod'), namespace, victim.metadata.name);
  }
  const now = claimed(state, 'Pod', set, 'ReplicaSet');
  const kind = kindNamed(state, 'ReplicaSet');
  const latest = state.store.find(kind, namespace, name);
  if (latest === null) return;
  latest.status = { replicas: now.length, readyReplicas: now.filter(isReady).length, conditions: failure };
  state.store.replace(kind, latest);
}

function createPod(state: ClusterState, set: Json): void {
  const uid = state.store.newUid();
  state.store.create(kindNamed(state, 'Pod'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${set.metadata.name}-${uid.slice(-5)}`,
      namespace: set.metadata.namespace,
      uid,
      labels: set.spec.template.metadata.labels,
      annotations: set.spec.template.metadata.annotations,
      ownerReferences: [ownedBy('apps/v1', 'ReplicaSet', set)],
    },
    spec: set.spec.template.spec,
    status: { phase: 'Pending', conditions: [], containerStatuses: [] },
  });
}
