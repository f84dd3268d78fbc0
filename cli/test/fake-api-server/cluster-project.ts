import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Ran, runIn, type TestIoOptions, tempFolder } from '../test-io.ts';
import { type FakeCluster, type FakeClusterOptions, startFakeCluster } from './start-fake-cluster.ts';

export interface ClusterProject {
  readonly fake: FakeCluster;
  readonly root: string;
  /** What a command waited for, in milliseconds; its clock goes by that and by nothing else. */
  readonly waits: readonly number[];
  run(args: readonly string[], options?: TestIoOptions): Promise<Ran>;
}

export interface ClusterProjectOptions {
  readonly cluster?: FakeClusterOptions;
  /** Further files of the repository. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of conventions.yaml beside the clusters. */
  readonly conventions?: string;
}

export const proxmox = 'name: proxmox\nowner: infra\npattern: image\nimage: ghcr.io/acme/proxmox-mcp:1.4.2\n';
export const manifestFolder = 'kubernetes/applications/mcp-servers';

/** A repository with one server, and the cluster that its conventions pin. */
export async function clusterProject(
  t: TestContext,
  { cluster, files = {}, conventions = '' }: ClusterProjectOptions = {},
): Promise<ClusterProject> {
  const fake = await startFakeCluster(t, cluster);
  const pinned = `clusters:\n  agentic: { allowed: true, uid: ${fake.uid}, node: 127.0.0.1 }\n  prod: { uid: uid-of-prod }\n`;
  const root = await tempFolder(t, {
    'conventions.yaml': `${pinned}${conventions}`,
    kubeconfig: fake.kubeconfig(),
    'proxmox/server.yaml': proxmox,
    ...files,
  });
  const waits: number[] = [];
  let now = Date.UTC(2026, 0, 15, 12);
  const run = (args: readonly string[], options: TestIoOptions = {}) =>
    runIn(root, args, {
      now: () => now,
      sleep: async (ms) => {
        waits.push(ms);
        now += ms;
      },
      ...options,
      env: { KUBECONFIG: join(root, 'kubeconfig'), ...options.env },
    });
  return { fake, root, waits, run };
}
