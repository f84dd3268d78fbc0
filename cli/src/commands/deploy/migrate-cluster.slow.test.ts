import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manifestFolder, proxmox } from '../../../test/fake-api-server/cluster-project.ts';
import type { Json } from '../../../test/fake-api-server/json.ts';
import { sharedMcp } from '../../../test/fake-api-server/mcp-processes.ts';
import { startFakeCluster } from '../../../test/fake-api-server/start-fake-cluster.ts';
import { readFiles, runIn, type TestIoOptions, tempFolder, writeFiles } from '../../../test/test-io.ts';

const reference = sharedMcp();
const other = sharedMcp('legacy');

const namespace = 'old-place';
const metadata = { name: 'proxmox-mcp', namespace };
const labels = { app: 'proxmox-mcp' };

function oldObjects(nodePort?: number): Json[] {
  const env = [{ name: 'LEVEL', value: 'debug' }];
  const containers = [
    { name: 'proxmox-mcp', image: 'ghcr.io/acme/proxmox-mcp:1.4.2', ports: [{ containerPort: 3000 }], env },
  ];
  const template = { metadata: { labels }, spec: { containers } };
  const ports = [{ port: 3000, targetPort: 3000, ...(nodePort === undefined ? {} : { nodePort }) }];
  const type = nodePort === undefined ? 'ClusterIP' : 'NodePort';
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, labels },
      spec: { selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels },
      spec: { type, selector: labels, ports },
    },
  ];
}

/** A server that runs in prod, where none may, and the cluster where it belongs. */
async function misplaced(
  t: TestContext,
  {
    nodePort = undefined as number | undefined,
    files = {} as Record<string, string>,
    manager = 'kubectl',
  } = {},
) {
  const prod = await startFakeCluster(t, { uid: 'uid-of-prod', namespaces: [namespace] });
  const agentic = await startFakeCluster(t, { uid: 'uid-of-agentic' });
  const root = await tempFolder(t, {
    'conventions.yaml': `clusters:\n  agentic: { allowed: true, uid: uid-of-agentic }\n  prod: { uid: uid-of-prod }\n`,
    'kube-prod': prod.kubeconfig('prod').replaceAll('"jane"', '"jane-prod"'),
    'kube-agentic': agentic.kubeconfig('agentic'),
    ...files,
  });
  for (const object of oldObjects(nodePort)) prod.put(object, manager);
  prod.settle();
  prod.state.backendOf = () => reference.url;
  agentic.state.backendOf = () => reference.url;
  prod.state.logs.set('proxmox-mcp', 'POST /mcp 200\n');
  const clock = { now: Date.UTC(2026, 0, 15, 12) };
  const run = (args: readonly string[], options: TestIoOptions = {}) =>
    runIn(root, ['deploy', 'migrate', 'proxmox', 'cluster', ...args, '--yes'], {
      now: () => clock.now,
      sleep: async (ms) => {
        clock.now += ms;
      },
      ...options,
      env: { KUBECONFIG: `${join(root, 'kube-prod')}:${join(root, 'kube-agentic')}`, ...options.env },
    });
  const removed = () =>
    prod.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path.split('/').at(-2));
  const writesToProd = () =>
    prod.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/proxy/'));
  return { prod, agentic, root, clock, run, removed, writesToProd };
}

test('a server moves by a plan in git: it is removed from the old cluster last, when nobody calls it any more', async (t) => {
  const { prod, agentic, root, clock, run, removed, writesToProd } = await misplaced(t, { nodePort: 31_180 });
  const first = await run(['--from', 'prod']);
  assert.equal(first.code, 1, first.out + first.err);
  assert.match(first.out, /✓ verify[\s\S]*✓ switch[\s\S]*✗ quiet .*ten minutes without a call are to pass/);
  const files = await readFiles(root);
  assert.match(files['mcp-servers/proxmox/server.yaml'] ?? '', /LEVEL: debug/);
  assert.ok(
    !(files['mcp-servers/proxmox/exported.yaml'] ?? '').match(
      /clusterIP|nodePort|uid|resourceVersion|status:/,
    ),
  );
  assert.ok(`${manifestFolder}/proxmox-mcp.yaml` in files);
  const port = agentic.get('Service', 'ai-platform', 'proxmox-mcp').spec.ports[0].nodePort;
  assert.ok(port >= 30_000 && port <= 30_085, `a port of the registry: ${port}`);
  assert.match(files['.mcp.json'] ?? '', /proxmox-mcp\.ai-platform\.svc/);
  assert.deepEqual(writesToProd(), []);

  clock.now += 11 * 60_000;
  const called = await run(['--continue']);
  assert.equal(called.code, 1);
  assert.match(called.out, /✗ quiet .*called 1 times within ten minutes/);
  const quiet = await run(['--continue', '--old-is-quiet']);
  assert.equal(quiet.code, 0, quiet.out + quiet.err);
  assert.deepEqual(removed(), ['services', 'deployments']);
  assert.equal(prod.list('Pod').length, 0);
  assert.match((await readFiles(root))['mcp-servers/proxmox/migration.yaml'] ?? '', /remove: /);
  assert.equal((await run(['--continue'])).code, 0, 'nothing is left to do');
});

test('nothing is removed, and no client is switched, before the new one lists the same tools', async (t) => {
  const { agentic, root, run, writesToProd } = await misplaced(t);
  agentic.trouble('proxmox-mcp', { crash: { exitCode: 1, logs: 'no route to proxmox\n' } });
  const crashed = await run(['--from', 'prod', '--old-is-quiet']);
  assert.equal(crashed.code, 1);
  assert.match(crashed.out, /\| no route to proxmox[\s\S]*✗ verify/);
  assert.ok(!('.mcp.json' in (await readFiles(root))));
  agentic.trouble('proxmox-mcp', null);
  agentic.state.backendOf = () => other.url;
  const different = await run(['--continue', '--old-is-quiet']);
  assert.equal(different.code, 1);
  assert.match(different.out, /✗ verify .*tools differ from those of the old one: .*ArcadeEvalRef_Add/);
  assert.deepEqual(writesToProd(), []);
  agentic.state.backendOf = () => reference.url;
  const done = await run(['--continue', '--old-is-quiet']);
  assert.equal(done.code, 0, done.out + done.err);
  assert.ok('.mcp.json' in (await readFiles(root)));
});

test('a new server that stopped answering since it was verified keeps the old one where it is', async (t) => {
  const { agentic, run, writesToProd } = await misplaced(t);
  assert.equal((await run(['--from', 'prod'])).code, 1);
  agentic.state.backendOf = () => null;
  const { code, out } = await run(['--continue', '--old-is-quiet']);
  assert.equal(code, 1);
  assert.match(out, /does not pass in agentic any more: nothing is removed/);
  assert.deepEqual(writesToProd(), []);
});

test('killed at any request to the new cluster, it goes on from the plan', async (t) => {
  for (const at of [1, 3, 6, 10, 14, 18]) {
    const { agentic, prod, run, removed } = await misplaced(t);
    agentic.faults.push({ on: () => agentic.requests.length >= at, cut: true });
    assert.equal((await run(['--from', 'prod', '--old-is-quiet'])).code, 1, `${at}`);
    assert.deepEqual(removed(), [], `${at}`);
    agentic.faults.length = 0;
    const { code, out, err } = await run(['--continue', '--old-is-quiet']);
    assert.equal(code, 0, `${at}: ${out}${err}`);
    assert.equal(prod.get('Deployment', namespace, 'proxmox-mcp'), null);
  }
});

test('ciphertext of the old cluster is not taken along, and a Secret that is to be there is looked for', async (t) => {
  const secrets =
    'secrets:\n  - { name: sealed-one, from: sealed, env: { A: a } }\n  - { name: there, from: existing, env: { B: b } }\n';
  const { prod, agentic, root, run } = await misplaced(t, {
    files: { 'proxmox/server.yaml': `${proxmox}${secrets}` },
  });
  const sealed = (text: string) => ({
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name: 'sealed-one', namespace: 'ai-platform' },
    spec: {
      encryptedData: { a: text },
      template: { metadata: { name: 'sealed-one', namespace: 'ai-platform' } },
    },
  });
  prod.put({ ...sealed('of-prod'), metadata: { name: 'sealed-one', namespace } });
  const missing = await run(['--from', 'prod']);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /sealed-one is not sealed for agentic yet/);
  assert.match(missing.out, /ai-platform\/there is not in agentic: make it there, with b/);
  const file = join(root, manifestFolder, 'proxmox-mcp.yaml');
  const head = '# Made by sallyport deploy generate from proxmox/server.yaml\n';
  await writeFiles(root, {
    [`${manifestFolder}/proxmox-mcp.yaml`]: `${head}${JSON.stringify(sealed('of-prod'))}\n`,
  });
  const copied = await run(['--continue']);
  assert.match(copied.out, /sealed-one has ciphertext of prod, which only opens there/);
  await writeFile(file, `${head}${JSON.stringify(sealed('of-agentic'))}\n`);
  agentic.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'there', namespace: 'ai-platform' },
    data: { b: 'eA==' },
  });
  agentic.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sealed-one', namespace: 'ai-platform' },
    data: { a: 'eA==' },
  });
  const { code, out, err } = await run(['--continue', '--old-is-quiet']);
  assert.equal(code, 0, out + err);
});

test('what Flux keeps in the old cluster is removed where it comes from, not here', async (t) => {
  const { prod, run, removed } = await misplaced(t, { manager: 'kustomize-controller' });
  const { code, out } = await run(['--from', 'prod', '--old-is-quiet']);
  assert.equal(code, 1);
  assert.match(out, /✗ remove .*Deployment old-place\/proxmox-mcp, by Flux/);
  assert.deepEqual(removed(), []);
  for (const kind of ['Service', 'Deployment']) prod.remove(kind, namespace, 'proxmox-mcp');
  assert.equal((await run(['--continue', '--old-is-quiet'])).code, 0);
});

test('what others use stays, and an object that was made anew meanwhile is not removed', async (t) => {
  const { prod, run, removed } = await misplaced(t);
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shared', namespace },
    data: { a: '1' },
  };
  prod.put(config);
  for (const name of ['proxmox-mcp', 'other']) {
    const [deployment] = oldObjects();
    const volumes = [{ name: 'c', configMap: { name: 'shared' } }];
    const own = name === 'other' ? { app: 'other' } : labels;
    prod.put(
      {
        ...deployment,
        metadata: { name, namespace, labels: own },
        spec: {
          selector: { matchLabels: own },
          template: { metadata: { labels: own }, spec: { ...deployment.spec.template.spec, volumes } },
        },
      },
      'kubectl',
    );
  }
  assert.equal((await run(['--from', 'prod'])).code, 1);
  prod.remove('Service', namespace, 'proxmox-mcp');
  prod.put(oldObjects()[1]);
  const { code, out, err } = await run(['--continue', '--old-is-quiet']);
  assert.equal(code, 0, out + err);
  assert.deepEqual(removed(), ['deployments']);
  assert.notEqual(prod.get('ConfigMap', namespace, 'shared'), null);
});

test('a migration is begun once, from a cluster that is known, of a server that is there', async (t) => {
  const { root, run } = await misplaced(t);
  assert.match((await run([])).err, /--from says it: prod/);
  assert.match((await run(['--continue'])).err, /There is no plan/);
  assert.match((await run(['--from', 'nowhere'])).err, /knows no cluster nowhere/);
  assert.match((await run(['--from', 'agentic'])).err, /is to run in agentic already/);
  assert.equal((await run(['--from', 'prod'])).code, 1);
  assert.match((await run(['--from', 'prod'])).err, /is on its way from prod to agentic/);
  const shown = await run(['--dry-run']);
  const byWorkload = await runIn(root, ['deploy', 'migrate', 'proxmox-mcp', 'cluster', '--dry-run']);
  assert.equal(byWorkload.out, shown.out, 'also by the name of its Deployment');
  assert.match(shown.out, /✓ switch[\s\S]*→ quiet/);
  await writeFile(join(root, 'mcp-servers/proxmox/migration.yaml'), 'server: [\n');
  assert.match((await run(['--continue'])).err, /is not valid YAML/);
  await rm(join(root, 'mcp-servers/proxmox/migration.yaml'));
});

/** The plan with something in it put to something else, as somebody who edits it does. */
async function edited(root: string, change: (text: string) => string): Promise<void> {
  const path = join(root, 'mcp-servers/proxmox/migration.yaml');
  const before = (await readFiles(root))['mcp-servers/proxmox/migration.yaml'] ?? '';
  const after = change(before);
  assert.notEqual(after, before);
  await writeFile(path, after);
}

/** A plan that says that all is done but the removal. */
const pretending = (text: string): string => {
  const done = ['spec', 'secrets', 'apply', 'verify', 'switch', 'quiet'];
  const lines = done.map((step) => `  ${step}: 2026-01-15T12:00:00.000Z\n`).join('');
  return text.replace(/^done:[\s\S]*/m, `done:\n${lines}`);
};

const neighbour: Json = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'of-all', namespace },
  data: { a: 'b' },
};

for (const [name, change, said] of [
  ['says that it was verified', pretending, /tools differ from those of the old one/],
  [
    'says that there is nothing to compare',
    (text: string) => pretending(text).replace(/^tools:[\s\S]*?(?=^objects:)/m, 'tools: null\n'),
    /did not list its tools/,
  ],
  [
    'is of another server',
    (text: string) => text.replace('server: proxmox', 'server: other'),
    /plan of other/,
  ],
  [
    'is of another cluster',
    (text: string) => pretending(text).replace('uid: uid-of-prod', 'uid: another'),
    /prod is not the cluster that the plan began with/,
  ],
  [
    'goes to the cluster that it leaves',
    (text: string) => pretending(text).replace('to: agentic', 'to: same'),
    /same is the cluster that it leaves/,
  ],
] as const) {
  test(`a plan that ${name} removes nothing`, async (t) => {
    const { root, agentic, run, writesToProd } = await misplaced(t);
    const conventions = `clusters:
  agentic: { allowed: true, uid: uid-of-agentic }
  prod: { uid: uid-of-prod }
  same: { allowed: true, uid: uid-of-prod, context: prod }
`;
    await writeFile(join(root, 'conventions.yaml'), conventions);
    assert.equal((await run(['--from', 'prod'])).code, 1);
    if (/verified|compare/.test(name)) agentic.state.backendOf = () => other.url;
    await edited(root, change);
    const { code, out, err } = await run(['--continue', '--old-is-quiet']);
    assert.equal(code, 1);
    assert.match(out + err, said);
    assert.deepEqual(writesToProd(), []);
  });
}

test('an object that somebody wrote into the plan, or that others use by now, is not removed', async (t) => {
  const { prod, root, run, writesToProd } = await misplaced(t);
  const { uid } = prod.put(neighbour).metadata;
  assert.equal((await run(['--from', 'prod'])).code, 1);
  const entry = `  - apiVersion: v1\n    kind: ConfigMap\n    namespace: ${namespace}\n    name: of-all\n    uid: ${uid}\n`;
  await edited(root, (text) => text.replace('objects:\n', `objects:\n${entry}    stays: null\n`));
  const { code, out } = await run(['--continue', '--old-is-quiet']);
  assert.equal(code, 1);
  assert.match(out, /not of proxmox alone, as prod is now: .*of-all/);
  assert.deepEqual(writesToProd(), []);
  await edited(root, (text) => text.replace('stays: null', 'stays: of all'));
  const done = await run(['--continue', '--old-is-quiet']);
  assert.equal(done.code, 0, done.out + done.err);
});

test('interrupted while the old one is removed, it goes on with what is left', async (t) => {
  const { prod, run, removed } = await misplaced(t);
  assert.equal((await run(['--from', 'prod'])).code, 1);
  const isRemoval = ({ method, path }: { method: string; path: string }) =>
    method === 'DELETE' && path.includes('/deployments/');
  prod.faults.push({ on: isRemoval, times: 1, code: 403, reason: 'Forbidden' });
  assert.equal((await run(['--continue', '--old-is-quiet'])).code, 1);
  assert.deepEqual(removed(), ['services']);
  const done = await run(['--continue', '--old-is-quiet']);
  assert.equal(done.code, 0, done.out + done.err);
  assert.equal(prod.get('Deployment', namespace, 'proxmox-mcp'), null);
});
