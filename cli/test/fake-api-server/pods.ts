import { type ClusterState, kindNamed, type PodTrouble } from './cluster-state.ts';
import { noteEvent } from './events.ts';
import type { Json } from './json.ts';

export const isReady = (pod: Json): boolean =>
  (pod.status?.conditions ?? []).some(({ type, status }: Json) => type === 'Ready' && status === 'True');

/** One step of each Pod on its way: scheduled, its image pulled, its container started, ready. */
export function stepPods(state: ClusterState): boolean {
  const before = state.store.version();
  for (const pod of state.store.list(kindNamed(state, 'Pod'), null)) stepPod(state, pod);
  return state.store.version() !== before;
}

function stepPod(state: ClusterState, pod: Json): void {
  const container = pod.spec.containers[0];
  const [now] = pod.status.containerStatuses ?? [];
  const { name, image } = container;
  const base = { name, image, ready: false, restartCount: now?.restartCount ?? 0 };
  const next = { ...base, ...nextStatus(state, pod, now) };
  pod.spec.nodeName ??= 'node-1';
  pod.status = {
    phase: next.state.running === undefined && next.restartCount === 0 ? 'Pending' : 'Running',
    podIP: '10.244.0.7',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      {
        type: 'Ready',
        status: next.ready ? 'True' : 'False',
        reason: next.ready ? '' : 'ContainersNotReady',
      },
    ],
    containerStatuses: [next],
  };
  state.store.replace(kindNamed(state, 'Pod'), pod);
}

const waiting = (reason: string, message?: string): Json => ({
  state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
});

/** What the kubelet says of the container next. */
function nextStatus(state: ClusterState, pod: Json, now: Json | undefined): Json {
  const { image } = pod.spec.containers[0];
  if (now === undefined) return waiting('ContainerCreating');
  if (state.missingImages.has(image)) return notPulled(state, pod, now);
  const missing = missingConfiguration(state, pod);
  if (missing !== null) {
    noteEvent(state, pod, 'Warning', 'Failed', `Error: ${missing}`);
    return waiting('CreateContainerConfigError', missing);
  }
  const { crash, unready } = troubleOf(state, pod);
  if (crash !== undefined) return crashed(pod, now, crash.exitCode);
  if (now.state?.running === undefined) {
    return { state: { running: { startedAt: state.store.time() } }, started: true };
  }
  if (unready === undefined) return { ...now, ready: true };
  noteEvent(state, pod, 'Warning', 'Unhealthy', `Readiness probe failed: ${unready}`);
  return { ...now, ready: false };
}

function notPulled(state: ClusterState, pod: Json, now: Json): Json {
  const { image } = pod.spec.containers[0];
  const why = `failed to pull and unpack image "${image}": failed to resolve reference: ${image}: not found`;
  const said = `Failed to pull image "${image}": rpc error: code = NotFound desc = ${why}`;
  noteEvent(state, pod, 'Warning', 'Failed', said);
  const isFirst = !['ErrImagePull', 'ImagePullBackOff'].includes(now.state?.waiting?.reason);
  if (isFirst) return waiting('ErrImagePull', why);
  return waiting('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${why}`);
}

function crashed(pod: Json, now: Json, exitCode: number): Json {
  const { name } = pod.spec.containers[0];
  const isNew = now.state?.waiting?.reason !== 'CrashLoopBackOff';
  return {
    ...waiting(
      'CrashLoopBackOff',
      `back-off 10s restarting failed container=${name} pod=${pod.metadata.name}`,
    ),
    lastState: { terminated: { exitCode, reason: 'Error' } },
    restartCount: now.restartCount + (isNew ? 1 : 0),
  };
}

function troubleOf(state: ClusterState, pod: Json): PodTrouble {
  for (const [name, trouble] of state.troubles) if (isOf(pod, name)) return trouble;
  return {};
}

/** Whether a Pod is of a Deployment with this name, or runs this image. */
export function isOf(pod: Json, name: string): boolean {
  const owner: string = pod.metadata.ownerReferences?.[0]?.name ?? '';
  return pod.spec.containers[0].image === name || owner.replace(/-[0-9a-f]{10}$/, '') === name;
}

/** What the container refers to and is not there. */
function missingConfiguration(state: ClusterState, pod: Json): string | null {
  const { namespace } = pod.metadata;
  const container = pod.spec.containers[0];
  for (const { valueFrom } of container.env ?? []) {
    for (const [field, kindName] of [
      ['secretKeyRef', 'Secret'],
      ['configMapKeyRef', 'ConfigMap'],
    ] as const) {
      const ref = valueFrom?.[field];
      if (ref === undefined || ref.optional === true) continue;
      const found = state.store.find(kindNamed(state, kindName), namespace, ref.name);
      if (found === null) return `${kindName.toLowerCase()} "${ref.name}" not found`;
      if (found.data?.[ref.key] === undefined)
        return `couldn't find key ${ref.key} in ${kindName} ${namespace}/${ref.name}`;
    }
  }
  return null;
}
