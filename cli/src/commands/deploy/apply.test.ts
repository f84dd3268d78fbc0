import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ClusterProjectOptions,
  clusterProject,
  manifestFolder,
  proxmox,
} from '../../../test/fake-api-server/cluster-project.ts';
import type { Json } from '../../../test/fake-api-server/json.ts';
import { sharedMcp } from '../../../test/fake-api-server/mcp-processes.ts';
import { readFiles, writeFiles } from '../../../test/test-io.ts';

const reference = sharedMcp();

const apply = ['deploy', 'apply', 'proxmox', '--yes'];
const file = `${manifestFolder}/proxmox-mcp.yaml`;

async function start(t: TestContext, options?: ClusterProjectOptions) {
  const project = await clusterProject(t, options);
  project.fake.state.backendOf = () => reference.url;
  const applied = () =>
    project.fake.requests.filter(({ method, query }) => method === 'PATCH' && !query.has('dryRun'));
  return { ...project, applied };
}

test('a server.yaml becomes files, objects and a verified tool list by one command', async (t) => {
  const { fake, root, run, applied } = await start(t);
  const first = await run(apply);
  assert.equal(first.code, 0, first.out + first.err);
  assert.match(first.out, /^\+ Deployment ai-platform\/proxmox-mcp$/m);
  assert.match(first.out, /✓ tools/);
  assert.ok(file in (await readFiles(root)));
  const [entry] = fake.get('Deployment', 'ai-platform', 'proxmox-mcp').metadata.managedFields;
  assert.deepEqual([entry.manager, entry.operation], ['sallyport-deploy', 'Apply']);
  const order = applied().map(({ path }) => path.split('/').at(-2));
  assert.deepEqual(order, ['deployments', 'services', 'networkpolicies']);
  const again = await run(['deploy', 'apply', 'proxmox']);
  assert.equal(again.code, 0, 'nothing changes, so nobody is asked');
});

test('a dry run shows everything and changes nothing, in git nor in the cluster', async (t) => {
  const { root, run, applied } = await start(t);
  const { code, out } = await run(['deploy', 'apply', 'proxmox', '--dry-run']);
  assert.equal(code, 0, out);
  assert.match(out, /^\+ Service ai-platform\/proxmox-mcp$/m);
  assert.deepEqual(applied(), []);
  assert.ok(!(file in (await readFiles(root))));
});

test('without --yes, and nobody there to ask, nothing changes', async (t) => {
  const { root, run, applied } = await start(t);
  const { code, err } = await run(['deploy', 'apply', 'proxmox']);
  assert.equal(code, 1);
  assert.match(err, /--yes/);
  assert.deepEqual(applied(), []);
  assert.ok(!(file in (await readFiles(root))));
});

test('nothing is applied when the cluster would refuse one object', async (t) => {
  const { fake, root, run, applied } = await start(t, {
    files: { 'proxmox/server.yaml': `${proxmox}expose: { nodePort: 30080 }\n` },
  });
  const ports = [{ port: 80, nodePort: 30_080 }];
  fake.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'other', namespace: 'default' },
    spec: { type: 'NodePort', ports },
  });
  const { code, err } = await run(apply);
  assert.equal(code, 1);
  assert.match(
    err,
    /would refuse 1 of 3 objects\n {2}Service ai-platform\/proxmox-mcp: .*provided port is already allocated\n/,
  );
  assert.match(err, /Nothing was applied/);
  assert.deepEqual(applied(), []);
  assert.ok(!(file in (await readFiles(root))), 'nor is a file written');
});

test('a kind that the cluster does not know, or a namespace that is not there, is told before anything is applied', async (t) => {
  const { run, applied } = await start(t, {
    cluster: { customKinds: [], namespaces: [] },
    files: { 'proxmox/server.yaml': `${proxmox}secrets: [{ from: infisical, env: { TOKEN: token } }]\n` },
  });
  const { code, err } = await run(apply);
  assert.equal(code, 1);
  assert.match(err, /does not know InfisicalSecret of secrets\.infisical\.com\/v1alpha1/);
  assert.match(err, /namespaces "ai-platform" not found/);
  assert.deepEqual(applied(), []);
});

test('what Flux, Helm or Argo CD keeps is not applied; the files are written for them', async (t) => {
  for (const [manager, metadata, said] of [
    [
      'kustomize-controller',
      {
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
      /Flux \(Kustomization flux-system\/apps\) keeps these objects\. Flux would undo it: commit/,
    ],
    [
      'helm',
      {
        annotations: { 'meta.helm.sh/release-name': 'proxmox' },
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      },
      /Helm \(release proxmox\) keeps/,
    ],
    ['argocd-controller', {}, /Argo CD keeps/],
  ] as const) {
    const { fake, root, run, applied } = await start(t);
    const spec = { selector: { app: 'x' }, ports: [{ port: 3000 }] };
    fake.put(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'proxmox-mcp', namespace: 'ai-platform', ...metadata },
        spec,
      },
      manager,
    );
    const { code, out } = await run(apply);
    assert.equal(code, 1);
    assert.match(out, said);
    assert.deepEqual(applied(), []);
    assert.ok(file in (await readFiles(root)), 'the files are what is left to commit');
  }
});

test('fields that somebody else applied are taken over only when that is asked for', async (t) => {
  const { fake, run, applied } = await start(t);
  assert.equal((await run(apply)).code, 0);
  const deployment: Json = fake.get('Deployment', 'ai-platform', 'proxmox-mcp');
  fake.put(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'proxmox-mcp', namespace: 'ai-platform' },
      spec: { ...deployment.spec, replicas: 2 },
    },
    'kubectl',
  );
  const before = applied().length;
  const refused = await run(apply);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Deployment ai-platform\/proxmox-mcp: spec\.replicas, by kubectl/);
  assert.equal(applied().length, before);
  const forced = await run([...apply, '--force-conflicts']);
  assert.equal(forced.code, 0, forced.out + forced.err);
  assert.equal(fake.get('Deployment', 'ai-platform', 'proxmox-mcp').spec.replicas, 1);
});

test('a selector that would change is refused before the Service moves away from the pods', async (t) => {
  const { fake, run, applied } = await start(t);
  const labels = { app: 'proxmox-mcp' };
  const metadata = { name: 'proxmox-mcp', namespace: 'ai-platform' };
  const containers = [{ name: 'proxmox', image: 'old:1' }];
  fake.put({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  fake.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: labels, ports: [{ port: 3000 }] },
  });
  fake.settle();
  const { code, err } = await run([...apply, '--force-conflicts']);
  assert.equal(code, 1);
  assert.match(err, /sallyport deploy migrate proxmox labels/);
  assert.deepEqual(applied(), []);
  assert.equal(fake.endpointHistory('ai-platform', 'proxmox-mcp').at(-1), 1);
});

test('a wrong cluster is refused before anything is asked of it but its name', async (t) => {
  const { fake, root, run } = await start(t);
  await writeFiles(root, {
    'conventions.yaml': 'clusters:\n  agentic: { allowed: true, uid: of-another }\n',
  });
  const { code, err } = await run(apply);
  assert.equal(code, 1);
  assert.match(err, /leads to another cluster/);
  assert.equal(fake.requests.length, 1);
  assert.ok(!(file in (await readFiles(root))));
});

test('what was applied before a failure is told, and running it again finishes', async (t) => {
  const { fake, run } = await start(t);
  const fault = {
    on: ({ method, path, query }: Json) =>
      method === 'PATCH' && path.includes('/services/') && !query.has('dryRun'),
    times: 4,
    code: 500,
    message: 'etcdserver: no leader',
  };
  fake.faults.push(fault);
  const { code, err } = await run(apply);
  assert.equal(code, 1);
  assert.match(
    err,
    /Service ai-platform\/proxmox-mcp was not applied: agentic says: etcdserver: no leader\n {2}Applied before it: Deployment/,
  );
  const again = await run(apply);
  assert.equal(again.code, 0, again.out + again.err);
});

test('a missing right is told with its verb, and nothing is applied', async (t) => {
  const { fake, run, applied } = await start(t);
  fake.forbidden.add('patch networkpolicies');
  const { code, err } = await run(apply);
  assert.equal(code, 1);
  assert.match(
    err,
    /lacks the verb "patch" on networkpolicies\.networking\.k8s\.io in namespace ai-platform/,
  );
  assert.deepEqual(applied(), []);
});

test('a rollout that fails ends with 1 and says why', async (t) => {
  const { fake, run } = await start(t);
  fake.trouble('proxmox-mcp', { crash: { exitCode: 1, logs: 'no such module\n' } });
  const { code, out } = await run(apply);
  assert.equal(code, 1);
  assert.match(out, /CrashLoopBackOff[\s\S]*\| no such module/);
});
