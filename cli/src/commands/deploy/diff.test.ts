import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { clusterProject, manifestFolder, proxmox } from '../../../test/fake-api-server/cluster-project.ts';
import type { Json } from '../../../test/fake-api-server/json.ts';
import { objectsOf } from '../../manifests/made-file.ts';

const file = `${manifestFolder}/proxmox-mcp.yaml`;

async function generated(t: Parameters<typeof clusterProject>[0], options = {}) {
  const project = await clusterProject(t, options);
  assert.equal((await project.run(['deploy', 'generate', '--all'])).code, 0);
  const objects = objectsOf(file, await readFile(join(project.root, file), 'utf8')) as readonly Json[];
  const apply = (manager: string) => {
    for (const object of objects) project.fake.put(object, manager);
  };
  const named = (kind: string): Json => structuredClone(objects.find((object) => object.kind === kind));
  return { ...project, objects, apply, named };
}

test('files that say what server.yaml says are no difference, however they say it', async (t) => {
  const { root, run } = await generated(t);
  const path = join(root, file);
  await writeFile(path, `# seen\n${await readFile(path, 'utf8')}`);
  const { code, out } = await run(['deploy', 'diff']);
  assert.equal(code, 0, out);
});

test('what a server.yaml changes is told by object and path', async (t) => {
  const { root, run } = await generated(t);
  await writeFile(
    join(root, 'proxmox/server.yaml'),
    proxmox.replace('1.4.2', '1.5.0').concat('replicas: 2\n'),
  );
  const { code, out } = await run(['deploy', 'diff', 'proxmox']);
  assert.equal(code, 1);
  assert.match(out, /^~ Deployment ai-platform\/proxmox-mcp$/m);
  assert.match(
    out,
    /^ {4}\+ spec\.template\.spec\.containers\[\S+\]\.image: ghcr\.io\/acme\/proxmox-mcp:1\.5\.0$/m,
  );
  assert.match(out, /^\+ PodDisruptionBudget ai-platform\/proxmox-mcp$/m);
  assert.ok(!out.includes('NetworkPolicy') || !/^[-+] spec/m.test(out));
  const json = (await run(['deploy', 'diff', '--json'])).json() as Json;
  assert.equal(json.files[0].file, file);
});

test('a cluster that has what the files say is no difference, and what it fills in is none', async (t) => {
  const { run, apply } = await generated(t);
  const before = await run(['deploy', 'diff', '--live']);
  assert.equal(before.code, 1);
  assert.match(before.out, /^\+ Deployment ai-platform\/proxmox-mcp$/m);
  apply('sallyport-deploy');
  const after = await run(['deploy', 'diff', '--live']);
  assert.equal(after.code, 0, after.out);
});

test('what somebody else applied is told with who that was, and nothing is written', async (t) => {
  const { fake, run, apply, named } = await generated(t);
  apply('sallyport-deploy');
  const deployment = named('Deployment');
  deployment.spec.replicas = 3;
  fake.put(deployment, 'kubectl');
  fake.settle();
  const before = fake.state.store.version();
  const { code, out } = await run(['deploy', 'diff', '--live', 'proxmox']);
  assert.equal(code, 1);
  assert.match(out, /! spec\.replicas was applied by kubectl/);
  assert.match(out, /- spec\.replicas: 3\n\s+\+ spec\.replicas: 1/);
  assert.equal(fake.state.store.version(), before, 'a diff changes nothing');
});

test('an object that Flux keeps is compared as Flux would apply it', async (t) => {
  const { run, fake, objects } = await generated(t);
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': 'apps',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };
  for (const object of objects) {
    const { metadata } = object;
    fake.put(
      { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } },
      'kustomize-controller',
    );
  }
  const { out, code } = await run(['deploy', 'diff', '--live', '--json']);
  const [first] = (JSON.parse(out) as Json).objects;
  assert.equal(first.owner, 'Flux (Kustomization flux-system/apps)');
  assert.deepEqual(first.conflicts, []);
  assert.equal(code, 1, 'the labels of Flux are not in git');
});

test('a selector that would change is told as the outage it would be', async (t) => {
  const { run, fake, named } = await generated(t);
  const old = named('Deployment');
  old.spec.selector.matchLabels = { app: 'proxmox-mcp' };
  old.spec.template.metadata.labels = { app: 'proxmox-mcp' };
  fake.put(old, 'kubectl-client-side-apply');
  const { code, out } = await run(['deploy', 'diff', '--live']);
  assert.equal(code, 1);
  assert.match(out, /^! Deployment ai-platform\/proxmox-mcp$/m);
  assert.match(out, /migrate <name> labels changes it without an outage/);
  assert.match(out, /- spec\.selector\.matchLabels\.app: proxmox-mcp/);
});

test('values of Secrets are not shown', async (t) => {
  const secret = `objects:\n  - apiVersion: v1\n    kind: Secret\n    metadata: { name: extra, namespace: ai-platform }\n    stringData: { key: very-secret-new }\n`;
  const { run, fake } = await generated(t, { files: { 'proxmox/server.yaml': `${proxmox}${secret}` } });
  const data = { key: Buffer.from('very-secret-old').toString('base64') };
  fake.put(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'extra', namespace: 'ai-platform' }, data },
    'kubectl',
  );
  const { out } = await run(['deploy', 'diff', '--live']);
  assert.match(out, /Secret ai-platform\/extra/);
  for (const text of ['very-secret-old', 'very-secret-new']) {
    assert.ok(!out.includes(text) && !out.includes(Buffer.from(text).toString('base64')));
  }
});

test('nothing that the API server says stands alone as if it were said here', async (t) => {
  const { run, fake } = await generated(t);
  const message = 'denied\nerror: fake\r  error: fake';
  for (const refused of ['GET', 'PATCH']) {
    fake.faults.length = 0;
    fake.faults.push({ on: ({ method }) => method === refused, code: 422, reason: 'Invalid', message });
    const { out, err } = await run(['deploy', 'diff', '--live']);
    assert.match(out + err, /denied error: fake error: fake/);
    assert.doesNotMatch(out + err, /^\s*error: fake/m);
  }
});
