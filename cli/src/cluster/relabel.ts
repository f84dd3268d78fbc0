import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../command-error.ts';
import { fits, type LabelSelector, type Labels, selectorText } from '../manifests/label-selector.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import type { WantedServer } from './chosen.ts';
import type { Cluster } from './cluster.ts';
import type { LiveDeployment, LiveReplicaSet, LiveService, PodTemplate } from './live.ts';
import { liveDiff } from './live-diff.ts';
import { readRollout } from './rollout.ts';

/**
 * Where the change of a selector stands, read from the cluster alone, so that whoever goes on needs nothing else.
 *
 * The selector of a Deployment cannot change, so it is replaced by another of the same name, while its pods go on: they get
 * both sets of labels first, and the next Deployment adopts them by the new ones.
 */
export type RelabelState =
  /** Its pods are to get the new labels beside the old ones. */
  | { readonly step: 'both-labels'; readonly live: LiveDeployment }
  /** They have them: the Deployment goes, and its pods stay. */
  | { readonly step: 'let-go'; readonly live: LiveDeployment }
  /** Nobody keeps the pods: the new Deployment adopts them, and the Service takes the new labels. */
  | { readonly step: 'adopt'; readonly set: LiveReplicaSet }
  /** Everything as it is to be, without the old labels. */
  | { readonly step: 'finish' }
  | { readonly step: 'done' };

export type RelabelStep = RelabelState['step'];

export const relabelSteps: readonly { readonly step: RelabelStep; readonly what: string }[] = [
  { step: 'both-labels', what: 'the pods get the new labels beside the old ones, one by one' },
  { step: 'let-go', what: 'the Deployment is removed, its pods stay and go on answering' },
  { step: 'adopt', what: 'the new Deployment adopts the pods, the Service finds them by the new labels' },
  { step: 'finish', what: 'the pods lose the old labels, one by one' },
];

/** What the manifests want, as far as it is needed here. */
export interface Relabelling {
  readonly deployment: KubernetesObject;
  readonly services: readonly KubernetesObject[];
  readonly selector: LabelSelector;
  readonly labels: Labels;
}

export function relabellingOf({ objects, names, server }: WantedServer): Relabelling {
  const deployment = objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === names.workload,
  );
  if (deployment === undefined) {
    throw new CommandError(
      'migrate.no-manifest',
      `The manifests of ${server.spec.name} have no Deployment ${names.workload}`,
    );
  }
  const { selector, template } = (deployment as unknown as LiveDeployment).spec;
  return {
    deployment,
    services: objects.filter(({ kind }) => kind === 'Service'),
    selector,
    labels: template.metadata?.labels ?? {},
  };
}

export async function readRelabelState(cluster: Cluster, wanted: Relabelling): Promise<RelabelState> {
  const { deployment, services, selector, labels } = wanted;
  const live = await cluster.get<LiveDeployment>(deployment);
  if (live === null) return { step: 'adopt', set: await orphanedSet(cluster, wanted) };
  if (isDeepStrictEqual(live.spec.selector, selector)) {
    const { done } = await readRollout(cluster, live);
    const diffs = await liveDiff(cluster, [...services, deployment], { asOurs: true });
    const isSame = diffs.every(({ change, conflicts }) => change === 'same' && conflicts.length === 0);
    return { step: done && isSame ? 'done' : 'finish' };
  }
  const has = live.spec.template.metadata?.labels ?? {};
  const { done } = await readRollout(cluster, live);
  const isReady = done && fits(selector, has) && fits({ matchLabels: labels }, has);
  return { step: isReady ? 'let-go' : 'both-labels', live };
}

/** The ReplicaSet that a Deployment of this name has left, with pods that the new one can adopt. */
async function orphanedSet(cluster: Cluster, { deployment, selector }: Relabelling): Promise<LiveReplicaSet> {
  const sets = await leftSets(cluster, deployment);
  const running = sets.filter(({ spec }) => (spec.replicas ?? 1) > 0);
  const found = running.find(({ spec }) => fits(selector, spec.template.metadata?.labels ?? {}));
  if (found !== undefined) return found;
  const { name } = deployment.metadata;
  throw new CommandError('migrate.no-deployment', `${cluster.name} has no Deployment ${name}`, [
    running.length === 0
      ? 'There are no pods of it either: sallyport deploy apply makes it anew.'
      : `Its pods are there without a Deployment, and without the new labels (${running[0]?.metadata.name}): apply the old manifest again, then start over.`,
  ]);
}

async function leftSets(
  cluster: Cluster,
  { metadata }: KubernetesObject,
): Promise<readonly LiveReplicaSet[]> {
  const { name, namespace = 'default' } = metadata;
  const sets = await cluster.list<LiveReplicaSet>({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace });
  const isOfName = (own: string) =>
    own.startsWith(`${name}-`) && /^[a-z0-9]+$/.test(own.slice(name.length + 1));
  return sets.filter(({ metadata: own }) => isOfName(own.name) && (own.ownerReferences ?? []).length === 0);
}

/** What would lead nowhere in the end, or cannot be done this way at all; throws that. */
export async function checkRelabel(
  cluster: Cluster,
  wanted: Relabelling,
  state: RelabelState,
): Promise<void> {
  if (state.step === 'finish') {
    const diffs = await liveDiff(cluster, [...wanted.services, wanted.deployment], { asOurs: true });
    const refused = diffs.flatMap(({ title, refusal }) => (refusal === null ? [] : [`${title}: ${refusal}`]));
    if (refused.length > 0)
      throw new CommandError('migrate.refused', 'The cluster would refuse what is to be', refused);
  }
  if (state.step !== 'both-labels' && state.step !== 'let-go') return;
  const { live } = state;
  const { namespace = 'default', name } = live.metadata;
  const services = await cluster.list<LiveService>({ apiVersion: 'v1', kind: 'Service', namespace });
  const before = live.spec.template.metadata?.labels ?? {};
  const leading = services.filter(
    ({ spec }) => spec.selector !== undefined && fits({ matchLabels: spec.selector }, before),
  );
  const needed = [live.spec.selector.matchLabels ?? {}, ...leading.map(({ spec }) => spec.selector ?? {})];
  for (const [label, value] of needed.flatMap((labels) => Object.entries(labels))) {
    const next = wanted.labels[label];
    if (next === undefined || next === value) continue;
    throw new CommandError(
      'migrate.label-clash',
      `The pods of ${name} cannot have both labels ${label}: ${value} and ${next}`,
      [
        `The old selector needs the one, the new one the other: labels of server.yaml can keep ${value} for this step.`,
      ],
    );
  }
  const both = { ...before, ...wanted.labels };
  for (const selector of [live.spec.selector, wanted.selector]) {
    if (fits(selector, both)) continue;
    throw new CommandError(
      'migrate.label-clash',
      `The pods of ${name} cannot have the old labels and the new ones together`,
      [`Then they would not be those of ${selectorText(selector)}: change these labels in server.yaml.`],
    );
  }
  const ours = new Set(wanted.services.map(({ metadata }) => metadata.name));
  const lost = leading.filter(
    ({ metadata, spec }) =>
      !ours.has(metadata.name) && !fits({ matchLabels: spec.selector ?? {} }, wanted.labels),
  );
  if (lost.length === 0) return;
  const names = lost.map(({ metadata }) => metadata.name).join(', ');
  throw new CommandError(
    'migrate.other-service',
    `Other Services find these pods by labels that go: ${names}`,
    [`Give them the selector ${selectorText(wanted.selector)} after the second step, or remove them before.`],
  );
}

/**
 * The Deployment as it is to be, but with the old selector, and with pods that both selectors fit. It replaces the one that
 * is there: merged with what somebody else has applied, its pods might have their containers, too.
 */
export function withBothLabels({ deployment, labels }: Relabelling, live: LiveDeployment): KubernetesObject {
  const wanted = deployment as unknown as LiveDeployment;
  const template = withLabels(wanted.spec.template, { ...live.spec.template.metadata?.labels, ...labels });
  const { labels: before, annotations } = live.metadata;
  const metadata = {
    ...deployment.metadata,
    labels: { ...before, ...deployment.metadata.labels },
    annotations: { ...annotations, ...deployment.metadata.annotations },
  };
  return { ...deployment, metadata, spec: { ...wanted.spec, selector: live.spec.selector, template } };
}

/** The new Deployment with just the pods that are there, so that it adopts them and starts no others. */
export function adopting({ deployment }: Relabelling, set: LiveReplicaSet): KubernetesObject {
  const wanted = deployment as unknown as LiveDeployment;
  const { 'pod-template-hash': _hash, ...labels } = set.spec.template.metadata?.labels ?? {};
  const template = withLabels(set.spec.template, labels);
  return { ...deployment, spec: { ...wanted.spec, replicas: set.spec.replicas ?? 1, template } };
}

function withLabels(template: PodTemplate, labels: Labels): PodTemplate {
  const { creationTimestamp: _never, ...metadata } = (template.metadata ?? {}) as Record<string, unknown>;
  return { ...template, metadata: { ...metadata, labels } };
}

/** ReplicaSets without pods that the Deployment of before has left: nobody else would remove them. */
export async function emptyLeftSets(
  cluster: Cluster,
  deployment: KubernetesObject,
): Promise<readonly LiveReplicaSet[]> {
  return (await leftSets(cluster, deployment)).filter(({ spec }) => spec.replicas === 0);
}
