import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { readFiles, runIn, tempFolder } from '../../../test/test-io.ts';

const folder = 'kubernetes/applications/mcp-servers';
const registry = `${folder}/nodeports.yaml`;
const service = (name: string, nodePort: number) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}-mcp, namespace: ai-platform}\nspec:\n  type: NodePort\n  ports: [{port: 8080, nodePort: ${nodePort}}]\n`;

const portsOf = async (root: string) =>
  (parse(await readFile(join(root, registry), 'utf8')) as { ports: unknown }).ports;

test('the lowest free port is taken, once, and the file keeps its comments', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': '',
    [`${folder}/x-mcp.yaml`]: service('x', 30_000),
  });
  const took = await runIn(root, ['deploy', 'ports', 'take', 'github', '--owner', 'platform', '--json']);
  assert.deepEqual(took.json(), { name: 'github', port: 30_001 }, took.err);
  const entry = { name: 'github', port: 30_001, owner: 'platform', since: '2026-01-15' };
  assert.deepEqual(await portsOf(root), [entry]);
  await writeFile(join(root, registry), `${await readFile(join(root, registry), 'utf8')}# the end\n`);
  assert.equal((await runIn(root, ['deploy', 'ports', 'take', 'github'])).code, 0);
  const second = await runIn(root, [
    'deploy',
    'ports',
    'take',
    'jira',
    '--owner',
    'team a: b',
    '--port',
    '31120',
  ]);
  assert.equal(second.code, 0, second.err);
  assert.deepEqual(await portsOf(root), [
    entry,
    { ...entry, name: 'jira', owner: 'team a: b', port: 31_120 },
  ]);
  const text = await readFile(join(root, registry), 'utf8');
  assert.match(text, /^# NodePorts of MCP servers.*[\s\S]*\n# the end\n$/);
  assert.match((await runIn(root, ['deploy', 'ports'])).out, /^30001 +github +platform +2026-01-15 +-$/m);
});

test('a server that has a port in the manifests gets that one', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': '',
    [`${folder}/x-mcp.yaml`]: service('x', 31_180),
  });
  const took = await runIn(root, ['deploy', 'ports', 'take', 'x', '--owner', 'me', '--json']);
  assert.deepEqual(took.json(), { name: 'x', port: 31_180 });
  assert.equal((await runIn(root, ['deploy', 'ports', 'check'])).code, 0);
});

test('a taken port is refused with who has it, and nothing is written', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': '',
    [`${folder}/x-mcp.yaml`]: service('x', 30_007),
  });
  await runIn(root, ['deploy', 'ports', 'take', 'github', '--owner', 'platform']);
  const before = await readFiles(root);
  const ofManifest = await runIn(root, ['deploy', 'ports', 'take', 'a', '--owner', 'b', '--port', '30007']);
  assert.equal(ofManifest.code, 1);
  assert.match(
    ofManifest.err,
    /Port 30007 is taken by Service ai-platform\/x-mcp of kubernetes\/.*x-mcp\.yaml/,
  );
  const ofRegistry = await runIn(root, ['deploy', 'ports', 'take', 'a', '--owner', 'b', '--port', '30000']);
  assert.match(ofRegistry.err, /Port 30000 is taken by github \(platform, since 2026-01-15\)/);
  for (const port of ['30086', '29999', '32767', '8080']) {
    const outside = await runIn(root, ['deploy', 'ports', 'take', 'a', '--owner', 'b', '--port', port]);
    assert.match(outside.err, /is not one for MCP servers: they have 30000 to 30085, or 31100 to 31199/);
  }
  assert.deepEqual(await readFiles(root), before);
});

test('a port that was released is given out again', async (t) => {
  const root = await tempFolder(t, { 'conventions.yaml': '' });
  await runIn(root, ['deploy', 'ports', 'take', 'a', '--owner', 'me']);
  await runIn(root, ['deploy', 'ports', 'take', 'b', '--owner', 'me']);
  assert.equal((await runIn(root, ['deploy', 'ports', 'release', 'a'])).code, 0);
  assert.equal((await runIn(root, ['deploy', 'ports', 'release', 'a'])).code, 1);
  const took = await runIn(root, ['deploy', 'ports', 'take', 'c', '--owner', 'me', '--json']);
  assert.deepEqual(took.json(), { name: 'c', port: 30_000 });
});

test('when all are taken, or the registry says nonsense, that is told with its place', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': 'nodePorts: {range: {from: 30000, to: 30000}, legacy: null}\n',
    [registry]: 'ports:\n  - {name: a, port: 30000, owner: me, since: 2026-01-01}\n',
  });
  const none = await runIn(root, ['deploy', 'ports', 'take', 'b', '--owner', 'me']);
  assert.match(none.err, /Every port from 30000 to 30000 is taken/);
  await writeFile(
    join(root, registry),
    'ports:\n  - {name: a, port: no, owner: me, since: 2026-01-01}\n  - x\n',
  );
  const broken = await runIn(root, ['deploy', 'ports']);
  assert.equal(broken.code, 1);
  assert.match(broken.err, / {2}kubernetes\/.*nodeports\.yaml:2:21: port must be a whole number/);
  assert.match(broken.err, /nodeports\.yaml:3:5: the entry must have/);
});

test('check tells of ports that two claim, that are unknown or out of range', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': '',
    [registry]: 'ports:\n  - {name: a, port: 30000, owner: me, since: 2026-01-01}\n',
    [`${folder}/a-mcp.yaml`]: service('a', 30_000),
    [`${folder}/b-mcp.yaml`]: service('b', 30_000),
    [`${folder}/c-mcp.yaml`]: service('c', 32_000),
    [`${folder}/broken.yaml`]: 'a: [\n',
  });
  const ran = await runIn(root, ['deploy', 'ports', 'check', '--json']);
  assert.equal(ran.code, 1);
  const { problems } = ran.json() as { problems: { rule: string; port: number }[] };
  assert.deepEqual(
    problems.map(({ rule, port }) => `${rule} ${port}`),
    [
      'nodeport-dup 30000',
      'nodeport-unregistered 30000',
      'nodeport-range 32000',
      'nodeport-unregistered 32000',
    ],
  );
});
