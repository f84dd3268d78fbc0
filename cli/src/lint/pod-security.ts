import { isMapping, type Mapping } from '../files/values.ts';
import type { YamlPath } from '../files/yaml-file.ts';
import { type Container, containersOf, type Workload } from './resource.ts';
import { list, mapping } from './values.ts';

/** What Pod Security Admission "restricted" would say, by the standard of Kubernetes 1.36. */
export interface Violation {
  readonly path: YamlPath;
  readonly message: string;
  /** What mends it and hardly breaks anything. */
  readonly set?: { readonly path: YamlPath; readonly value: unknown };
}

const volumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);
const seLinuxTypes = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);

export function podViolations({ podSpec, template, get }: Workload): readonly Violation[] {
  const spec: YamlPath = [...template, 'spec'];
  const violations: Violation[] = [];
  const say = (path: YamlPath, message: string) => violations.push({ path, message });
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (podSpec[field] === true) say([...spec, field], `${field} gives the pod the node's own: remove it.`);
  }
  for (const [index, volume] of list(podSpec.volumes).entries()) {
    const type = Object.keys(mapping(volume)).find((key) => key !== 'name' && !volumeTypes.has(key));
    if (type !== undefined)
      say(
        [...spec, 'volumes', index, type],
        `A volume of the type ${type} is not allowed: use emptyDir, configMap, secret, projected, csi, ephemeral or persistentVolumeClaim.`,
      );
  }
  for (const [index, sysctl] of list(mapping(podSpec.securityContext).sysctls).entries()) {
    const { name } = mapping(sysctl);
    if (!safeSysctls.has(`${name}`))
      say(
        [...spec, 'securityContext', 'sysctls', index],
        `The sysctl ${name} is not one of the safe ones: remove it.`,
      );
  }
  for (const [key, value] of Object.entries(mapping(get([...template, 'metadata', 'annotations'])))) {
    if (!key.startsWith('container.apparmor.security.beta.kubernetes.io/')) continue;
    if (/^(runtime\/default|localhost\/.*)?$/.test(`${value}`)) continue;
    say(
      [...template, 'metadata', 'annotations', key],
      `AppArmor must not be ${value}: runtime/default, or a profile of the node.`,
    );
  }
  violations.push(...contextViolations(mapping(podSpec.securityContext), [...spec, 'securityContext']));
  return violations;
}

export function containerViolations(workload: Workload, container: Container): readonly Violation[] {
  const { path, value, name } = container;
  const context = mapping(value.securityContext);
  const where: YamlPath = [...path, 'securityContext'];
  const violations: Violation[] = [...contextViolations(context, where)];
  const say = (at: YamlPath, message: string, set?: Violation['set']) =>
    violations.push({ path: at, message, ...(set !== undefined && { set }) });
  if (context.privileged === true)
    say([...where, 'privileged'], `${name} is privileged: it has the node. Remove it.`);
  if (context.allowPrivilegeEscalation !== false) {
    const field: YamlPath = [...where, 'allowPrivilegeEscalation'];
    say(field, `${name} may gain privileges: set allowPrivilegeEscalation: false.`, {
      path: field,
      value: false,
    });
  }
  if (!['Default', undefined, null, ''].includes(context.procMount as string | undefined)) {
    say([...where, 'procMount'], `${name} must have procMount: Default.`);
  }
  capabilityViolations(context, where, name, say);
  for (const [index, port] of list(value.ports).entries()) {
    const { hostPort } = mapping(port);
    if (typeof hostPort === 'number' && hostPort !== 0)
      say(
        [...path, 'ports', index, 'hostPort'],
        `${name} takes port ${hostPort} of its node: use a Service.`,
      );
  }
  hostViolations(container, say);
  inheritedViolations(workload, container, say);
  return violations;
}

type SayViolation = (path: YamlPath, message: string, set?: Violation['set']) => void;

function capabilityViolations(context: Mapping, where: YamlPath, name: string, say: SayViolation): void {
  const { add, drop } = mapping(context.capabilities);
  for (const [index, capability] of list(add).entries()) {
    if (capability !== 'NET_BIND_SERVICE')
      say(
        [...where, 'capabilities', 'add', index],
        `${name} must not add ${capability}: only NET_BIND_SERVICE is allowed.`,
      );
  }
  if (list(drop).includes('ALL')) return;
  const isOpen = drop === undefined || drop === null;
  say(
    [...where, 'capabilities'],
    `${name} keeps capabilities: set capabilities.drop: [ALL].`,
    isOpen ? { path: [...where, 'capabilities', 'drop'], value: ['ALL'] } : undefined,
  );
}

/** What pod and container can say alike. */
function contextViolations(context: Mapping, where: YamlPath): readonly Violation[] {
  const violations: Violation[] = [];
  const say = (path: YamlPath, message: string) => violations.push({ path, message });
  const { type, user, role } = mapping(context.seLinuxOptions);
  if (!seLinuxTypes.has(`${type ?? ''}`))
    say([...where, 'seLinuxOptions', 'type'], `The SELinux type ${type} is not allowed: use container_t.`);
  for (const [field, value] of Object.entries({ user, role })) {
    if (value !== undefined && value !== null && value !== '')
      say([...where, 'seLinuxOptions', field], `The SELinux ${field} must not be set.`);
  }
  const appArmor = mapping(context.appArmorProfile).type;
  if (appArmor !== undefined && appArmor !== 'RuntimeDefault' && appArmor !== 'Localhost') {
    say(
      [...where, 'appArmorProfile', 'type'],
      `AppArmor must be RuntimeDefault or Localhost, not ${appArmor}.`,
    );
  }
  if (mapping(context.windowsOptions).hostProcess === true)
    say([...where, 'windowsOptions', 'hostProcess'], 'hostProcess gives the pod its node: remove it.');
  if (context.runAsUser === 0) say([...where, 'runAsUser'], 'User 0 is root: use another, such as 10001.');
  const seccomp = mapping(context.seccompProfile).type;
  if (seccomp !== undefined && seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost') {
    say([...where, 'seccompProfile', 'type'], `seccomp must be RuntimeDefault or Localhost, not ${seccomp}.`);
  }
  return violations;
}

/** What a container has of its pod unless it says otherwise. */
function inheritedViolations(workload: Workload, container: Container, say: SayViolation): void {
  const { path, value, name } = container;
  const own = mapping(value.securityContext);
  const pod = mapping(workload.podSpec.securityContext);
  const podContext: YamlPath = [...workload.template, 'spec', 'securityContext'];
  const isFirst = containersOf(workload)[0]?.path.join() === path.join();
  if (own.runAsNonRoot === false || (own.runAsNonRoot ?? pod.runAsNonRoot) !== true) {
    const isOwn = own.runAsNonRoot !== undefined || pod.runAsNonRoot === undefined;
    say(
      isOwn ? [...path, 'securityContext'] : [...podContext, 'runAsNonRoot'],
      `${name} may run as root: set runAsNonRoot: true, in the pod's securityContext.`,
    );
  }
  if ((own.seccompProfile ?? pod.seccompProfile) === undefined) {
    const profile = { path: [...podContext, 'seccompProfile'], value: { type: 'RuntimeDefault' } };
    say(
      [...path, 'securityContext'],
      `${name} has no seccomp profile: set seccompProfile.type: RuntimeDefault, in the pod's securityContext.`,
      isFirst ? profile : undefined,
    );
  }
}

/** A probe or hook of another host makes the kubelet call whatever the pod's author likes. */
function hostViolations({ path, value, name }: Container, say: SayViolation): void {
  const hooks = mapping(value.lifecycle);
  const places: [YamlPath, unknown][] = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => [
    [probe],
    value[probe],
  ]);
  for (const hook of ['postStart', 'preStop']) places.push([['lifecycle', hook], hooks[hook]]);
  for (const [place, given] of places) {
    for (const handler of ['httpGet', 'tcpSocket']) {
      const target = mapping(given)[handler];
      if (!isMapping(target) || target.host === undefined || target.host === null || target.host === '')
        continue;
      say(
        [...path, ...place, handler, 'host'],
        `${name} must not have ${place.join('.')}.${handler}.host: only the pod itself is asked.`,
      );
    }
  }
}
