import { type ClusterState, kindNamed } from './cluster-state.ts';
import type { Json } from './json.ts';
import type { Kind } from './kinds.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** Removes an object, and what it owns; `Orphan` leaves that, without an owner. */
export function removeObject(state: ClusterState, kind: Kind, object: Json, propagation: Propagation): Json {
  const { namespace = null, name, uid } = object.metadata;
  const removed = state.store.remove(kind, namespace, name);
  for (const dependentKind of [kindNamed(state, 'ReplicaSet'), kindNamed(state, 'Pod')]) {
    for (const dependent of state.store.list(dependentKind, namespace)) {
      const owners: Json[] = dependent.metadata.ownerReferences ?? [];
      if (!owners.some((owner) => owner.uid === uid)) continue;
      if (propagation === 'Orphan') {
        dependent.metadata.ownerReferences = owners.filter((owner) => owner.uid !== uid);
        state.store.replace(dependentKind, dependent);
      } else removeObject(state, dependentKind, dependent, 'Background');
    }
  }
  return removed;
}
