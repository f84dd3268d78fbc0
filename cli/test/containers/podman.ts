import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What Debian's containers need, in a machine that is a container itself too. */
const packages =
  'podman buildah runc containernetworking-plugins netavark aardvark-dns mmdebstrap catatonit iptables'.split(
    ' ',
  );
const cache = join(import.meta.dirname, '../../../node_modules/.cache/containers');
const settings = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
`;

/** Where images that are made once are kept between runs. */
export function cachePath(name: string): string {
  mkdirSync(cache, { recursive: true });
  return join(cache, name);
}

/** The environment that podman and buildah run in. */
function environment(): NodeJS.ProcessEnv {
  const path = cachePath('containers.conf');
  writeFileSync(path, settings);
  return { ...process.env, CONTAINERS_CONF: path };
}

/** Runs a program to its end; its output, or an error with what it said. */
export function mustRun(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    env: environment(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout.trim();
  const said = error?.message ?? `${stdout.slice(-2000)}\n${stderr.slice(-4000)}`;
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${said}`);
}

/** Its output, whatever it ended with. */
export function tryRun(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { env: environment(), encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
}

/** Installs what is missing, as root on Debian; elsewhere says what is. */
export function ensurePodman(): void {
  const missing = ['podman', 'buildah', 'runc', 'mmdebstrap'].filter((name) => !onPath(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    throw new Error(`not installed: ${missing.join(', ')}; as root: apt-get install ${packages.join(' ')}`);
  }
  mustRun('apt-get', ['update']);
  mustRun('apt-get', ['install', '--yes', '--no-install-recommends', ...packages]);
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}
