import { at, type Rule } from '../rule.ts';
import { list, mapping } from '../values.ts';

export const selector: Rule = {
  id: 'selector',
  level: 'error',
  what: 'selectors are not empty, and Services select pods of their namespace',
  why: 'A Service whose selector fits no pod has no endpoints: everything looks deployed, and every call fails. An empty selector takes every pod of the namespace.',
  fixable: false,
  check: ({ workloads, namespaceOf, ofKind, podsSelectedBy }, say) => {
    for (const workload of workloads) {
      if (workload.kind === 'Pod' || workload.kind === 'Job' || workload.kind === 'CronJob') continue;
      const given = mapping(workload.get(['spec', 'selector']));
      const empty =
        Object.keys(mapping(given.matchLabels)).length === 0 && list(given.matchExpressions).length === 0;
      if (empty && workload.get(['spec']) !== undefined) {
        say(at(workload, ['spec', 'selector']), 'A selector must name labels: add selector.matchLabels.');
      }
    }
    for (const service of ofKind('Service')) {
      if (service.get(['spec', 'type']) === 'ExternalName') continue;
      const given = mapping(service.get(['spec', 'selector']));
      if (Object.keys(given).length === 0) {
        say(
          at(service, ['spec', 'selector']),
          'A Service without a selector has no pods behind it: add spec.selector.',
        );
        continue;
      }
      if (podsSelectedBy(namespaceOf(service), given).length > 0) continue;
      const wanted = Object.entries(given)
        .map(([label, value]) => `${label}: ${value}`)
        .join(', ');
      say(
        at(service, ['spec', 'selector']),
        `No pod of these manifests has the labels ${wanted}, so ${service.name} has no endpoints: make selector and pod labels the same.`,
      );
    }
  },
};
