import { type Fields, fieldsAt, itemsAt, mapDeep, textAt } from '../manifests/fields.ts';
import { type Names, portName } from '../manifests/names.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { portNumber } from './recognise-pod.ts';
import type { Shape } from './shape.ts';

/** The pods' spec by the names of the convention: container, ports, the volumes that are generated, too, the code. */
export function podInConvention(
  shape: Shape,
  names: Names,
  made: KubernetesObject,
  tell: (what: string) => void,
): Fields {
  const generated = fieldsAt(made, 'spec', 'template', 'spec');
  const volumes = volumeNames(shape, generated, names);
  const main = container(shape, names, tell);
  const code = shape.code?.object.metadata.name;
  const account = shape.pod.serviceAccountName;
  const token =
    account !== undefined && account !== 'default' && shape.pod.automountServiceAccountToken === undefined;
  const rewritten = {
    ...shape.pod,
    ...(token && { automountServiceAccountToken: true }),
    containers: itemsAt(shape.pod, 'containers').map((one) => (one === shape.container ? main : one)),
  };
  return mapDeep(rewritten, (fields) => {
    const isCode = (one: unknown) => textAt(one, 'name') === code && code !== undefined;
    const renamedRefs = ['configMap', 'configMapKeyRef', 'configMapRef'].filter((name) =>
      isCode(fields[name]),
    );
    const refs: [string, Fields][] = renamedRefs.map((name) => [
      name,
      { ...fieldsAt(fields, name), name: names.codeConfigMap },
    ]);
    const resource = fieldsAt(fields, 'resourceFieldRef');
    if (resource.containerName !== undefined && resource.containerName === shape.container.name) {
      refs.push(['resourceFieldRef', { ...resource, containerName: names.workload }]);
    }
    const mounts = ['volumeMounts', 'volumeDevices', 'volumes'].filter((name) => Array.isArray(fields[name]));
    const lists = mounts.map((name) => [
      name,
      itemsAt(fields, name).map((one) => ({ ...one, name: volumes.get(`${one.name}`) ?? one.name })),
    ]);
    return { ...fields, ...Object.fromEntries([...refs, ...lists]) };
  }) as Fields;
}

/** A volume that is generated, too, has the generated name; of the others none may have it. */
function volumeNames(shape: Shape, generated: Fields, names: Names): ReadonlyMap<string, string> {
  const taken = new Set(itemsAt(generated, 'volumes').map(({ name }) => `${name}`));
  const mounts = itemsAt(generated, 'containers', 0, 'volumeMounts');
  const code = shape.code?.object.metadata.name;
  const renaming = new Map<string, string>();
  for (const volume of itemsAt(shape.pod, 'volumes')) {
    const paths = itemsAt(shape.container, 'volumeMounts').filter((mount) => mount.name === volume.name);
    const kind = Object.keys(volume).find((field) => field !== 'name');
    const isCode = code !== undefined && textAt(volume, 'configMap', 'name') === code;
    const same = mounts.find((mount) => paths.some((one) => one.mountPath === mount.mountPath));
    const target = itemsAt(generated, 'volumes').find(({ name }) => name === (isCode ? 'code' : same?.name));
    const isSame = target !== undefined && kind !== undefined && Object.hasOwn(target, kind);
    const free = ![...renaming.values()].includes(`${target?.name}`);
    const own = taken.has(`${volume.name}`)
      ? `${names.workload}-${volume.name}`.slice(0, 63)
      : `${volume.name}`;
    renaming.set(`${volume.name}`, isSame && free ? `${target.name}` : own);
  }
  return renaming;
}

const probes = ['readinessProbe', 'livenessProbe', 'startupProbe'];

function container({ container: given, port }: Shape, names: Names, tell: (what: string) => void): Fields {
  const mcpPath = /^\/(mcp|sse)\/?$/;
  const changed: Record<string, unknown> = { ...given, name: names.workload };
  if (given.ports !== undefined) {
    changed.ports = itemsAt(given, 'ports').map((one) =>
      one.containerPort === port ? { ...one, name: portName } : one,
    );
  }
  for (const name of probes) {
    const probe = fieldsAt(given, name);
    if (mcpPath.test(textAt(probe, 'httpGet', 'path') ?? '')) {
      const { httpGet: _, ...rest } = probe;
      changed[name] = rest;
      tell(`the ${name} no longer asks the MCP endpoint, which does not answer a plain GET`);
    } else if (probe.httpGet !== undefined || probe.tcpSocket !== undefined) {
      changed[name] = withPort(probe, given, port);
    }
  }
  if (given.lifecycle !== undefined) {
    changed.lifecycle = Object.fromEntries(
      Object.entries(fieldsAt(given, 'lifecycle')).map(([name, hook]) => {
        const asks =
          textAt(hook, 'httpGet', 'port') !== undefined || textAt(hook, 'tcpSocket', 'port') !== undefined;
        return [name, asks ? withPort(hook as Fields, given, port) : hook];
      }),
    );
  }
  if (given.resources !== undefined) changed.resources = mapDeep(given.resources, quantitiesAsText);
  if (given.env !== undefined) changed.env = lastOfEach(itemsAt(given, 'env'), tell);
  return changed;
}

function withPort(probe: Fields, container: Fields, port: number | undefined): Fields {
  const handler = probe.httpGet === undefined ? 'tcpSocket' : 'httpGet';
  const said = fieldsAt(probe, handler);
  const asked = portNumber(said.port, container);
  return {
    ...probe,
    [handler]: { ...said, ...(asked !== undefined && { port: asked === port ? portName : asked }) },
  };
}

const quantitiesAsText = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'number' ? `${value}` : value]),
  );

/** Of a variable that is set twice, Kubernetes takes the last. */
function lastOfEach(env: readonly Fields[], tell: (what: string) => void): readonly Fields[] {
  return env
    .filter((one, at) => {
      const again = env.slice(at + 1).some(({ name }) => name === one.name);
      if (again) tell(`${one.name} is set more than once: the last one stays`);
      return !again;
    })
    .map((one) => (one.value === undefined && one.valueFrom === undefined ? { ...one, value: '' } : one));
}
