import { type ClusterState, kindNamed } from './cluster-state.ts';
import type { Json } from './json.ts';
import { isReady } from './pods.ts';
import { matches } from './selectors.ts';

/** Pods that a Service leads to, ready or not. */
export function podsOf(state: ClusterState, service: Json): Json[] {
  const selector = service.spec?.selector;
  if (selector === undefined) return [];
  return state.store
    .list(kindNamed(state, 'Pod'), service.metadata.namespace)
    .filter((pod) => matches(pod.metadata.labels, selector));
}

/**
 * Keeps the EndpointSlices. They follow at once, sooner than in a real cluster, so that a moment without endpoints is seen
 * however short it is.
 */
export function syncEndpoints(state: ClusterState): void {
  const kind = kindNamed(state, 'EndpointSlice');
  const services = state.store.list(kindNamed(state, 'Service'), null).filter(({ spec }) => spec.selector);
  const slices = new Map(
    state.store.list(kind, null).map((slice) => [slice.metadata.ownerReferences?.[0]?.uid, slice]),
  );
  for (const service of services) {
    const { name, namespace, uid } = service.metadata;
    const endpoints = podsOf(state, service).map((pod) => ({
      addresses: [pod.status?.podIP ?? '10.244.0.1'],
      conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
    }));
    const ports = (service.spec.ports ?? []).map(({ name: port, protocol, targetPort }: Json) => ({
      name: port ?? '',
      protocol,
      port: targetPort,
    }));
    const slice = slices.get(uid);
    if (slice !== undefined) state.store.replace(kind, { ...slice, endpoints, ports });
    else {
      state.store.create(kind, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${state.store.newUid().slice(-5)}`,
          namespace,
          labels: { 'kubernetes.io/service-name': name },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }],
        },
        addressType: 'IPv4',
        endpoints,
        ports,
      });
    }
    slices.delete(uid);
  }
  for (const [owner, slice] of slices) {
    if (owner !== undefined) state.store.remove(kind, slice.metadata.namespace, slice.metadata.name);
  }
}
