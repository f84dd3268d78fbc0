import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { freePort } from './free-port.ts';
import { mustRun, tryRun } from './podman.ts';

interface Container {
  readonly name: string;
  ports?: { containerPort: number; hostPort?: number; hostIP?: string }[];
  livenessProbe?: unknown;
  readinessProbe?: unknown;
  startupProbe?: unknown;
  readonly [field: string]: unknown;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: Container[] } };
    readonly [field: string]: unknown;
  };
}

export interface Playing {
  /** `http://127.0.0.1:<port>`, of the container's first port. */
  readonly url: string;
  readonly logs: () => string;
  /** Runs a program in the container; its output. */
  readonly exec: (...command: readonly string[]) => string;
  readonly stop: () => void;
}

/**
 * Runs the Deployment of a manifest, with its ConfigMaps, as containers of this machine. What podman does not do of it is left out:
 * Services and policies are ignored, probes are the caller's to ask, values of Secrets are given here.
 */
export async function play(
  manifest: string,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Playing> {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Manifest);
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('the manifest has no Deployment');
  const [container] = deployment.spec.template.spec.containers;
  if (container === undefined) throw new Error('the Deployment has no container');
  const port = await freePort();
  const [first] = container.ports ?? [];
  if (first === undefined) throw new Error('the container has no port');
  container.ports = [{ ...first, hostPort: port, hostIP: '127.0.0.1' }];
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) delete container[probe];
  const kept = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'ConfigMap');
  const pod = `${deployment.metadata.name}-pod-0`;
  const inside = `${pod}-${container.name}`;
  const stop = () => {
    tryRun('podman', ['pod', 'rm', '--force', '--time', '0', pod]);
    for (const name of Object.keys(secrets)) tryRun('podman', ['secret', 'rm', name]);
  };
  stop();
  for (const [name, values] of Object.entries(secrets)) makeSecret(name, values);
  try {
    playFile(kept.map((object) => JSON.stringify(object)).join('\n---\n'));
  } catch (error) {
    stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    logs: () => tryRun('podman', ['logs', inside]),
    exec: (...command) => tryRun('podman', ['exec', inside, ...command]),
    stop,
  };
}

function playFile(text: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-play-'));
  try {
    const path = join(folder, 'manifest.yaml');
    writeFileSync(path, text);
    mustRun('podman', ['kube', 'play', path]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** podman reads a Secret of Kubernetes as JSON of its `data`, from a file. */
function makeSecret(name: string, values: Readonly<Record<string, string>>): void {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-secret-'));
  try {
    const path = join(folder, 'data');
    writeFileSync(path, JSON.stringify(Object.fromEntries(data)));
    mustRun('podman', ['secret', 'create', name, path]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
