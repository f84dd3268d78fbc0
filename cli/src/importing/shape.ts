import { CommandError } from '../command-error.ts';
import { type Fields, fieldsAt, itemsAt, numberAt, textAt } from '../manifests/fields.ts';
import { objectTitle } from '../manifests/object.ts';
import type { Conventions } from '../spec/conventions.ts';
import { serverName } from '../spec/server-spec.ts';
import { type Group, selectsPods } from './group.ts';
import type { Source } from './source.ts';

/** Where in the manifests of a server everything is, whatever it is called there. */
export interface Shape {
  /** Of the server; its workload is `<name>-mcp`. */
  readonly name: string;
  readonly workload: string;
  readonly pod: Fields;
  /** The container that answers MCP. */
  readonly container: Fields;
  /** Where it listens, as far as the manifests say. */
  readonly port: number | undefined;
  /** How calls reach it. */
  readonly service: Source | undefined;
  readonly servicePort: Fields;
  /** The ConfigMap with its code, and the key of the volume. */
  readonly code: Source | undefined;
}

export function shapeOf({ deployment, others }: Group, conventions: Conventions): Shape {
  const { suffix } = conventions;
  const title = deployment.object.metadata.name;
  const name = title.endsWith(suffix) ? title.slice(0, -suffix.length) : title;
  if (!serverName.safeParse(name).success) {
    throw new CommandError(
      'import.name',
      `${objectTitle(deployment.object)} cannot be the name of a server`,
      ['It must be 1 to 48 of a-z 0-9 - before its ending; rename the Deployment first.'],
    );
  }
  const pod = fieldsAt(deployment.object, 'spec', 'template', 'spec');
  const containers = itemsAt(pod, 'containers');
  const service = serviceOf({ deployment, others });
  const ports = itemsAt(service?.object, 'spec', 'ports');
  const servicePort = ports.find((one) => !/metrics|prom/i.test(textAt(one, 'name') ?? '')) ?? ports[0] ?? {};
  const container =
    containers.find((one) => containerPort(one, servicePort) !== undefined) ?? containers[0] ?? {};
  return {
    name,
    workload: `${name}${suffix}`,
    pod,
    container,
    port: portOf(container, servicePort),
    service,
    servicePort,
    code: codeOf(others, pod, container, conventions),
  };
}

function serviceOf({ deployment, others }: Group): Source | undefined {
  const services = others.filter(({ object }) => object.kind === 'Service');
  const named = services.find(({ object }) => object.metadata.name === deployment.object.metadata.name);
  const selectsIt = ({ object }: Source) =>
    selectsPods({ matchLabels: fieldsAt(object, 'spec', 'selector') }, deployment.object);
  return named ?? services.find(selectsIt);
}

/** The port of the container that the Service means, by name or by number. */
function containerPort(container: Fields, servicePort: Fields): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  const found = itemsAt(container, 'ports').find(
    (one) => one.containerPort === target || (typeof target === 'string' && one.name === target),
  );
  return numberAt(found, 'containerPort');
}

function portOf(container: Fields, servicePort: Fields): number | undefined {
  const { targetPort } = servicePort;
  const said = typeof targetPort === 'number' ? targetPort : undefined;
  const env = itemsAt(container, 'env').find((one) =>
    /^(MCP_PORT|ARCADE_SERVER_PORT|PORT)$/.test(`${one.name}`),
  );
  const ofEnv = Number(env?.value);
  return (
    containerPort(container, servicePort) ??
    said ??
    numberAt(container, 'ports', 0, 'containerPort') ??
    (Number.isInteger(ofEnv) && ofEnv > 0 ? ofEnv : undefined) ??
    numberAt(servicePort, 'port')
  );
}

/** The ConfigMap that is mounted where the pattern `configmap` has its code, or else one that is all Python. */
function codeOf(
  others: readonly Source[],
  pod: Fields,
  container: Fields,
  { patterns }: Conventions,
): Source | undefined {
  const mounted = itemsAt(container, 'volumeMounts').flatMap((mount) => {
    const volume = itemsAt(pod, 'volumes').find(({ name }) => name === mount.name);
    const configMap = fieldsAt(volume, 'configMap');
    const whole = mount.subPath === undefined && configMap.items === undefined;
    const source = others.find(
      ({ object }) => object.kind === 'ConfigMap' && object.metadata.name === configMap.name,
    );
    return whole && source !== undefined && isCode(source) ? [{ mount, source }] : [];
  });
  const usual = mounted.find(({ mount }) => mount.mountPath === patterns.configmap.mountPath);
  const python = mounted.find(({ source }) =>
    Object.keys(fieldsAt(source.object, 'data')).some((key) => /\.(py|js|ts|mjs)$/.test(key)),
  );
  return (usual ?? python)?.source;
}

/** Texts only, under names that files can have. */
function isCode({ object }: Source): boolean {
  const data = Object.entries(fieldsAt(object, 'data'));
  return (
    data.length > 0 &&
    object.binaryData === undefined &&
    data.every(
      ([key, value]) => /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/.test(key) && typeof value === 'string',
    )
  );
}
