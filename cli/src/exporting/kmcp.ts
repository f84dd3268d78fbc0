import { type Fields, fieldsAt, itemsAt, textAt } from '../manifests/fields.ts';
import { secretsOf } from '../manifests/secrets.ts';
import type { LoadedServer, Project } from '../spec/load.ts';
import { carriedObjects, commonLosses, type Exported, type Parts, partsOf } from './exported.ts';

/** For kmcp's controller. */
export function kmcpServer(server: LoadedServer, project: Project): Exported {
  const parts = partsOf(server, project);
  const { container, pod, template, metadata } = parts;
  const port = fieldsAt(container, 'ports', 0).containerPort;
  const [command, ...before] = (container.command ?? []) as readonly string[];
  const args = [...before, ...((container.args ?? []) as readonly string[])];
  const plain = itemsAt(container, 'env').filter(({ valueFrom }) => valueFrom === undefined);
  const deployment = {
    image: container.image,
    port,
    cmd: command,
    args: args.length > 0 ? args : undefined,
    env: Object.fromEntries(plain.map(({ name, value }) => [name, value])),
    secretRefs: secretRefs(container),
    volumes: pod.volumes,
    volumeMounts: container.volumeMounts,
    resources: container.resources,
    securityContext: container.securityContext,
    podSecurityContext: pod.securityContext,
    imagePullSecrets: pod.imagePullSecrets,
    replicas: parts.replicas,
    labels: fieldsAt(template, 'metadata', 'labels'),
    annotations: template.metadata === undefined ? undefined : fieldsAt(template, 'metadata').annotations,
    nodeSelector: pod.nodeSelector,
    affinity: pod.affinity,
    tolerations: pod.tolerations,
  };
  const object = {
    apiVersion: 'kagent.dev/v1alpha1',
    kind: 'MCPServer',
    metadata,
    spec: {
      transportType: 'http',
      httpTransport: { targetPort: port, path: server.spec.path },
      deployment: Object.fromEntries(Object.entries(deployment).filter(([, value]) => value !== undefined)),
    },
  };
  return { objects: [...carriedObjects(server, parts), object], lost: losses(server, project, parts) };
}

/** Every key of such a Secret becomes a variable of the same name. */
function secretRefs(container: Fields): readonly { name: string }[] | undefined {
  const names = itemsAt(container, 'env').flatMap(
    (one) => textAt(one, 'valueFrom', 'secretKeyRef', 'name') ?? [],
  );
  return names.length === 0 ? undefined : [...new Set(names)].map((name) => ({ name }));
}

/** Fields of pods and containers that its objects have, too. */
const knownOfPods = new Set([
  'containers',
  'volumes',
  'securityContext',
  'imagePullSecrets',
  'nodeSelector',
  'affinity',
  'tolerations',
  'serviceAccountName',
]);
const knownOfContainers = new Set([
  'name',
  'image',
  'command',
  'args',
  'ports',
  'env',
  'volumeMounts',
  'resources',
  'securityContext',
]);

function losses(server: LoadedServer, project: Project, parts: Parts): readonly string[] {
  const { spec } = server;
  const { pod, container, sidecars } = parts;
  const lost = commonLosses(server, project, parts);
  for (const secret of secretsOf(spec, project.conventions)) {
    const renamed = Object.entries(secret.env).filter(([name, key]) => name !== key);
    for (const [name, key] of renamed) {
      lost.push(
        `secrets: ${name} comes under the name of its key; call the key ${key} of ${secret.name} ${name}`,
      );
    }
  }
  for (const field of Object.keys(pod)) if (!knownOfPods.has(field)) lost.push(`${field} of the pods`);
  for (const field of Object.keys(container))
    if (!knownOfContainers.has(field)) lost.push(`${field} of the container`);
  for (const { name } of sidecars) lost.push(`the container ${name}`);
  for (const one of itemsAt(container, 'env')) {
    const secret = textAt(one, 'valueFrom', 'secretKeyRef', 'name');
    if (one.valueFrom !== undefined && secret === undefined)
      lost.push(`env: ${one.name}, which is no plain value`);
  }
  if (spec.servicePort !== undefined) lost.push('servicePort: the Service listens where the server does');
  if (spec.permissions !== undefined) {
    lost.push('the ServiceAccount: the controller makes one of the same name, to which the Role is bound');
  }
  return lost;
}
