import { type Fields, fieldsAt, itemsAt, numberAt, textAt } from '../manifests/fields.ts';
import type { Conventions } from '../spec/conventions.ts';
import { serverSpec } from '../spec/server-spec.ts';
import type { Group } from './group.ts';
import { other, type SpecFields, some } from './recognise-pod.ts';
import type { Shape } from './shape.ts';
import type { Source } from './source.ts';

interface Found {
  readonly env: Record<string, string>;
  mountPath?: string;
}

/** Every Secret that the container reads, and who makes it. `target`: the file that generation will write. */
export function secretsOf(
  group: Group,
  shape: Shape,
  conventions: Conventions,
  target: string,
): readonly SpecFields[] {
  const found = new Map<string, Found>();
  const of = (name: string): Found => {
    const secret = found.get(name) ?? { env: {} };
    found.set(name, secret);
    return secret;
  };
  for (const one of itemsAt(shape.container, 'env')) {
    const name = textAt(one, 'valueFrom', 'secretKeyRef', 'name');
    const key = textAt(one, 'valueFrom', 'secretKeyRef', 'key');
    const valid = serverSpec.shape.secrets.safeParse([{ name, env: { [`${one.name}`]: key } }]).success;
    if (valid && name !== undefined && key !== undefined) of(name).env[`${one.name}`] = key;
  }
  for (const { name, mountPath } of mountedSecrets(shape)) of(name).mountPath ??= mountPath;
  for (const { object } of group.others) {
    const infisical = object.kind === 'InfisicalSecret' || object.kind === 'InfisicalStaticSecret';
    if (infisical && madeByInfisical(group.others, object.metadata.name, conventions))
      of(object.metadata.name);
  }
  return [...found].map(([name, secret]) => {
    const infisical = madeByInfisical(group.others, name, conventions);
    const from =
      infisical !== undefined ? 'infisical' : isSealed(group.others, name, target) ? 'sealed' : 'existing';
    return {
      name: other(name, `${shape.workload}-secrets`),
      from: other(from, conventions.secrets.provider),
      env: some(secret.env),
      mountPath: secret.mountPath,
      infisical: infisical && some(infisical),
    };
  });
}

/** Whole Secrets, mounted once. */
function mountedSecrets({ pod, container }: Shape): readonly { name: string; mountPath: string }[] {
  return itemsAt(pod, 'volumes').flatMap((volume) => {
    const name = textAt(volume, 'secret', 'secretName');
    const whole = Object.keys(fieldsAt(volume, 'secret')).length === 1;
    const mounts = itemsAt(container, 'volumeMounts').filter((mount) => mount.name === volume.name);
    const [mount] = mounts;
    const mountPath = textAt(mount, 'mountPath');
    if (!whole || name === undefined || mountPath === undefined || mounts.length !== 1) return [];
    const valid = serverSpec.shape.secrets.safeParse([{ name, mountPath }]).success;
    return valid && mount?.subPath === undefined ? [{ name, mountPath }] : [];
  });
}

function isSealed(others: readonly Source[], name: string, target: string): boolean {
  return others.some(
    ({ object, path }) => object.kind === 'SealedSecret' && object.metadata.name === name && path === target,
  );
}

/** Where Infisical keeps it, as far as it is not what the conventions say; `undefined` where its object is of another form. */
function madeByInfisical(
  others: readonly Source[],
  name: string,
  conventions: Conventions,
): SpecFields | undefined {
  const company = conventions.secrets.infisical;
  const kind = company.apiVersion === 'v1alpha1' ? 'InfisicalSecret' : 'InfisicalStaticSecret';
  const object = others.find((one) => one.object.kind === kind && one.object.metadata.name === name)?.object;
  if (object?.apiVersion !== `secrets.infisical.com/${company.apiVersion}`) return undefined;
  const spec = fieldsAt(object, 'spec');
  const read = kind === 'InfisicalSecret' ? ofSecret(spec, name) : ofStaticSecret(spec, name);
  if (read === undefined) return undefined;
  const fields = {
    projectSlug: other(read.projectSlug, company.projectSlug),
    envSlug: other(read.envSlug, company.envSlug),
    secretsPath: read.secretsPath,
    hostAPI: other(read.hostAPI, company.hostAPI),
    resyncIntervalSeconds: other(read.resyncIntervalSeconds, company.resyncIntervalSeconds),
  };
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return serverSpec.shape.secrets.safeParse([{ infisical: said }]).success ? said : undefined;
}

function ofSecret(spec: Fields, name: string) {
  const references = itemsAt(spec, 'managedKubeSecretReferences');
  const auth = fieldsAt(spec, 'authentication');
  const plain =
    references.length === 1 &&
    references[0]?.secretName === name &&
    spec.managedSecretReference === undefined;
  if (!plain || Object.keys(auth).join() !== 'universalAuth') return undefined;
  const scope = fieldsAt(auth, 'universalAuth', 'secretsScope');
  return {
    projectSlug: textAt(scope, 'projectSlug'),
    envSlug: textAt(scope, 'envSlug'),
    secretsPath: textAt(scope, 'secretsPath'),
    hostAPI: textAt(spec, 'hostAPI'),
    resyncIntervalSeconds: numberAt(spec, 'resyncInterval'),
  };
}

function ofStaticSecret(spec: Fields, name: string) {
  const [source, ...moreSources] = itemsAt(spec, 'sources');
  const [target, ...moreTargets] = itemsAt(spec, 'targets');
  if (moreSources.length > 0 || moreTargets.length > 0 || target?.name !== name) return undefined;
  const interval = /^(\d+)s$/.exec(textAt(spec, 'syncOptions', 'refreshInterval') ?? '')?.[1];
  return {
    projectSlug: textAt(source, 'projectSlug'),
    envSlug: textAt(source, 'environmentSlug'),
    secretsPath: textAt(source, 'secretPath'),
    hostAPI: undefined,
    resyncIntervalSeconds: interval === undefined ? undefined : Number(interval),
  };
}
