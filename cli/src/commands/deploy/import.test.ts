import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertValidObjects } from '../../../test/assert-valid-objects.ts';
import { readFiles, runIn, tempFolder, writeFiles } from '../../../test/test-io.ts';
import { objectsOf } from '../../manifests/made-file.ts';

const folder = 'kubernetes/applications/mcp-servers';
const originals = join(import.meta.dirname, '../../../test/originals');
const original = (name: string) => readFile(join(originals, `${name}.yaml`), 'utf8');
const conventions = 'clusters: { agentic: { allowed: true, node: 10.20.0.11 } }\n';

async function withOriginals(t: Parameters<typeof tempFolder>[0]): Promise<string> {
  return await tempFolder(t, {
    'conventions.yaml': conventions,
    [`${folder}/proxmox-mcp.yaml`]: await original('proxmox-mcp'),
    [`${folder}/github-mcp.yaml`]: await original('github-mcp'),
    [`${folder}/kustomization.yaml`]: 'resources:\n  - proxmox-mcp.yaml\n  - github-mcp.yaml\n',
  });
}
const files = [`${folder}/proxmox-mcp.yaml`, `${folder}/github-mcp.yaml`];

test('both original patterns become a server.yaml of a few lines, and what must change is told', async (t) => {
  const root = await withOriginals(t);
  const { code, err, json } = await runIn(root, ['deploy', 'import', ...files, '--json']);
  assert.equal(code, 0, err);
  const { servers } = json() as { servers: { name: string; changes: string[]; notes: string[] }[] };
  assert.deepEqual(
    servers.map(({ name }) => name),
    ['proxmox', 'github'],
  );
  assert.match(
    servers[1]?.changes.join('\n') ?? '',
    /labels app, component become .*\n.*app=github-mcp.*needs sallyport deploy migrate/,
  );
  const written = await readFiles(root);
  assert.equal(
    written['mcp-servers/proxmox/server.yaml'],
    [
      `# Read from ${folder}/proxmox-mcp.yaml by sallyport deploy import.`,
      'name: proxmox',
      'owner: unknown',
      'pattern: configmap',
      'code:',
      '  server.py: server.py',
      'env:',
      '  PROXMOX_URL: https://10.20.0.5:8006',
      'egress: any',
      '',
    ].join('\n'),
  );
  assert.match(written['mcp-servers/proxmox/server.py'] ?? '', /^from mcp\.server\.fastmcp import FastMCP\n/);
});

test('import, generate: the originals come out valid, in the convention, and with everything that they said', async (t) => {
  const root = await withOriginals(t);
  await runIn(root, ['deploy', 'import', ...files]);
  const refused = await runIn(root, ['deploy', 'generate', '--all']);
  assert.match(refused.err, /was not made by sallyport deploy generate/);
  const { code, err } = await runIn(root, ['deploy', 'generate', '--all', '--replace']);
  assert.equal(code, 0, err);
  const written = await readFiles(root);
  for (const name of ['proxmox', 'github']) {
    const objects = objectsOf(name, written[`${folder}/${name}-mcp.yaml`] ?? '');
    await assertValidObjects(objects);
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as {
      spec: { selector: { matchLabels: object }; template: { metadata: { labels: Record<string, string> } } };
    };
    assert.deepEqual(deployment.spec.selector.matchLabels, {
      'app.kubernetes.io/name': `${name}-mcp`,
      'app.kubernetes.io/component': 'mcp-server',
    });
  }
  assert.match(written[`${folder}/github-mcp.yaml`] ?? '', /nodePort: 31135/);
  assert.match(written[`${folder}/github-mcp.yaml`] ?? '', /managedSecretReference:/);
  assert.match(written['.mcp.json'] ?? '', /"http:\/\/10\.20\.0\.11:31135\/mcp"/);
  assert.equal(
    written[`${folder}/kustomization.yaml`],
    'resources:\n  - proxmox-mcp.yaml\n  - github-mcp.yaml\n',
  );
  assert.equal((await runIn(root, ['deploy', 'generate', '--all', '--check'])).code, 0);
});

test('a dry run writes nothing; a server.yaml that is there is not written over', async (t) => {
  const root = await withOriginals(t);
  const before = await readFiles(root);
  assert.equal((await runIn(root, ['deploy', 'import', ...files, '--dry-run'])).code, 0);
  assert.deepEqual(await readFiles(root), before);
  await writeFiles(root, { 'mcp-servers/github/server.yaml': 'name: mine\n' });
  const { code, err } = await runIn(root, ['deploy', 'import', ...files]);
  assert.equal(code, 1);
  assert.match(err, /mcp-servers\/github\/server\.yaml is there already/);
  assert.ok(!('mcp-servers/proxmox/server.yaml' in (await readFiles(root))));
});

test('values of a Secret are kept, and never shown', async (t) => {
  const secret = `---\napiVersion: v1\nkind: Secret\nmetadata: { name: mcp-github }\nstringData: { API_KEY: hunter2secret }\n`;
  const root = await tempFolder(t, { 'github.yaml': `${await original('github-mcp')}${secret}` });
  const { code, out, err } = await runIn(root, ['deploy', 'import', 'github.yaml']);
  assert.equal(code, 0, err);
  assert.doesNotMatch(out + err, /hunter2/);
  assert.match(out, /API_KEY: •••/);
  assert.match(out, /has its values in git: seal it/);
  assert.match((await readFiles(root))['mcp-servers/github/server.yaml'] ?? '', /hunter2secret/);
});

test('editors complete what is imported, where the repository keeps the schema', async (t) => {
  const root = await tempFolder(t, {
    'a.yaml': await original('proxmox-mcp'),
    '.sallyport/server.schema.json': '{}',
  });
  await runIn(root, ['deploy', 'import', 'a.yaml']);
  const [line] = ((await readFiles(root))['mcp-servers/proxmox/server.yaml'] ?? '').split('\n');
  assert.equal(line, '# yaml-language-server: $schema=../../.sallyport/server.schema.json');
});

test('what is no manifest of a server is refused with its place', async (t) => {
  const root = await tempFolder(t, {
    'kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: { name: x }\n',
    'service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\n',
    'broken.yaml': 'a: [1\n',
    'values.yaml': 'image: x\n',
  });
  const told = async (file: string) => (await runIn(root, ['deploy', 'import', file])).err;
  assert.match(await told('kustomization.yaml'), /kustomization\.yaml:1:1: is no object of Kubernetes/);
  assert.match(await told('values.yaml'), /values\.yaml:1:1: is no object/);
  assert.match(await told('service.yaml'), /there is no Deployment/);
  assert.match(await told('broken.yaml'), /broken\.yaml:2:1/);
  assert.match(await told('gone.yaml'), /gone\.yaml cannot be read/);
  assert.deepEqual(Object.keys(await readFiles(root)).sort(), [
    'broken.yaml',
    'kustomization.yaml',
    'service.yaml',
    'values.yaml',
  ]);
});

interface Linted {
  readonly findings: readonly { readonly rule: string; readonly level: string }[];
}

const rulesOf = async (root: string, level: string) => {
  const { json } = await runIn(root, ['deploy', 'lint', '--json']);
  const { findings } = json() as Linted;
  return [...new Set(findings.filter((one) => one.level === level).map(({ rule }) => rule))].sort();
};

for (const order of [
  ['import', 'fix'],
  ['fix', 'import'],
]) {
  test(`${order.join(', ')}, generate: of all errors only the image that has no version is left to its owner`, async (t) => {
    const root = await withOriginals(t);
    assert.ok((await rulesOf(root, 'error')).length > 4);
    for (const step of order) {
      const args = step === 'fix' ? ['lint', '--fix'] : ['import', ...files];
      const { err } = await runIn(root, ['deploy', ...args]);
      assert.equal(err, '');
    }
    const { code, err } = await runIn(root, ['deploy', 'generate', '--all', '--replace']);
    assert.equal(code, 0, err);
    assert.deepEqual(await rulesOf(root, 'error'), ['image-latest']);
    const path = 'mcp-servers/github/server.yaml';
    const spec = (await readFiles(root))[path] ?? '';
    await writeFiles(root, { [path]: spec.replace(':latest', ':1.8.0') });
    assert.equal((await runIn(root, ['deploy', 'generate', '--all'])).code, 0);
    assert.deepEqual(await rulesOf(root, 'error'), []);
  });
}
