import { type Fields, fieldsAt, itemsAt, textAt } from '../manifests/fields.ts';
import type { LoadedServer, Project } from '../spec/load.ts';
import { carriedObjects, commonLosses, type Exported, type Parts, partsOf } from './exported.ts';

/** What its operator calls the container of the server in a template of its pods. */
const containerName = 'mcp';

/** For ToolHive's operator, which puts a proxy in front of each server. */
export function toolhiveServer(server: LoadedServer, project: Project): Exported {
  const parts = partsOf(server, project);
  const { container, metadata } = parts;
  const env = itemsAt(container, 'env');
  const plain = env.filter((one) => one.valueFrom === undefined);
  const { simple, rest } = secretEnv(env);
  const port = fieldsAt(container, 'ports', 0).containerPort;
  const spec = {
    image: container.image,
    transport: 'streamable-http',
    mcpPort: port,
    proxyPort: port,
    args: container.args,
    env: plain.map(({ name, value }) => ({ name, value })),
    secrets: simple,
    resources: container.resources,
    serviceAccount: parts.pod.serviceAccountName,
    backendReplicas: parts.replicas,
    podTemplateSpec: podTemplate(parts, rest),
  };
  const object = {
    apiVersion: 'toolhive.stacklok.dev/v1beta1',
    kind: 'MCPServer',
    metadata,
    spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => isSaid(value))),
  };
  const accounts = parts.others.filter(({ kind }) => kind === 'ServiceAccount');
  return {
    objects: [...accounts, ...carriedObjects(server, parts), object],
    lost: losses(server, project, parts),
  };
}

const isSaid = (value: unknown): boolean =>
  value !== undefined && !(Array.isArray(value) && value.length === 0);

/** Its `secrets` take one key of each Secret; further ones go into the template. */
function secretEnv(env: readonly Fields[]) {
  const simple: { name: string; key: string; targetEnvName: string }[] = [];
  const rest: Fields[] = [];
  for (const one of env.filter(({ valueFrom }) => valueFrom !== undefined)) {
    const name = textAt(one, 'valueFrom', 'secretKeyRef', 'name');
    const key = textAt(one, 'valueFrom', 'secretKeyRef', 'key');
    if (name === undefined || key === undefined || simple.some((other) => other.name === name))
      rest.push(one);
    else simple.push({ name, key, targetEnvName: `${one.name}` });
  }
  return { simple, rest };
}

/** Everything of the pods that MCPServer has no field for. */
function podTemplate({ template, pod, container, sidecars }: Parts, env: readonly Fields[]): Fields {
  const { image: _, args: __, env: ___, resources: ____, ports: _____, ...own } = container;
  const { serviceAccountName: ______, ...rest } = pod;
  return {
    metadata: { annotations: fieldsAt(template, 'metadata', 'annotations') },
    spec: {
      ...rest,
      containers: [
        { ...withPortNumbers(own, container), name: containerName, ...(env.length > 0 && { env }) },
        ...sidecars,
      ],
    },
  };
}

/** Its container has ports without the names that our probes ask by. */
function withPortNumbers(own: Fields, container: Fields): Fields {
  const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((name) => {
    const probe = fieldsAt(own, name);
    const handler = ['httpGet', 'tcpSocket'].find((one) => probe[one] !== undefined);
    if (handler === undefined) return [];
    const said = fieldsAt(probe, handler);
    const named = itemsAt(container, 'ports').find((port) => port.name === said.port);
    return [[name, { ...probe, [handler]: { ...said, port: named?.containerPort ?? said.port } }]];
  });
  return { ...own, ...Object.fromEntries(probes) };
}

function losses(server: LoadedServer, project: Project, parts: Parts): readonly string[] {
  const { spec } = server;
  const lost = commonLosses(server, project, parts);
  if (spec.path !== '/mcp') lost.push(`path: ToolHive's proxy asks for /mcp, not ${spec.path}`);
  if (spec.servicePort !== undefined) lost.push('servicePort: the proxy listens where the server does');
  if (spec.replicas > 1)
    lost.push('replicas: sessions of several need Redis (sessionStorage) in the MCPServer');
  lost.push('who may call: without oidcConfigRef the proxy lets everybody in who reaches it');
  return lost;
}
