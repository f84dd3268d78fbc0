import type { Cluster } from './cluster.ts';
import type {
  ContainerStatus,
  Live,
  LiveDeployment,
  LiveEndpointSlice,
  LiveEvent,
  LivePod,
  LiveReplicaSet,
} from './live.ts';

/** Where a Deployment stands. */
export interface Rollout {
  readonly done: boolean;
  /** `1 of 2 replicas updated, 1 available` */
  readonly said: string;
  /** What will not get better by waiting. */
  readonly trouble: Trouble | null;
}

export interface Trouble {
  /** `ImagePullBackOff`, in Kubernetes' words. */
  readonly reason: string;
  readonly message: string;
  readonly hint: string;
  /** The last lines that the container printed. */
  readonly logs: readonly string[];
  /** It may pass: somebody else has to do something first, as to make a Secret. */
  readonly mayPass: boolean;
}

const logLines = 20;

/** Reads where the rollout of a Deployment stands, and what keeps its pods from starting. */
export async function readRollout(cluster: Cluster, deployment: LiveDeployment): Promise<Rollout> {
  const { spec, status = {}, metadata } = deployment;
  const wanted = spec.replicas ?? 1;
  const { updatedReplicas: updated = 0, availableReplicas: available = 0, replicas = 0 } = status;
  const isSeen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const done = isSeen && updated === wanted && available === wanted && replicas === wanted;
  const said = isSeen
    ? `${updated} of ${wanted} replicas updated, ${available} available`
    : 'the cluster has not looked at it yet';
  return { done, said, trouble: done || !isSeen ? null : await troubleOf(cluster, deployment) };
}

async function troubleOf(cluster: Cluster, deployment: LiveDeployment): Promise<Trouble | null> {
  const conditions = deployment.status?.conditions ?? [];
  const refused = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (refused !== undefined) return notCreated(refused.reason ?? 'ReplicaFailure', refused.message ?? '');
  for (const pod of await newestPods(cluster, deployment)) {
    const trouble = await troubleOfPod(cluster, pod);
    if (trouble !== null) return trouble;
  }
  const late = conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  if (late === undefined) return null;
  return {
    ...nothing,
    reason: 'ProgressDeadlineExceeded',
    message: late.message ?? '',
    hint: (await notReady(cluster, deployment)).hint,
  };
}

const nothing = { logs: [], mayPass: false };

function notCreated(reason: string, message: string): Trouble {
  const hint = /quota/.test(message)
    ? 'The quota of the namespace is used up: less resources, or a greater quota.'
    : /violates PodSecurity/.test(message)
      ? 'The namespace enforces Pod Security: sallyport deploy lint --fix makes the pods fit.'
      : 'Pods are refused as they are created: what the message names has to change.';
  return { ...nothing, reason, message, hint };
}

/** Pods of the template as it is now, not of the one before. */
export async function newestPods(cluster: Cluster, deployment: LiveDeployment): Promise<readonly LivePod[]> {
  const { namespace = 'default', uid } = deployment.metadata;
  const { selector } = deployment.spec;
  const sets = await cluster.list<LiveReplicaSet>({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    namespace,
    selector,
  });
  const own = sets.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  const newest = own.sort((a, b) => revisionOf(b) - revisionOf(a))[0];
  if (newest === undefined) return [];
  const pods = await cluster.list<LivePod>({ apiVersion: 'v1', kind: 'Pod', namespace, selector });
  return pods.filter(({ metadata }) =>
    metadata.ownerReferences?.some((owner) => owner.uid === newest.metadata.uid),
  );
}

/** Kubernetes numbers them in an annotation; one that is adopted or older comes before. */
const revisionOf = ({ metadata }: Live): number =>
  Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0) ||
  Date.parse(String(metadata.creationTimestamp));

const hints: Readonly<Record<string, string>> = {
  ImagePullBackOff:
    'The image cannot be pulled: is the name right, was it pushed, and may the cluster read the registry (imagePullSecrets)?',
  InvalidImageName: 'The name of the image is not valid.',
  ErrImageNeverPull: 'The image is not on the node, and imagePullPolicy forbids to pull it.',
  CrashLoopBackOff: 'The container ends as soon as it starts; its last lines say why.',
  CreateContainerConfigError:
    'A Secret or ConfigMap that the container needs, or a key of it, is not there: secrets in server.yaml says where its values come from.',
  CreateContainerError: 'The container cannot be made as it is described.',
  RunContainerError: 'The container cannot be started: is its command in the image?',
};

async function troubleOfPod(cluster: Cluster, pod: LivePod): Promise<Trouble | null> {
  const { namespace = 'default', name } = pod.metadata;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const { reason = '', message = '' } = status.state?.waiting ?? {};
    const hint = hints[reason];
    if (hint === undefined) continue;
    const isCrash = reason === 'CrashLoopBackOff';
    const logs = isCrash ? await lastLines(cluster, namespace, name) : [];
    const mayPass = reason === 'CreateContainerConfigError';
    return {
      reason,
      message: isCrash ? howItEnded(status) : message,
      hint: pullHint(message) ?? hint,
      logs,
      mayPass,
    };
  }
  const unscheduled = pod.status?.conditions?.find(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
  );
  if (unscheduled === undefined) return null;
  const hint = 'No node has room for it, or none fits; a cluster that grows by itself needs a while.';
  return { ...nothing, reason: 'Unschedulable', message: unscheduled.message ?? '', hint, mayPass: true };
}

const pullHint = (message: string): string | undefined =>
  /unauthorized|403 Forbidden|denied/i.test(message) && /pull|image/i.test(message)
    ? 'The registry does not let the cluster read this image: imagePullSecrets names the Secret that does.'
    : undefined;

function howItEnded({ lastState, restartCount = 0 }: ContainerStatus): string {
  const { exitCode, reason } = lastState?.terminated ?? {};
  const code = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
  const why = reason === 'OOMKilled' ? ' (more memory than its limit)' : '';
  return `it ended${code}${why}, ${restartCount} times`;
}

async function lastLines(cluster: Cluster, namespace: string, pod: string): Promise<readonly string[]> {
  for (const previous of [true, false]) {
    const text = await cluster.log(namespace, pod, { previous, lines: logLines }).catch(() => '');
    if (text.trim() !== '') return text.trimEnd().split('\n');
  }
  return [];
}

/** Why pods that run are not ready: what their probes said, and what the container printed. */
export async function notReady(cluster: Cluster, deployment: LiveDeployment): Promise<Trouble> {
  const { namespace = 'default' } = deployment.metadata;
  const pods = await newestPods(cluster, deployment);
  const pod = pods.find((one) => !isReadyPod(one)) ?? pods[0];
  if (pod === undefined)
    return {
      ...nothing,
      reason: 'NoPods',
      message: 'there are no pods of it',
      hint: 'Is the controller of Deployments running?',
    };
  const events = await cluster
    .list<LiveEvent>({
      apiVersion: 'v1',
      kind: 'Event',
      namespace,
      fields: { 'involvedObject.uid': pod.metadata.uid },
    })
    .catch(() => []);
  const warning = events.filter(({ type }) => type === 'Warning').at(-1);
  const waiting = pod.status?.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state
    ?.waiting;
  return {
    reason: warning?.reason ?? waiting?.reason ?? pod.status?.phase ?? 'NotReady',
    message: warning?.message ?? waiting?.message ?? `pod ${pod.metadata.name} is not ready`,
    hint:
      warning?.reason === 'Unhealthy'
        ? 'health in server.yaml says what is probed: does the server answer there, on that port?'
        : 'It takes longer than it was given: --timeout waits longer.',
    logs: await lastLines(cluster, namespace, pod.metadata.name),
    mayPass: false,
  };
}

export const isReadyPod = ({ status }: LivePod): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');

/** Ready endpoints of a Service. */
export async function readyEndpoints(cluster: Cluster, namespace: string, service: string): Promise<number> {
  const selector = { matchLabels: { 'kubernetes.io/service-name': service } };
  const slices = await cluster.list<LiveEndpointSlice>({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    namespace,
    selector,
  });
  const endpoints = slices.flatMap(({ endpoints: some }) => some ?? []);
  return endpoints.filter(({ conditions }) => conditions?.ready !== false).length;
}
