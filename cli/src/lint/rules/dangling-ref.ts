import type { YamlPath } from '../../files/yaml-file.ts';
import type { Repository } from '../repository.ts';
import { containersOf, type Resource } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { list, mapping, text, texts } from '../values.ts';
import { httpServersOf } from './mcp-json-servers.ts';

export const danglingRef: Rule = {
  id: 'dangling-ref',
  level: 'error',
  what: 'Services, ConfigMaps and ServiceAccounts that something refers to are there',
  why: 'A collector that nobody deployed, a Service that was renamed: the pod runs, and what it sends goes nowhere, or it never starts. Names of Services outside of this repository stand in knownServices of conventions.yaml.',
  fixable: false,
  check: (repository, say) => {
    checkEnvironment(repository, say);
    checkObjects(repository, say);
    checkIngresses(repository, say);
    checkMonitors(repository, say);
    checkMcpJson(repository, say);
  },
};

/** Hosts in a text that are Services of the cluster: `http://name:port`, `name.namespace.svc…`, `name.namespace:port`. */
function servicesIn(value: string, namespace: string): readonly { name: string; namespace: string }[] {
  const found: { name: string; namespace: string }[] = [];
  for (const [, host = ''] of value.matchAll(
    /\b[a-z][a-z0-9+]*:\/\/(?:[^\s/@]*@)?([a-z0-9.-]+)(?=[:/?#\s,;"']|$)/g,
  )) {
    const [name = '', second, third] = host.split('.');
    if (second === undefined && name !== 'localhost' && /^[a-z]/.test(name)) found.push({ name, namespace });
    if (second !== undefined && third === 'svc') found.push({ name, namespace: second });
  }
  for (const [, name = '', other = ''] of value.matchAll(
    /(?<![/@.\w-])([a-z][a-z0-9-]*)\.([a-z0-9-]+)\.svc\b/g,
  ))
    found.push({ name, namespace: other });
  return found;
}

function isKnown(
  { name, namespace }: { name: string; namespace: string },
  { find, project }: Repository,
): boolean {
  const { knownServices, gateway } = project.conventions;
  const full = `${name}.${namespace}`;
  if (namespace === 'kube-system' || full === 'kubernetes.default' || knownServices.includes(full))
    return true;
  if (gateway.url !== undefined && new RegExp(`//${name}(\\.${namespace})?[.:/]`).test(`${gateway.url}/`))
    return true;
  return find('Service', namespace, name) !== undefined;
}

const advice = 'deploy it, mend the name, or add it to knownServices of conventions.yaml';

function checkEnvironment(repository: Repository, say: Say): void {
  for (const workload of repository.workloads) {
    const namespace = repository.namespaceOf(workload);
    for (const { path, value } of containersOf(workload)) {
      for (const [index, one] of list(value.env).entries()) {
        const missing = servicesIn(text(mapping(one).value) ?? '', namespace).find(
          (service) => !isKnown(service, repository),
        );
        if (missing !== undefined)
          say(
            at(workload, [...path, 'env', index, 'value']),
            `No manifest has the Service ${missing.name}.${missing.namespace}: ${advice}.`,
          );
      }
    }
  }
}

function checkObjects(repository: Repository, say: Say): void {
  const { workloads, namespaceOf, find, files, yaml } = repository;
  const generated = files
    .filter(({ kind }) => kind === 'kustomization')
    .flatMap(({ shown }) =>
      list(mapping(yaml.get(shown)?.documents[0]?.object).configMapGenerator).map((one) => mapping(one).name),
    );
  const has = (kind: string, name: string, namespace: string) => find(kind, namespace, name) !== undefined;
  for (const workload of workloads) {
    const namespace = namespaceOf(workload);
    for (const { name, path } of configMapRefs(workload)) {
      if (has('ConfigMap', name, namespace) || generated.includes(name) || name === 'kube-root-ca.crt')
        continue;
      say(at(workload, path), `No manifest has the ConfigMap ${name}: add it, or mend the name.`);
    }
    const account = text(workload.podSpec.serviceAccountName);
    if (
      account === undefined ||
      account === 'default' ||
      account === '' ||
      has('ServiceAccount', account, namespace)
    )
      continue;
    say(
      at(workload, [...workload.template, 'spec', 'serviceAccountName']),
      `No manifest has the ServiceAccount ${account}: add it, with a Role of just what the server needs.`,
    );
  }
}

function configMapRefs(workload: Repository['workloads'][number]) {
  const refs: { name: string; path: readonly (string | number)[] }[] = [];
  const add = (given: unknown, path: readonly (string | number)[]) => {
    const { name, optional } = mapping(given);
    if (typeof name === 'string' && optional !== true) refs.push({ name, path: [...path, 'name'] });
  };
  for (const [index, one] of list(workload.podSpec.volumes).entries()) {
    const base = [...workload.template, 'spec', 'volumes', index];
    add(mapping(one).configMap, [...base, 'configMap']);
    for (const [source, given] of list(mapping(mapping(one).projected).sources).entries()) {
      add(mapping(given).configMap, [...base, 'projected', 'sources', source, 'configMap']);
    }
  }
  for (const { path, value } of containersOf(workload)) {
    for (const [index, one] of list(value.envFrom).entries())
      add(mapping(one).configMapRef, [...path, 'envFrom', index, 'configMapRef']);
    for (const [index, one] of list(value.env).entries()) {
      add(mapping(mapping(one).valueFrom).configMapKeyRef, [
        ...path,
        'env',
        index,
        'valueFrom',
        'configMapKeyRef',
      ]);
    }
  }
  return refs;
}

function checkIngresses(repository: Repository, say: Say): void {
  for (const ingress of repository.ofKind('Ingress')) {
    for (const [rule, given] of list(ingress.get(['spec', 'rules'])).entries()) {
      for (const index of list(mapping(mapping(given).http).paths).keys()) {
        checkBackend(
          repository,
          ingress,
          ['spec', 'rules', rule, 'http', 'paths', index, 'backend', 'service'],
          say,
        );
      }
    }
  }
}

function checkBackend(repository: Repository, ingress: Resource, path: YamlPath, say: Say): void {
  const { name, port } = mapping(ingress.get(path));
  if (typeof name !== 'string') return;
  const namespace = repository.namespaceOf(ingress);
  if (!isKnown({ name, namespace }, repository)) {
    say(at(ingress, [...path, 'name']), `No manifest has the Service ${name}.${namespace}: ${advice}.`);
  }
  const service = repository.find('Service', namespace, name);
  if (service === undefined) return;
  const wanted = mapping(port).name ?? mapping(port).number;
  const open = list(service.get(['spec', 'ports'])).map(mapping);
  if (open.some((one) => one.name === wanted || one.port === wanted)) return;
  say(at(ingress, [...path, 'port']), `${name} has no port ${wanted}.`);
}

function checkMonitors(repository: Repository, say: Say): void {
  const { ofKind, namespaceOf } = repository;
  for (const monitor of ofKind('ServiceMonitor')) {
    const { selector, namespaceSelector } = mapping(monitor.value.spec);
    const wanted = texts(mapping(selector).matchLabels);
    if (Object.keys(wanted).length === 0 || namespaceSelector !== undefined) continue;
    const services = repository.servicesSelectedBy(namespaceOf(monitor), wanted);
    if (services.length === 0)
      say(
        at(monitor, ['spec', 'selector']),
        'No Service of these manifests has these labels, so nothing is scraped: make them the same.',
      );
    for (const [index, one] of list(monitor.get(['spec', 'endpoints'])).entries()) {
      const { port } = mapping(one);
      const open = services.flatMap((service) =>
        list(service.get(['spec', 'ports'])).map((other) => mapping(other).name),
      );
      if (services.length > 0 && typeof port === 'string' && !open.includes(port))
        say(
          at(monitor, ['spec', 'endpoints', index, 'port']),
          `No Service that is selected has a port named ${port}.`,
        );
    }
  }
}

function checkMcpJson(repository: Repository, say: Say): void {
  for (const { file, name, url, place } of httpServersOf(repository)) {
    const missing = servicesIn(url, repository.project.conventions.namespace).find(
      (service) => url.includes('.svc') && !isKnown(service, repository),
    );
    if (missing !== undefined)
      say(
        { file, ...place },
        `${name} leads to the Service ${missing.name}.${missing.namespace}, which no manifest has: ${advice}.`,
      );
  }
}
