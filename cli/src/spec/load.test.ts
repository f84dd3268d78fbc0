import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tempFolder, testIo } from '../../test/test-io.ts';
import { CommandError } from '../command-error.ts';
import { loadProject, loadServer } from './load.ts';

async function load(t: TestContext, files: Record<string, string>) {
  const root = await tempFolder(t, files);
  await mkdir(join(root, '.git'), { recursive: true });
  return await loadServer(await loadProject(testIo(root)), join(root, 'server.yaml'));
}

async function mistakesIn(t: TestContext, files: Record<string, string>): Promise<readonly string[]> {
  const error = await load(t, files).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CommandError, String(error));
  return error.details;
}

const good = 'name: proxmox\nowner: platform\npattern: image\nimage: ghcr.io/acme/proxmox-mcp:1.4.2\n';

test('a server.yaml is read with its defaults and its code', async (t) => {
  const server = await load(t, {
    'server.yaml': 'name: notes\nowner: me\npattern: configmap\ncode:\n  server.py: src/server.py\n',
    'src/server.py': 'print("hé")\n',
  });
  assert.equal(server.spec.path, '/mcp');
  assert.equal(server.spec.replicas, 1);
  assert.deepEqual(server.code, { 'server.py': 'print("hé")\n' });
});

test('all mistakes are told at once, each with its place, its path and what to do', async (t) => {
  const text = [
    'name: Proxmox_1',
    'pattern: imag',
    'port: 99999',
    'replica: 2',
    'env:',
    '  DEBUG: true',
    '  1BAD: x',
    'secrets:',
    '  - env: { API_KEY: "a b" }',
    '    fromm: infisical',
    'health: { periodSeconds: soon }',
    'expose:',
    '  nodePort: sometimes',
    'cluster: prood',
    '',
  ].join('\n');
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': text }), [
    'server.yaml:1:1: owner is missing',
    'server.yaml:1:7: name must be a DNS label: 1 to 48 of a-z 0-9 -, beginning and ending with a letter or digit',
    'server.yaml:2:10: pattern must be one of image, configmap, build: did you mean image?',
    'server.yaml:3:7: port must be 1 to 65535',
    'server.yaml:4:1: replica is not known: did you mean replicas?',
    'server.yaml:6:10: env.DEBUG must be a string, not true or false: write "true" in quotes',
    'server.yaml:7:3: env.1BAD is not a valid name of an environment variable',
    'server.yaml:9:21: secrets[0].env.API_KEY is not a valid key of a Secret',
    'server.yaml:10:5: secrets[0].fromm is not known: did you mean from?',
    'server.yaml:11:26: health.periodSeconds must be a number, not a string',
    'server.yaml:13:13: expose.nodePort must be a number, not a string, or must be auto',
    'server.yaml:14:10: cluster is not a cluster of conventions.yaml: did you mean prod?',
  ]);
});

test('broken YAML is told with line and column', async (t) => {
  const [first] = await mistakesIn(t, { 'server.yaml': 'name: a\nenv:\n  A: "open\nowner: b\n' });
  assert.match(first ?? '', /^server\.yaml:[345]:\d+: Missing closing/);
  assert.match(
    (await mistakesIn(t, { 'server.yaml': 'name: a\nname: b\n' }))[0] ?? '',
    /^server\.yaml:2:1: Map keys must be unique/,
  );
});

test('an empty file, a list and several documents are no server.yaml', async (t) => {
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': '' }), ['server.yaml:1:1: is empty']);
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': '- a\n' }), [
    'server.yaml:1:1: must be a mapping, not a list',
  ]);
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': `${good}---\n${good}` }), [
    'server.yaml:5:1: there must be one document, not several',
  ]);
});

test('YAML that grows without bound when it is read is refused', async (t) => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map((name, at) => {
      const before = 'abcdefg'[at];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`;
    })
    .join('\n')}\n`;
  assert.match((await mistakesIn(t, { 'server.yaml': bomb }))[0] ?? '', /alias/);
});

test('each pattern says what it needs', async (t) => {
  const base = 'name: a\nowner: b\n';
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': `${base}pattern: build\n` }), [
    'server.yaml:1:1: image is missing: the pattern build runs an image',
  ]);
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': `${base}pattern: configmap\n` }), [
    'server.yaml:1:1: code is missing: the pattern configmap runs the files that it names',
  ]);
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': `${good}code: { a.py: a.py }\nhealth: /mcp\n` }), [
    'server.yaml:5:1: code belongs to the pattern configmap, not image',
    'server.yaml:6:9: health must not be the MCP endpoint, which answers a plain GET with an error or a stream: use tcp',
  ]);
});

test('what does not go together is told, each at its place', async (t) => {
  const text = [
    'name: a-mcp',
    'owner: b',
    'pattern: image',
    'image: x/a:1',
    'env: { A: "1" }',
    'secrets:',
    '  - env: { A: a, B: b }',
    '  - env: { B: b }',
    'labels: { app.kubernetes.io/name: x }',
    'servicePort: 9090',
    'metricsPort: 9090',
    'resources: { requests: { memory: 1Gi }, limits: { memory: 512Mi } }',
    'expose: { ingress: { host: a.example.com, auth: oauth } }',
    '',
  ].join('\n');
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': text }), [
    'server.yaml:1:7: name must not end with -mcp, which is added: a',
    'server.yaml:7:12: secrets[0].env.A is set more than once',
    "server.yaml:8:5: secrets[1] is the server's own Secret again: put its env together",
    'server.yaml:8:12: secrets[1].env.B is set more than once',
    'server.yaml:9:11: labels["app.kubernetes.io/name"] is set by the convention',
    'server.yaml:11:14: metricsPort is the port at which the Service has MCP',
    'server.yaml:12:34: resources.requests.memory is more than its limit',
    'server.yaml:13:49: expose.ingress.auth needs ingress.authUrl in conventions.yaml, where nginx asks about callers',
  ]);
});

test('code that is missing, outside of the folder, binary or too large is refused at its place', async (t) => {
  const base = 'name: a\nowner: b\npattern: configmap\ncode:\n';
  const root = await tempFolder(t, {
    'server.yaml': `${base}  a.py: gone.py\n  b.py: binary.py\n`,
    'escape/server.yaml': `${base}  a.py: ../server.yaml\n`,
    'large/server.yaml': `${base}  a.py: a.py\n`,
    'large/a.py': '#'.repeat(1024 * 1024 + 1),
  });
  await writeFile(join(root, 'binary.py'), Buffer.from([0xff, 0xfe, 0]));
  const project = await loadProject(testIo(root));
  const details = async (path: string) =>
    await loadServer(project, join(root, path)).then(
      () => assert.fail('it was accepted'),
      (error: CommandError) => error.details,
    );
  assert.deepEqual(await details('server.yaml'), [
    'server.yaml:5:9: code["a.py"] cannot be read: there is no such file',
    'server.yaml:6:9: code["b.py"] is not text in UTF-8: build an image for it',
  ]);
  assert.deepEqual(await details('escape/server.yaml'), [
    'escape/server.yaml:5:9: code["a.py"] must be a path beside or below this file',
  ]);
  assert.deepEqual(await details('large/server.yaml'), [
    'large/server.yaml:4:1: code is more than 1 MiB, which no ConfigMap holds: build an image',
  ]);
});

test('conventions are found upwards, say what differs, and are refused like a server.yaml', async (t) => {
  const root = await tempFolder(t, {
    'repo/conventions.yaml':
      'namespace: tools\nfolder: apps\nclusters: { one: { allowed: true } }\ncluster: one\n',
    'repo/deep/er/x': '',
    'bad/conventions.yaml': 'namespaces: tools\ncluster: two\n',
  });
  const project = await loadProject(testIo(join(root, 'repo/deep/er')));
  assert.equal(project.root, join(root, 'repo'));
  assert.equal(project.folder, join(root, 'repo/apps'));
  assert.equal(project.conventions.namespace, 'tools');
  assert.equal(project.conventions.suffix, '-mcp');
  await assert.rejects(loadProject(testIo(join(root, 'bad'))), {
    details: [
      'conventions.yaml:1:1: namespaces is not known: did you mean namespace?',
      'conventions.yaml:2:10: cluster (two) is none of clusters: agentic, prod, monit',
    ],
  });
});

test('what is no text of a bounded length is refused, and never waited for', async (t) => {
  const root = await tempFolder(t, { '.git/x': '', 'folder/server.yaml/x': '' });
  for (const name of ['latin', 'utf16', 'large', 'pipe', 'device']) await mkdir(join(root, name));
  const at = (name: string) => join(root, name, 'server.yaml');
  await writeFile(at('latin'), Buffer.from(good.replace('platform', 'M\u00fcller'), 'latin1'));
  await writeFile(at('utf16'), Buffer.from(`\ufeff${good}`, 'utf16le'));
  await writeFile(at('large'), `${good}# ${'x'.repeat(17 * 1024 * 1024)}\n`);
  spawnSync('mkfifo', [at('pipe')]);
  await symlink('/dev/zero', at('device'));
  const project = await loadProject(testIo(root));
  const told = (name: string) =>
    loadServer(project, at(name)).then(
      () => assert.fail('it was accepted'),
      (error: CommandError) => error.message,
    );
  assert.match(await told('latin'), /^latin\/server\.yaml is not text in UTF-8/);
  assert.match(await told('utf16'), /^utf16\/server\.yaml is not text in UTF-8/);
  assert.equal(await told('large'), 'large/server.yaml is larger than 16 MiB.');
  assert.equal(await told('pipe'), 'pipe/server.yaml cannot be read: it is no file');
  assert.equal(await told('device'), 'device/server.yaml cannot be read: it is no file');
  assert.equal(await told('folder'), 'folder/server.yaml cannot be read: it is a folder');
});

test('a link does not bring a file of the machine into the ConfigMap', async (t) => {
  const root = await tempFolder(t, {
    'outside/key': 'of somebody',
    'repo/.git/x': '',
    'repo/server.yaml': 'name: x\nowner: me\npattern: configmap\ncode:\n  a.py: a.py\n  b.py: b.py\n',
    'repo/real.py': 'pass\n',
  });
  await symlink('../outside/key', join(root, 'repo/a.py'));
  await symlink('real.py', join(root, 'repo/b.py'));
  const project = await loadProject(testIo(join(root, 'repo')));
  await assert.rejects(loadServer(project, join(root, 'repo/server.yaml')), {
    details: ['server.yaml:5:9: code["a.py"] leads out of the repository, by a link'],
  });
});

test('a key that would be lost is refused, and an abyss is called one', async (t) => {
  assert.deepEqual(await mistakesIn(t, { 'server.yaml': `${good}env:\n  __proto__: x\n` }), [
    'server.yaml:6:3: __proto__ cannot be a key',
  ]);
  const [told] = await mistakesIn(t, { 'server.yaml': `${good}patches: ${'['.repeat(50_000)}` });
  assert.match(told ?? '', /^server\.yaml:5:\d+: is nested too deeply to be read$/);
});

test('what JSON does not have is refused at its place, rather than generated as something else', async (t) => {
  const spec =
    '{ id: 12345678901234567890, ratio: .inf, code: !!binary aGk=, day: !!timestamp 2001-01-01, all: *x }';
  const text = `${good}labels: !!binary x\nenv: { ID: 9007199254740993 }\nobjects:\n  - &x { apiVersion: v1, kind: A, spec: ${spec} }\n`;
  const beyond =
    'is beyond 9007199254740991, up to which whole numbers stay as they are: as a text, in quotes, it does';
  const what = (await mistakesIn(t, { 'server.yaml': text })).map((line) => line.replace(/^\S+ /, ''));
  assert.deepEqual(what, [
    'labels is !!binary, which JSON does not have: write it as a text',
    `env.ID ${beyond}`,
    `objects[0].spec.id ${beyond}`,
    'objects[0].spec.ratio is no number that JSON has',
    'objects[0].spec.code is !!binary, which JSON does not have: write it as a text',
    'objects[0].spec.day is !!timestamp, which JSON does not have: write it as a text',
    'objects[0].spec.all leads back to itself',
  ]);
});
