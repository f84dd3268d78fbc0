import type { TextEdit } from '../../files/text-edit.ts';
import { amountOf } from '../../manifests/quantity.ts';
import { counted } from '../../output/counted.ts';
import { at, type Rule } from '../rule.ts';
import { mapping, texts } from '../values.ts';

export const rollout: Rule = {
  id: 'rollout',
  level: 'warning',
  what: 'Deployments fail after 120 s, keep 3 old versions, and start the new pod before the old one stops',
  why: 'Left to its default, a rollout that cannot work says nothing for ten minutes, and ten old versions are kept. With maxUnavailable 0 there is a server to call at every moment of the change.',
  fixable: true,
  check: ({ ofKind }, say) => {
    for (const deployment of ofKind('Deployment')) {
      const spec = mapping(deployment.value.spec);
      if (Object.keys(spec).length === 0) continue;
      const wanted = { progressDeadlineSeconds: 120, revisionHistoryLimit: 3 };
      const missing = Object.entries(wanted).filter(([field]) => spec[field] === undefined);
      if (missing.length > 0) {
        const edits = missing.map(([field, value]) =>
          deployment.set(['spec', field], value, { after: 'replicas' }),
        );
        const names = missing.map(([field, value]) => `${field}: ${value}`).join(' and ');
        say(at(deployment, ['spec']), `A rollout that fails says so late: set ${names}.`, {
          fix: together(edits),
        });
      }
      const deadline = spec.progressDeadlineSeconds;
      if (typeof deadline === 'number' && deadline > 300)
        say(
          at(deployment, ['spec', 'progressDeadlineSeconds']),
          `A rollout that fails says so after ${deadline} s only: 120 is enough.`,
        );
      const template = ['spec', 'template', 'spec'];
      if (
        mapping(mapping(spec.template).spec).terminationGracePeriodSeconds === undefined &&
        deployment.get(template) !== undefined
      ) {
        say(
          at(deployment, template),
          'Say how long a call may take to end when the pod stops: set terminationGracePeriodSeconds.',
          {
            fix: deployment.set([...template, 'terminationGracePeriodSeconds'], 30, 'first'),
          },
        );
      }
      const { type, rollingUpdate } = mapping(spec.strategy);
      const { maxUnavailable } = mapping(rollingUpdate);
      if (type === 'Recreate') continue;
      if (amountOf(maxUnavailable) === 0 || maxUnavailable === '0%') continue;
      say(
        at(deployment, ['spec', 'strategy']),
        'A rollout may stop the old pod before the new one answers: set strategy.rollingUpdate to maxUnavailable 0 and maxSurge 1.',
        {
          fix:
            spec.strategy === undefined
              ? deployment.set(
                  ['spec', 'strategy'],
                  { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
                  { after: 'replicas' },
                )
              : undefined,
        },
      );
    }
  },
};

function together(edits: readonly (readonly TextEdit[] | undefined)[]): readonly TextEdit[] | undefined {
  return edits.every((edit) => edit !== undefined) ? edits.flat() : undefined;
}

export const pdbSingleReplica: Rule = {
  id: 'pdb-single-replica',
  level: 'warning',
  what: 'a disruption budget leaves room to drain a node',
  why: 'One replica with minAvailable 1, or maxUnavailable 0 with any number, forbids Kubernetes to move the pod at all: every upgrade of the nodes waits for a person.',
  fixable: false,
  check: ({ ofKind, podsSelectedBy, namespaceOf }, say) => {
    for (const budget of ofKind('PodDisruptionBudget')) {
      const { minAvailable, maxUnavailable, selector } = mapping(budget.value.spec);
      const wanted = texts(mapping(selector).matchLabels);
      const [workload] = podsSelectedBy(namespaceOf(budget), wanted);
      if (workload === undefined) continue;
      const replicas = amountOf(workload.get(['spec', 'replicas'])) ?? 1;
      const least = `${minAvailable}`.endsWith('%')
        ? Math.ceil((Number.parseInt(`${minAvailable}`, 10) / 100) * replicas)
        : (amountOf(minAvailable) ?? 0);
      const blocks =
        maxUnavailable === 0 || maxUnavailable === '0%' || (minAvailable !== undefined && least >= replicas);
      if (blocks)
        say(
          at(budget, ['spec']),
          `With ${counted(replicas, 'replica')}, no node of ${workload.name} can be drained: remove the budget, or set maxUnavailable: 1.`,
        );
    }
  },
};
