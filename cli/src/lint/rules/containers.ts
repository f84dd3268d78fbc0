import { isMapping } from '../../files/values.ts';
import { type Container, containersOf, type Workload } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const containers: Rule = {
  id: 'containers',
  level: 'error',
  what: 'pods have containers with names and images; variables and volumes are complete',
  why: 'What the API server refuses and no schema says: no container at all, two of the same name, a variable with a value and a source, a mount of a volume that is not there, a number below zero.',
  fixable: false,
  check: ({ workloads }, say) => {
    for (const workload of workloads) {
      const given = containersOf(workload);
      const own = given.filter(({ kind }) => kind === 'containers');
      const spec = [...workload.template, 'spec'];
      if (own.length === 0) say(at(workload, [...spec, 'containers']), 'A pod needs at least one container.');
      const names = new Set<string>();
      for (const container of given) {
        const { value, path } = container;
        if (text(value.name) === undefined || value.name === '') continue;
        if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(container.name)) {
          say(
            at(workload, [...path, 'name']),
            `${container.name} must be a DNS label: at most 63 of a-z 0-9 -.`,
          );
        }
        if (names.has(container.name))
          say(at(workload, [...path, 'name']), `Two containers are named ${container.name}.`);
        names.add(container.name);
        if (value.image === undefined || value.image === '')
          say(at(workload, path), `The container ${container.name} needs an image.`);
        checkEnv(workload, container, say);
        checkProbes(workload, container, say);
      }
      checkVolumes(workload, given, say);
      checkNegative(workload, say);
    }
  },
};

const sources = ['configMapKeyRef', 'fieldRef', 'fileKeyRef', 'resourceFieldRef', 'secretKeyRef'];

function checkEnv(workload: Workload, { value, path }: Container, say: Say): void {
  for (const [index, one] of list(value.env).entries()) {
    const { name, value: given, valueFrom } = mapping(one);
    const where = at(workload, [...path, 'env', index]);
    if (typeof name === 'string' && !/^[^=\s]+$/.test(name))
      say(where, `"${name}" is no name of a variable.`);
    if (!isMapping(valueFrom)) continue;
    const found = Object.keys(valueFrom).filter((key) => sources.includes(key));
    if (found.length !== 1)
      say(
        at(workload, [...path, 'env', index, 'valueFrom']),
        `${name} needs exactly one source, and has ${found.length}.`,
      );
    if (given !== undefined && given !== '') say(where, `${name} has a value and a source: keep one.`);
  }
}

const handlers = ['exec', 'grpc', 'httpGet', 'tcpSocket'];

function checkProbes(workload: Workload, { value, path }: Container, say: Say): void {
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    if (!isMapping(value[probe])) continue;
    const found = handlers.filter((handler) => mapping(value[probe])[handler] !== undefined);
    if (found.length !== 1)
      say(
        at(workload, [...path, probe]),
        `${probe} needs exactly one of httpGet, tcpSocket, grpc and exec, and has ${found.length}.`,
      );
    const asked = text(mapping(mapping(value[probe]).httpGet).path);
    if (asked !== undefined && !asked.startsWith('/'))
      say(at(workload, [...path, probe, 'httpGet', 'path']), `The path ${asked} must begin with /.`);
  }
}

function checkVolumes(workload: Workload, given: readonly Container[], say: Say): void {
  const volumes = list(workload.podSpec.volumes).map(mapping);
  const base = [...workload.template, 'spec', 'volumes'];
  const names = new Set<unknown>();
  for (const [index, { name }] of volumes.entries()) {
    if (names.has(name)) say(at(workload, [...base, index, 'name']), `Two volumes are named ${name}.`);
    names.add(name);
  }
  for (const claim of list(workload.get(['spec', 'volumeClaimTemplates'])))
    names.add(mapping(mapping(claim).metadata).name);
  for (const { value, path } of given) {
    const mounted = new Set<unknown>();
    for (const [index, one] of list(value.volumeMounts).entries()) {
      const { name, mountPath } = mapping(one);
      if (name !== undefined && !names.has(name))
        say(at(workload, [...path, 'volumeMounts', index, 'name']), `No volume of the pod is named ${name}.`);
      if (mountPath !== undefined && mounted.has(mountPath))
        say(
          at(workload, [...path, 'volumeMounts', index, 'mountPath']),
          `Two volumes are mounted at ${mountPath}.`,
        );
      mounted.add(mountPath);
    }
  }
}

const counts =
  /^(replicas|minReadySeconds|revisionHistoryLimit|progressDeadlineSeconds|terminationGracePeriodSeconds|initialDelaySeconds|periodSeconds|timeoutSeconds|successThreshold|failureThreshold|runAsUser|runAsGroup|fsGroup|activeDeadlineSeconds)$/;

function checkNegative(workload: Workload, say: Say): void {
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) walk(one, [...path, index]);
    else if (isMapping(value)) for (const [key, one] of Object.entries(value)) walk(one, [...path, key]);
    else if (typeof value === 'number' && counts.test(`${path.at(-1)}`)) {
      if (value < 0) say(at(workload, path), `${path.at(-1)} must be 0 or more.`);
    }
  };
  walk(workload.value.spec, ['spec']);
}
