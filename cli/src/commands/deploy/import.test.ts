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
      '# Its comments:',
      '#   ConfigMap pattern: custom code, for prototypes',
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
  const secret = `---\napiVersion: v1\nkind: Secret\nmetadata: { name: mcp-github }\nstringData:\n  API_KEY: hunter2secret # of the robot\n  NOTE: "no # comment"\n`;
  const root = await tempFolder(t, { 'github.yaml': `${await original('github-mcp')}${secret}` });
  const { code, out, err } = await runIn(root, ['deploy', 'import', 'github.yaml']);
  assert.equal(code, 0, err);
  assert.doesNotMatch(out + err, /hunter2/);
  assert.match(out, /API_KEY: •••/);
  assert.match(out, /has its values in git: seal it/);
  const spec = (await readFiles(root))['mcp-servers/github/server.yaml'] ?? '';
  assert.deepEqual(spec.match(/.*hunter2secret.*/g), ['      API_KEY: hunter2secret']);
  assert.match(spec, /^# {3}# of the robot$/m);
  assert.doesNotMatch(spec, /^#.*no # comment/m);
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

test('comments and unquoted values of variables go into server.yaml, as they were meant', async (t) => {
  const text = await original('github-mcp');
  const written = text
    .replace('kind: Deployment\n', 'kind: Deployment # ask the team first\n')
    .replace(
      /env:\n/,
      'env:\n            - { name: VERSION, value: 1.10 }\n            - { name: DEBUG, value: true }\n',
    );
  assert.match(written, /VERSION/);
  const root = await tempFolder(t, { [`${folder}/github-mcp.yaml`]: written });
  const { code, out, err } = await runIn(root, ['deploy', 'import', `${folder}/github-mcp.yaml`]);
  assert.equal(code, 0, err);
  assert.match(out, /changes: env VERSION: 1\.10 is a text now/);
  const spec = (await readFiles(root))['mcp-servers/github/server.yaml'] ?? '';
  assert.match(spec, /^# {3}kind: Deployment # ask the team first$/m);
  assert.match(spec, /^env:\n {2}VERSION: "1\.10"\n {2}DEBUG: "true"$/m);
});

test('a folder is imported as its manifests; what was made of a server.yaml is not imported again', async (t) => {
  const root = await withOriginals(t);
  await writeFiles(root, { 'notes/server.yaml': 'name: notes\nowner: me\npattern: image\nimage: a/b:1\n' });
  assert.equal((await runIn(root, ['deploy', 'generate', 'notes'])).code, 0);
  const made = `${folder}/notes-mcp.yaml`;
  const { code, out, err } = await runIn(root, ['deploy', 'import', folder]);
  assert.equal(code, 0, err);
  assert.match(out, /^proxmox: /m);
  assert.match(out, /^github: /m);
  assert.match(out, /^Left out: \S+notes-mcp\.yaml is made from notes\/server\.yaml already$/m);
  assert.match(out, /^Then, before the commit: sallyport deploy migrate github labels$/m);
  const again = await runIn(root, ['deploy', 'import', made]);
  assert.equal(again.code, 1);
  assert.match(again.err, /notes-mcp\.yaml is made from notes\/server\.yaml already\n {2}Change that/);
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
