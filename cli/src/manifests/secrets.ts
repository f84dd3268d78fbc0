import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { metadataOf } from './metadata.ts';
import { namesOf } from './names.ts';
import type { KubernetesObject } from './object.ts';

type Secret = ServerSpec['secrets'][number];

/** A secret of the spec with everything that it may leave out. */
export interface NamedSecret extends Secret {
  readonly name: string;
  readonly from: NonNullable<Secret['from']>;
}

/**
 * Every Secret that the server needs: those of the spec, and for an image of our own the one that its worker token is
 * signed with, unless the spec has it under a name of its own.
 */
export function secretsOf(spec: ServerSpec, conventions: Conventions): readonly NamedSecret[] {
  const own = namesOf(spec, conventions).secret;
  const secrets: NamedSecret[] = spec.secrets.map((secret) => ({
    ...secret,
    name: secret.name ?? own,
    from: secret.from ?? conventions.secrets.provider,
  }));
  const { env, key } = conventions.patterns.build.workerSecret;
  const set = Object.hasOwn(spec.env, env) || secrets.some((secret) => Object.hasOwn(secret.env, env));
  if (spec.pattern !== 'build' || set) return secrets;
  const at = secrets.findIndex(({ name }) => name === own);
  const there = secrets[at];
  if (there === undefined)
    return [...secrets, { name: own, from: conventions.secrets.provider, env: { [env]: key } }];
  return secrets.with(at, { ...there, env: { ...there.env, [env]: key } });
}

/** Where Infisical keeps the values. */
export function infisicalPlace(spec: ServerSpec, conventions: Conventions, { infisical = {} }: NamedSecret) {
  const company = conventions.secrets.infisical;
  return {
    projectSlug: infisical.projectSlug ?? company.projectSlug,
    envSlug: infisical.envSlug ?? company.envSlug,
    secretsPath: infisical.secretsPath ?? `/${namesOf(spec, conventions).workload}`,
  };
}

/** The object that has Infisical's operator make the Secret. */
export function infisicalSecret(
  spec: ServerSpec,
  conventions: Conventions,
  secret: NamedSecret,
): KubernetesObject {
  const { namespace } = namesOf(spec, conventions);
  const given = secret.infisical ?? {};
  const company = conventions.secrets.infisical;
  const { apiVersion, credentials } = company;
  const { projectSlug, envSlug, secretsPath } = infisicalPlace(spec, conventions, secret);
  const resyncInterval = given.resyncIntervalSeconds ?? company.resyncIntervalSeconds;
  const metadata = metadataOf(spec, conventions, { name: secret.name });
  if (apiVersion === 'v1beta1') {
    return {
      apiVersion: 'secrets.infisical.com/v1beta1',
      kind: 'InfisicalStaticSecret',
      metadata,
      spec: {
        infisicalAuthRef: credentials,
        syncOptions: { refreshInterval: `${resyncInterval}s` },
        sources: [{ projectSlug, environmentSlug: envSlug, secretPath: secretsPath }],
        targets: [{ name: secret.name, namespace, kind: 'Secret', creationPolicy: 'Owner' }],
      },
    };
  }
  return {
    apiVersion: 'secrets.infisical.com/v1alpha1',
    kind: 'InfisicalSecret',
    metadata,
    spec: {
      hostAPI: given.hostAPI ?? company.hostAPI,
      resyncInterval,
      authentication: {
        universalAuth: {
          secretsScope: { projectSlug, envSlug, secretsPath, recursive: false },
          credentialsRef: { secretName: credentials.name, secretNamespace: credentials.namespace },
        },
      },
      managedKubeSecretReferences: [
        {
          secretName: secret.name,
          secretNamespace: namespace,
          secretType: 'Opaque',
          creationPolicy: 'Owner',
        },
      ],
    },
  };
}
