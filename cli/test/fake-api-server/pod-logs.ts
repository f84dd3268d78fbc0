import { ApiFault } from './api-fault.ts';
import { type ClusterState, kindNamed } from './cluster-state.ts';
import { isOf } from './pods.ts';
import type { Target } from './target.ts';

/** `…/pods/x/log`: what the container printed, or why there is nothing. */
export function podLog(state: ClusterState, { namespace, name }: Target, query: URLSearchParams): string {
  const pod = state.store.get(kindNamed(state, 'Pod'), namespace, name as string);
  const [status] = pod.status.containerStatuses ?? [];
  const reason = status?.state?.waiting?.reason;
  const container = pod.spec.containers[0].name;
  const isPrevious = query.get('previous') === 'true';
  if (reason !== undefined && reason !== 'CrashLoopBackOff') {
    const why =
      reason === 'ImagePullBackOff' || reason === 'ErrImagePull'
        ? 'trying and failing to pull image'
        : `waiting to start: ${reason}`;
    throw new ApiFault(400, 'BadRequest', `container "${container}" in pod "${name}" is ${why}`);
  }
  if (isPrevious && (status?.restartCount ?? 0) === 0) {
    throw new ApiFault(
      400,
      'BadRequest',
      `previous terminated container "${container}" in pod "${name}" not found`,
    );
  }
  const crashed = [...state.troubles].find(([of]) => isOf(pod, of))?.[1].crash?.logs;
  const text = crashed ?? [...state.logs].find(([of]) => isOf(pod, of))?.[1] ?? '';
  const lines = text.split('\n').filter((line, at, all) => line !== '' || at < all.length - 1);
  const tail = Number(query.get('tailLines') ?? lines.length);
  return lines.length === 0 ? '' : `${lines.slice(-tail).join('\n')}\n`;
}
