import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readFiles, runIn, tempFolder, writeFiles } from '../../../test/test-io.ts';

const folder = 'kubernetes/applications/mcp-servers';
const image = 'name: proxmox\nowner: platform\npattern: image\nimage: ghcr.io/acme/proxmox-mcp:1.4.2\n';
const notes = 'name: notes\nowner: me\npattern: configmap\ncode: { server.py: server.py }\n';

test('a server.yaml becomes manifests, an entry of kustomization.yaml and one of .mcp.json', async (t) => {
  const root = await tempFolder(t, { 'proxmox/server.yaml': image });
  const ran = await runIn(join(root), ['deploy', 'generate', 'proxmox/server.yaml']);
  assert.equal(ran.code, 0, ran.err);
  const files = await readFiles(root);
  assert.deepEqual(Object.keys(files), [
    '.mcp.json',
    `${folder}/kustomization.yaml`,
    `${folder}/proxmox-mcp.yaml`,
    'proxmox/server.yaml',
  ]);
  assert.deepEqual(JSON.parse(files['.mcp.json'] ?? ''), {
    mcpServers: {
      proxmox: { type: 'http', url: 'http://proxmox-mcp.ai-platform.svc.cluster.local:3000/mcp' },
    },
  });
  assert.match(files[`${folder}/kustomization.yaml`] ?? '', /^resources:\n {2}- proxmox-mcp\.yaml$/m);
  const kinds = parseAllDocuments(files[`${folder}/proxmox-mcp.yaml`] ?? '').map(
    (document) => (document as { toJS(): { kind: string } }).toJS().kind,
  );
  assert.deepEqual(kinds, ['Deployment', 'Service', 'NetworkPolicy']);
  assert.equal(
    ran.out,
    `+ ${folder}/proxmox-mcp.yaml
+ ${folder}/kustomization.yaml
+ .mcp.json
3 files written
Next: commit, for Flux to apply it, or sallyport deploy apply proxmox; then deploy verify.
`,
  );
});

test('a server is known by its name, its folder and its file, from wherever it is asked for', async (t) => {
  const root = await tempFolder(t, {
    '.git/HEAD': '',
    'a/server.yaml': image,
    'b/server.yaml': notes,
    'b/server.py': '',
  });
  for (const given of ['proxmox', 'proxmox-mcp', 'a', './a', 'a/server.yaml']) {
    const { code, out, err } = await runIn(root, ['deploy', 'generate', given, 'notes', '--dry-run']);
    assert.equal(code, 0, err);
    assert.match(out, /proxmox-mcp\.yaml$[\s\S]*^4 files would change$/m);
  }
  const elsewhere = await runIn(join(root, 'b'), ['deploy', 'generate', 'proxmox', '--dry-run']);
  assert.match(elsewhere.out, /^3 files would change$/m);
  const unknown = await runIn(root, ['deploy', 'generate', 'proxmx']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /of proxmx\n {2}There are: proxmox, notes\./);
});

test('what a new server needs and git does not hold is told once', async (t) => {
  const secrets = `${image}secrets:
  - { env: { TOKEN: token } }
  - { name: shared, from: existing, env: { KEY: key } }
`;
  const root = await tempFolder(t, { 'server.yaml': secrets });
  const first = await runIn(root, ['deploy', 'generate']);
  assert.match(first.out, /note: proxmox: Infisical is to have token at \/proxmox-mcp \(ai-platform, prod\)/);
  assert.match(first.out, /note: proxmox: its namespace is to have the Secret shared with key$/m);
  await writeFiles(root, { 'server.yaml': secrets.replace('1.4.2', '1.4.3') });
  const second = await runIn(root, ['deploy', 'generate']);
  assert.match(second.out, /^1 file written$/m);
  assert.doesNotMatch(second.out, /note:/);
});

test('running it twice changes nothing, and --check tells CI so', async (t) => {
  const root = await tempFolder(t, {
    'a/server.yaml': image,
    'b/server.yaml': notes,
    'b/server.py': 'x = 1\n',
  });
  assert.equal((await runIn(root, ['deploy', 'generate', '--all', '--check'])).code, 1);
  assert.equal((await runIn(root, ['deploy', 'generate', '--all'])).code, 0);
  const before = await readFiles(root);
  assert.equal((await runIn(root, ['deploy', 'generate', '--all', '--check'])).code, 0);
  const again = await runIn(root, ['deploy', 'generate', '--all', '--json']);
  assert.deepEqual(again.json(), { servers: ['proxmox', 'notes'], files: [], notes: [] });
  assert.deepEqual(await readFiles(root), before);
});

test('changed code changes the pods, so that they roll', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': notes, 'server.py': 'x = 1\n' });
  await runIn(root, ['deploy', 'generate']);
  await writeFile(join(root, 'server.py'), 'x = 2\n');
  const { out, code } = await runIn(root, ['deploy', 'generate', '--check']);
  assert.equal(code, 1);
  assert.match(out, /^-\s+checksum\/code: [0-9a-f]{64}\n\+\s+checksum\/code: [0-9a-f]{64}$/m);
  assert.match(out, /^\+\s+x = 2$/m);
});

test('a dry run writes nothing', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': image });
  const { out, code } = await runIn(root, ['deploy', 'generate', '--dry-run']);
  assert.equal(code, 0);
  assert.match(out, /3 files would change/);
  assert.match(out, /^\+kind: Deployment$/m);
  assert.doesNotMatch(out, /Next:/);
  assert.deepEqual(Object.keys(await readFiles(root)), ['server.yaml']);
});

test('the entry is added to a kustomization.yaml to the byte', async (t) => {
  const before = '# ours\nresources:   # listed\n- other.yaml    # keep\n-   ./more.yaml\n\nnamespace:  x\n';
  const root = await tempFolder(t, { 'server.yaml': image, [`${folder}/kustomization.yaml`]: before });
  await runIn(root, ['deploy', 'generate']);
  const after = (await readFiles(root))[`${folder}/kustomization.yaml`];
  assert.equal(
    after,
    '# ours\nresources:   # listed\n- other.yaml    # keep\n-   ./more.yaml\n- proxmox-mcp.yaml\n\nnamespace:  x\n',
  );
});

test('an entry that is there in another spelling is not added again', async (t) => {
  const before = 'resources: [./proxmox-mcp.yaml]\n';
  const root = await tempFolder(t, { 'server.yaml': image, [`${folder}/kustomization.yaml`]: before });
  await runIn(root, ['deploy', 'generate']);
  assert.equal((await readFiles(root))[`${folder}/kustomization.yaml`], before);
});

test('a folder that Flux applies as it is gets no kustomization.yaml, and one that is there is refused', async (t) => {
  const root = await tempFolder(t, { 'conventions.yaml': 'layout: recursive\n', 'server.yaml': image });
  assert.equal((await runIn(root, ['deploy', 'generate'])).code, 0);
  assert.ok(!(`${folder}/kustomization.yaml` in (await readFiles(root))));
  await writeFiles(root, { [`${folder}/kustomization.yaml`]: 'resources: []\n' });
  const { code, err } = await runIn(root, ['deploy', 'generate']);
  assert.equal(code, 1);
  assert.match(err, /folder that Flux applies as it is/);
});

test('a server.yaml in a folder that Flux applies as it is is refused', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': 'layout: recursive\n',
    [`${folder}/server.yaml`]: image,
  });
  const { code, err } = await runIn(root, ['deploy', 'generate', '--all']);
  assert.equal(code, 1);
  assert.match(err, /server\.yaml is in a folder that Flux applies as it is\n.*move it/);
});

test('manifests that a person wrote are not written over unless asked to', async (t) => {
  const by = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: proxmox-mcp } # mine\n';
  const root = await tempFolder(t, { 'server.yaml': image, [`${folder}/proxmox-mcp.yaml`]: by });
  const refused = await runIn(root, ['deploy', 'generate', '--json']);
  assert.equal(refused.code, 1);
  assert.equal((refused.json() as { error: { code: string } }).error.code, 'manifest.foreign');
  assert.deepEqual(Object.keys(await readFiles(root)), [`${folder}/proxmox-mcp.yaml`, 'server.yaml']);
  assert.equal((await runIn(root, ['deploy', 'generate', '--replace'])).code, 0);
  assert.match((await readFiles(root))[`${folder}/proxmox-mcp.yaml`] ?? '', /^# Made by sallyport/);
});

test('comments in a file that says the same stay', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': image });
  await runIn(root, ['deploy', 'generate']);
  const path = join(root, folder, 'proxmox-mcp.yaml');
  const commented = `${(await readFiles(root))[`${folder}/proxmox-mcp.yaml`]}# seen by the auditors\n`;
  await writeFile(path, commented);
  assert.equal((await runIn(root, ['deploy', 'generate', '--check'])).code, 0);
});

test('a mistake in one of several servers leaves all files as they are', async (t) => {
  const root = await tempFolder(t, { 'a/server.yaml': image, 'b/server.yaml': 'name: b\n' });
  const { code, err } = await runIn(root, ['deploy', 'generate', '--all']);
  assert.equal(code, 1);
  assert.match(err, /b\/server\.yaml:1:1: owner is missing/);
  assert.deepEqual(Object.keys(await readFiles(root)), ['a/server.yaml', 'b/server.yaml']);
});

test('two servers of one name are refused', async (t) => {
  const root = await tempFolder(t, { 'a/server.yaml': image, 'b/server.yaml': image });
  const { code, err } = await runIn(root, ['deploy', 'generate', '--all']);
  assert.equal(code, 1);
  assert.match(err, /b\/server\.yaml and a\/server\.yaml both are named proxmox/);
});

test('manifests of a server.yaml that is gone are told', async (t) => {
  const root = await tempFolder(t, { 'a/server.yaml': image });
  await runIn(root, ['deploy', 'generate', '--all']);
  await rm(join(root, 'a'), { recursive: true });
  const { out } = await runIn(root, ['deploy', 'generate', '--all']);
  assert.match(out, /proxmox-mcp\.yaml was made from a\/server\.yaml, which is gone/);
});

test('a public name comes with values for a chart and a CNAME', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': 'ingress: { authUrl: "https://login.example.com" }\n',
    'proxmox/server.yaml': `${image}expose:\n  ingress: { host: tools.internal.example.com, cname: proxmox.example.com, auth: oauth }\n`,
  });
  assert.equal((await runIn(root, ['deploy', 'generate', '--all'])).code, 0);
  const files = await readFiles(root);
  assert.equal(
    files['proxmox/proxmox-mcp.values.yaml'],
    'service:\n  internalPort: 3000\ningress:\n  enabled: true\n  host: proxmox.example.com\n  class: nginx\noAuth:\n  enabled: true\n',
  );
  assert.match(files['proxmox/proxmox-mcp.dns.tf'] ?? '', /cname = "tools\.internal\.example\.com\."/);
});

test('a command line without a server.yaml says what to do', async (t) => {
  const root = await tempFolder(t);
  const none = await runIn(root, ['deploy', 'generate']);
  assert.equal(none.code, 1);
  assert.match(none.err, /no server\.yaml here\n.*sallyport server new/);
  const gone = await runIn(root, ['deploy', 'generate', 'gone.yaml']);
  assert.match(gone.err, /gone\.yaml cannot be read: there is no such file/);
});

const withPort = (name: string, nodePort: number | string) =>
  `${image.replace('proxmox', name)}expose: { nodePort: ${nodePort} }\n`;

test('NodePorts come from the registry, each server keeps its own, and a node makes the address', async (t) => {
  const root = await tempFolder(t, {
    'conventions.yaml': 'clusters: { agentic: { allowed: true, node: 10.20.0.11 } }\n',
    'a/server.yaml': withPort('a', 'auto'),
    'b/server.yaml': withPort('b', 'auto'),
    'c/server.yaml': withPort('c', 31120),
  });
  assert.equal((await runIn(root, ['deploy', 'generate', '--all'])).code, 0);
  const files = await readFiles(root);
  const ports = ['a', 'b', 'c'].map(
    (name) => /nodePort: (\d+)/.exec(files[`${folder}/${name}-mcp.yaml`] ?? '')?.[1],
  );
  assert.deepEqual(ports, ['30000', '30001', '31120']);
  assert.match(
    files[`${folder}/nodeports.yaml`] ?? '',
    /name: b\n\s+port: 30001\n\s+owner: platform\n\s+since: .?2026-01-15/,
  );
  assert.match(files['.mcp.json'] ?? '', /"http:\/\/10\.20\.0\.11:31120\/mcp"/);
  assert.equal((await runIn(root, ['deploy', 'generate', '--all', '--check'])).code, 0);
});

test('a NodePort that another server has is refused, and nothing is written', async (t) => {
  const root = await tempFolder(t, {
    'a/server.yaml': withPort('a', 30005),
    'b/server.yaml': withPort('b', 30005),
  });
  const { code, err } = await runIn(root, ['deploy', 'generate', '--all']);
  assert.equal(code, 1);
  assert.match(err, /Port 30005 is taken by a \(platform/);
  assert.deepEqual(Object.keys(await readFiles(root)), ['a/server.yaml', 'b/server.yaml']);
});

test('what was sealed before stays sealed, and what is not sealed yet is told', async (t) => {
  const secret = `${image}secrets: [{ from: sealed, env: { TOKEN: token } }]\n`;
  const root = await tempFolder(t, { 'server.yaml': secret });
  const first = await runIn(root, ['deploy', 'generate']);
  assert.match(first.out, /the Secret proxmox-mcp-secrets is not sealed yet: sallyport deploy seal/);
  const path = `${folder}/proxmox-mcp.yaml`;
  const sealed = [
    '---',
    'apiVersion: bitnami.com/v1alpha1',
    'kind: SealedSecret',
    'metadata: { name: proxmox-mcp-secrets, namespace: ai-platform }',
    'spec: { encryptedData: { token: AgAb } }',
    '',
  ].join('\n');
  await writeFiles(root, { [path]: `${(await readFiles(root))[path]}${sealed}` });
  await writeFiles(root, { 'server.yaml': secret.replace('1.4.2', '1.4.3') });
  const second = await runIn(root, ['deploy', 'generate']);
  assert.doesNotMatch(second.out, /not sealed yet/);
  const after = (await readFiles(root))[path] ?? '';
  assert.match(after, /encryptedData:\n\s+token: AgAb/);
  assert.match(after, /proxmox-mcp:1\.4\.3/);
});

test('a generated file that somebody broke is written anew', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': image });
  await runIn(root, ['deploy', 'generate']);
  const path = `${folder}/proxmox-mcp.yaml`;
  const good = (await readFiles(root))[path] ?? '';
  await writeFiles(root, { [path]: `${good}broken: [\n` });
  assert.equal((await runIn(root, ['deploy', 'generate'])).code, 0);
  assert.equal((await readFiles(root))[path], good);
});
