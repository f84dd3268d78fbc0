import { isDeepStrictEqual } from 'node:util';
import { parseYaml } from '../../files/yaml-file.ts';
import { resourcesOf } from '../resource.ts';
import { at, type Rule } from '../rule.ts';

const immutable = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']);

export const selectorChange: Rule = {
  id: 'selector-change',
  level: 'error',
  what: 'the selector of a Deployment that is in git already does not change',
  why: 'spec.selector cannot be changed: the API server refuses the Deployment and takes the Service beside it, which then finds no pod, so the server is gone for its callers. A planned migration in four steps keeps an endpoint at every moment.',
  fixable: false,
  check: async (repository, say) => {
    for (const file of repository.files) {
      const here = repository.workloads.filter((one) => one.file === file.shown && immutable.has(one.kind));
      if (here.length === 0 || file.silent === true) continue;
      const head = await repository.atHead(file);
      if (head === null || head === file.text) continue;
      const before = parseYaml(file.shown, head).file.documents.flatMap((document) =>
        resourcesOf(file.shown, document),
      );
      for (const workload of here) {
        const old = before.find(
          ({ kind, name, namespace }) =>
            kind === workload.kind && name === workload.name && namespace === workload.namespace,
        );
        const selector = old?.get(['spec', 'selector']);
        if (selector === undefined || isDeepStrictEqual(selector, workload.get(['spec', 'selector'])))
          continue;
        say(
          at(workload, ['spec', 'selector']),
          `The selector cannot change in place: before this is committed, move the pods with sallyport deploy migrate ${workload.name} labels.`,
        );
      }
    }
  },
};
