import type { YamlPath } from '../../files/yaml-file.ts';
import { type LintFile, yamlOf } from '../lint-file.ts';
import type { Repository } from '../repository.ts';
import { containersOf, type Workload } from '../resource.ts';
import { at, type Rule } from '../rule.ts';
import { list, mapping, text } from '../values.ts';

export const secretPlain: Rule = {
  id: 'secret-plain',
  level: 'error',
  what: 'no kind: Secret with values in git',
  why: 'base64 hides nothing: who can read the repository has the values, and git never forgets them. Besides, stringData makes server-side apply conflict with itself.',
  fixable: false,
  check: ({ ofKind }, say) => {
    for (const secret of ofKind('Secret')) {
      const field = ['data', 'stringData'].find((one) => Object.keys(mapping(secret.get([one]))).length > 0);
      if (field !== undefined)
        say(
          at(secret, [field]),
          `${secret.title} has its values in git: seal it with sallyport deploy seal, and change the values, as they are known now.`,
        );
    }
  },
};

interface SecretUse {
  readonly name: string;
  readonly key: string | undefined;
  readonly optional: boolean;
  readonly path: YamlPath;
}

/** Every place where the pods of a workload need a Secret. */
function secretsUsed(workload: Workload): readonly SecretUse[] {
  const uses: SecretUse[] = [];
  const add = (given: unknown, path: YamlPath, field = 'name') => {
    const one = mapping(given);
    const name = text(one[field]);
    if (name !== undefined)
      uses.push({ name, key: text(one.key), optional: one.optional === true, path: [...path, field] });
  };
  for (const { path, value } of containersOf(workload)) {
    for (const [index, one] of list(value.env).entries()) {
      add(mapping(mapping(one).valueFrom).secretKeyRef, [...path, 'env', index, 'valueFrom', 'secretKeyRef']);
    }
    for (const [index, one] of list(value.envFrom).entries()) {
      add(mapping(one).secretRef, [...path, 'envFrom', index, 'secretRef']);
    }
  }
  for (const [index, one] of list(workload.podSpec.volumes).entries()) {
    const path = [...workload.template, 'spec', 'volumes', index];
    add(mapping(one).secret, [...path, 'secret'], 'secretName');
    for (const [at, source] of list(mapping(mapping(one).projected).sources).entries()) {
      add(mapping(source).secret, [...path, 'projected', 'sources', at, 'secret']);
    }
  }
  return uses;
}

/** Names of the Secrets that some object makes, or that a server.yaml says are there. */
function secretsMade({ resources, files, project }: Repository): ReadonlySet<string> {
  const names: unknown[] = [];
  for (const { kind, name, value } of resources) {
    const spec = mapping(value.spec);
    if (kind === 'Secret') names.push(name);
    if (kind === 'SealedSecret') names.push(mapping(mapping(spec.template).metadata).name ?? name);
    if (kind === 'InfisicalSecret') {
      const managed = [spec.managedSecretReference, ...list(spec.managedKubeSecretReferences)];
      names.push(...managed.map((one) => mapping(one).secretName));
    }
    if (kind === 'InfisicalStaticSecret') names.push(...list(spec.targets).map((one) => mapping(one).name));
    if (kind === 'ExternalSecret') names.push(mapping(spec.target).name ?? name);
  }
  const { provider } = project.conventions.secrets;
  for (const file of files) {
    if (file.kind === 'server') names.push(...existingOf(file, provider, project.conventions.suffix));
  }
  return new Set(names.filter((name) => typeof name === 'string'));
}

function existingOf(server: LintFile, provider: string, suffix: string): unknown[] {
  const spec = mapping(yamlOf(server).file.documents[0]?.object);
  const implied =
    spec.pattern === 'build' && provider === 'existing' ? [`${spec.name}${suffix}-secrets`] : [];
  const said = list(spec.secrets)
    .map(mapping)
    .filter(({ from }) => (from ?? provider) === 'existing')
    .map(({ name }) => name ?? `${spec.name}${suffix}-secrets`);
  return [...implied, ...said];
}

export const secretRef: Rule = {
  id: 'secret-ref',
  level: 'error',
  what: 'every Secret that a pod needs is made by some object, or said to be there',
  why: 'A pod whose Secret is missing waits in CreateContainerConfigError, and nothing but its events says why. Secrets that somebody made by hand are lost with the cluster.',
  fixable: false,
  check: (repository, say) => {
    const made = secretsMade(repository);
    for (const workload of repository.workloads) {
      const told = new Set<string>();
      for (const { name, optional, path } of secretsUsed(workload)) {
        if (optional || made.has(name) || told.has(name)) continue;
        told.add(name);
        say(
          at(workload, path),
          `Nothing makes the Secret ${name}: add an InfisicalSecret or SealedSecret (sallyport deploy seal), or say from: existing in server.yaml.`,
        );
      }
    }
  },
};

export const secretStyle: Rule = {
  id: 'secret-style',
  level: 'warning',
  what: 'a server names its Secrets and keys in one way',
  why: 'The convention grew two ways: mcp-<name> with keys like API_KEY, and <name>-mcp-secrets with keys like api-key. Both work; both at once make people fill in the wrong one.',
  fixable: false,
  check: ({ workloads }, say) => {
    for (const workload of workloads) {
      const uses = secretsUsed(workload);
      const styleOfName = (name: string) =>
        name.startsWith('mcp-')
          ? 'mcp-<name>'
          : /-mcp-secrets?$/.test(name)
            ? '<name>-mcp-secrets'
            : undefined;
      const styleOfKey = (key: string) =>
        /^[A-Z][A-Z0-9_]*_[A-Z0-9_]*$/.test(key)
          ? 'API_KEY'
          : /^[a-z0-9]+(-[a-z0-9]+)+$/.test(key)
            ? 'api-key'
            : undefined;
      for (const [pick, what] of [
        [({ name }: SecretUse) => styleOfName(name), 'Secrets'],
        [({ key }: SecretUse) => (key === undefined ? undefined : styleOfKey(key)), 'keys'],
      ] as const) {
        const styles = uses
          .map((use) => ({ use, style: pick(use) }))
          .filter(({ style }) => style !== undefined);
        const other = styles.find(({ style }) => style !== styles[0]?.style);
        if (other !== undefined)
          say(
            at(workload, other.use.path),
            `${what} are named like ${styles[0]?.style} and like ${other.style}: choose one.`,
          );
      }
    }
  },
};

export const infisicalDeprecated: Rule = {
  id: 'infisical-deprecated',
  level: 'warning',
  what: 'InfisicalSecret v1alpha1 is on its way out',
  why: 'Its vendor has deprecated it for v1beta1: InfisicalConnection, InfisicalAuth and InfisicalStaticSecret. It still works; secrets.infisical.apiVersion of conventions.yaml moves all servers at once, when the operator is new enough.',
  fixable: false,
  check: ({ ofKind }, say) => {
    for (const one of ofKind('InfisicalSecret')) {
      if (one.apiVersion.endsWith('/v1alpha1'))
        say(
          at(one, ['apiVersion']),
          'InfisicalSecret v1alpha1 is deprecated: set secrets.infisical.apiVersion: v1beta1 in conventions.yaml, and generate anew.',
        );
    }
  },
};
