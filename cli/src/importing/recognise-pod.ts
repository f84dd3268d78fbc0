import { type Fields, fieldsAt, itemsAt, numberAt, textAt } from '../manifests/fields.ts';
import type { Conventions } from '../spec/conventions.ts';
import { type Pattern, serverSpec } from '../spec/server-spec.ts';
import type { Shape } from './shape.ts';

/** Fields of a server.yaml, as they are written there. */
export type SpecFields = Record<string, unknown>;

const { shape: fields } = serverSpec;

export function patternOf({ code, container }: Shape, conventions: Conventions): Pattern {
  if (code !== undefined) return 'configmap';
  const { workerSecret } = conventions.patterns.build;
  return itemsAt(container, 'env').some(({ name }) => name === workerSecret.env) ? 'build' : 'image';
}

/** What the container runs, and with how much. */
export function containerFields(shape: Shape, pattern: Pattern, conventions: Conventions): SpecFields {
  const { container, pod } = shape;
  const usual = conventions.patterns[pattern];
  const usualCommand = pattern === 'configmap' ? conventions.patterns.configmap.command : undefined;
  const usualImage = pattern === 'configmap' ? conventions.patterns.configmap.image : undefined;
  const command = texts(container.command) ?? (pattern === 'configmap' ? [] : undefined);
  const user =
    numberAt(container, 'securityContext', 'runAsUser') ?? numberAt(pod, 'securityContext', 'runAsUser');
  const secrets = itemsAt(pod, 'imagePullSecrets').map(({ name }) => name);
  return {
    image: other(textAt(container, 'image'), usualImage),
    imagePullSecrets:
      secrets.length > 0 && fields.imagePullSecrets.safeParse(secrets).success ? secrets : undefined,
    command: JSON.stringify(command) === JSON.stringify(usualCommand) ? undefined : command,
    args: texts(container.args),
    port: other(shape.port, usual.port),
    env: plainEnv(container, pattern, conventions, shape.port ?? usual.port),
    resources: resourcesOf(container, usual.resources),
    runAsUser: fields.runAsUser.safeParse(user).success ? other(user, conventions.runAsUser) : undefined,
    writable: writableOf(shape),
  };
}

/** What is said only where it is not what the conventions say anyway. */
export const other = <T>(value: T | undefined, usual: unknown): T | undefined =>
  value === usual ? undefined : value;

const texts = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

function plainEnv(
  container: Fields,
  pattern: Pattern,
  { patterns }: Conventions,
  port: number,
): SpecFields | undefined {
  const env: Record<string, string> = {};
  for (const one of itemsAt(container, 'env')) {
    const { name, value = '' } = one;
    if (typeof name !== 'string' || typeof value !== 'string' || one.valueFrom !== undefined) continue;
    if (!fields.env.safeParse({ [name]: value }).success) continue;
    if (patterns[pattern].env[name]?.replaceAll('{port}', `${port}`) === value) continue;
    env[name] = value;
  }
  return some(env);
}

export const some = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

type Quantities = { readonly cpu: string; readonly memory: string };

function resourcesOf(
  container: Fields,
  usual: { requests: Quantities; limits: Quantities },
): SpecFields | undefined {
  const resources: SpecFields = {};
  for (const part of ['requests', 'limits'] as const) {
    const said: SpecFields = {};
    for (const name of ['cpu', 'memory'] as const) {
      const quantity = textAt(container, 'resources', part, name);
      const known = fields.resources.safeParse({ [part]: { [name]: quantity } }).success;
      if (known && quantity !== undefined && quantity !== usual[part][name]) said[name] = quantity;
    }
    if (Object.keys(said).length > 0) resources[part] = said;
  }
  return some(resources);
}

/** Mounts of empty directories, but /tmp, which every server has. */
function writableOf({ pod, container }: Shape): readonly string[] | undefined {
  const empty = itemsAt(pod, 'volumes').filter((volume) => volume.emptyDir !== undefined);
  const paths = itemsAt(container, 'volumeMounts')
    .filter((mount) => mount.subPath === undefined && mount.readOnly !== true)
    .filter((mount) => empty.some(({ name }) => name === mount.name))
    .map((mount) => `${mount.mountPath}`)
    .filter((path) => path !== '/tmp' && fields.writable.safeParse([path]).success);
  return paths.length === 0 ? undefined : paths;
}

/** How Kubernetes asks whether it lives; `tcp` where the manifests do not say, as nobody knows a path. */
export function healthOf(shape: Shape, pattern: Pattern, path: string, { patterns }: Conventions): unknown {
  const { container } = shape;
  const probes = ['readinessProbe', 'livenessProbe', 'startupProbe'].map((name) => fieldsAt(container, name));
  const [readiness = {}, liveness = {}, startup = {}] = probes;
  const asked = probes.find((probe) => Object.keys(probe).length > 0) ?? {};
  const get = textAt(asked, 'httpGet', 'path') ?? (asked.httpGet === undefined ? undefined : '/');
  const usable = get !== undefined && get !== path && fields.path.safeParse(get).success;
  const at = usable ? get : 'tcp';
  const port = probedPort(asked, container);
  const periods = [readiness, liveness].map((probe) => numberAt(probe, 'periodSeconds'));
  const period = periods[0] === periods[1] ? periods[0] : undefined;
  const more = {
    ...(port !== undefined && port !== shape.port && { port }),
    ...(startup.initialDelaySeconds !== undefined && { initialDelaySeconds: startup.initialDelaySeconds }),
    ...(period !== undefined && { periodSeconds: period }),
  };
  const usual = patterns[pattern].health;
  if (Object.keys(more).length === 0) return other(at, usual);
  const health = { ...(at !== usual && { path: at }), ...more };
  return fields.health.safeParse(health).success ? health : other(at, usual);
}

function probedPort(probe: Fields, container: Fields): number | undefined {
  const port = fieldsAt(probe, 'httpGet').port ?? fieldsAt(probe, 'tcpSocket').port;
  return portNumber(port, container);
}

/** Of a name of the container's ports, too. */
export function portNumber(port: unknown, container: Fields): number | undefined {
  if (typeof port === 'number') return port;
  return numberAt(
    itemsAt(container, 'ports').find(({ name }) => name === port),
    'containerPort',
  );
}
