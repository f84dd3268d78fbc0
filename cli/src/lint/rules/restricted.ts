import type { YamlPath } from '../../files/yaml-file.ts';
import { containerViolations, podViolations, type Violation } from '../pod-security.ts';
import { containersOf, type Workload } from '../resource.ts';
import { at, type Rule } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const restricted: Rule = {
  id: 'restricted',
  level: 'error',
  what: 'pods pass Pod Security "restricted", with a read-only root, a numeric user and no token they do not need',
  why: 'A tool that an agent calls runs what others ask for. "restricted" keeps what goes wrong in it inside of its container: no root, no more privileges, no way to the node. The user must be a number, as the kubelet cannot know whether a name is root; and a token of the API server is the first thing that an intruder looks for.',
  fixable: true,
  check: ({ workloads, resources }, say) => {
    const bound = new Set(
      resources
        .filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
        .flatMap(({ value }) => list(value.subjects).map((subject) => text(mapping(subject).name))),
    );
    for (const workload of workloads) {
      for (const violation of [...podViolations(workload), ...ownRules(workload, bound)])
        report(workload, violation);
      for (const container of containersOf(workload)) {
        for (const violation of containerViolations(workload, container)) report(workload, violation);
      }
    }
    function report(workload: Workload, { path, message, set }: Violation): void {
      say(at(workload, path), message, {
        fix: set === undefined ? undefined : workload.set(set.path, set.value),
      });
    }
  },
};

/** What the convention asks for beyond Pod Security. */
function ownRules(workload: Workload, bound: ReadonlySet<string | undefined>): readonly Violation[] {
  const { podSpec, template } = workload;
  const spec = [...template, 'spec'];
  const violations: Violation[] = [];
  const account = text(podSpec.serviceAccountName);
  const mayHaveToken = account !== undefined && bound.has(account);
  if (podSpec.automountServiceAccountToken !== false && !mayHaveToken) {
    const path = [...spec, 'automountServiceAccountToken'];
    const message =
      'The pod gets a token of the API server that it has no rights for: set automountServiceAccountToken: false.';
    violations.push({ path, message, set: { path, value: false } });
  }
  const pod = mapping(podSpec.securityContext);
  for (const { path, value, name, kind } of containersOf(workload)) {
    const own = mapping(value.securityContext);
    const where: YamlPath = [...path, 'securityContext'];
    for (const field of ['runAsUser', 'runAsGroup']) {
      const given = own[field] ?? pod[field];
      if (given === undefined)
        violations.push({
          path: where,
          message: `${name} says no ${field}: set the number that its image is made for, such as 10001.`,
        });
    }
    if (kind === 'ephemeralContainers') continue;
    if (own.readOnlyRootFilesystem !== true) {
      violations.push({
        path: where,
        message: `${name} can write to its image: set readOnlyRootFilesystem: true, and mount an emptyDir where it writes, /tmp at least.`,
      });
    } else if (
      kind === 'containers' &&
      !list(value.volumeMounts).some((one) => mapping(one).mountPath === '/tmp')
    ) {
      violations.push({
        path: [...path, 'volumeMounts'],
        message: `${name} has a read-only root and no /tmp: mount an emptyDir there.`,
      });
    }
  }
  return violations;
}
