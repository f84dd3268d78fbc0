import { type ClusterState, kindNamed } from './cluster-state.ts';
import type { Json } from './json.ts';

/** Says what happened to an object; what was said before is counted. */
export function noteEvent(
  state: ClusterState,
  about: Json,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  const kind = kindNamed(state, 'Event');
  const { name, namespace, uid } = about.metadata;
  const known = state.store
    .list(kind, namespace)
    .find(
      (event) => event.involvedObject.uid === uid && event.reason === reason && event.message === message,
    );
  if (known !== undefined) return;
  state.store.create(kind, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${state.store.newUid().slice(-12)}`, namespace },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
    type,
    reason,
    message,
    count: 1,
    lastTimestamp: state.store.time(),
  });
}
