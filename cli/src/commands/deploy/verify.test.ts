import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type ClusterProjectOptions,
  clusterProject,
  proxmox,
} from '../../../test/fake-api-server/cluster-project.ts';
import type { Json } from '../../../test/fake-api-server/json.ts';
import { sharedMcp } from '../../../test/fake-api-server/mcp-processes.ts';
import { readFiles } from '../../../test/test-io.ts';
import { objectsOf } from '../../manifests/made-file.ts';

const reference = sharedMcp();
const legacy = sharedMcp('legacy');
const modern = sharedMcp('modern');

/** A cluster that has been given what the repository says, with this process behind its pods. */
async function applied(t: TestContext, options: ClusterProjectOptions & { readonly backend?: string } = {}) {
  const project = await clusterProject(t, options);
  assert.equal((await project.run(['deploy', 'generate', '--all'])).code, 0);
  const file = 'kubernetes/applications/mcp-servers/proxmox-mcp.yaml';
  const objects = objectsOf(file, (await readFiles(project.root))[file] ?? '') as readonly Json[];
  for (const object of objects) project.fake.put(object, 'kustomize-controller');
  project.fake.state.backendOf = () => options.backend ?? reference.url;
  return { ...project, objects };
}

const spec = (more: string) => ({ files: { 'proxmox/server.yaml': `${proxmox}${more}` } });
const verify = ['deploy', 'verify', 'proxmox'];

test('a server that runs is verified up to its tool list, through its Service', async (t) => {
  const { run, waits } = await applied(
    t,
    spec(
      'verify: { tools: [ArcadeEvalRef_Echo], call: { tool: ArcadeEvalRef_Echo, arguments: { text: hello } } }\n',
    ),
  );
  const { code, out } = await run(verify);
  assert.equal(code, 0, out);
  const told = out
    .split('\n')
    .filter((line) => line.includes('✓'))
    .map((line) => line.trim().split(/\s+/)[1]);
  assert.deepEqual(told, ['applied', 'rollout', 'endpoints', 'mcp', 'tools', 'call']);
  assert.match(
    out,
    /mcp\s+ArcadeEvalRef 1\.0\.0 speaks 2026-07-28 and \S+ \(initialize\), through service-proxy/,
  );
  assert.match(out, /tools\s+3 tools, all 1 expected among them: /);
  assert.match(out, /call\s+hello/);
  assert.ok(waits.length < 30, 'seconds, not minutes');
});

test('both eras are tried and told, whichever the server speaks', async (t) => {
  for (const [backend, said] of [
    [legacy.url, /speaks 2025-\d\d-\d\d \(initialize\), not 2026-07-28/],
    [modern.url, /speaks 2026-07-28, not initialize/],
  ] as const) {
    const { run } = await applied(t, { backend });
    const { code, out } = await run(verify);
    assert.equal(code, 0, out);
    assert.match(out, said);
  }
});

test('ports are forwarded where the way through the Service is not allowed', async (t) => {
  const { fake, run } = await applied(t);
  fake.forbidden.add('create services/proxy');
  const refused = await run(verify);
  assert.equal(refused.code, 1);
  assert.match(refused.out, /✗ mcp .*cannot create resource "services\/proxy"/);
  assert.match(refused.out, /--via port-forward takes another/);
  const forwarded = await run([...verify, '--via', 'port-forward']);
  assert.equal(forwarded.code, 0, forwarded.out);
  fake.state.backendOf = () => null;
  const broken = await run([...verify, '--via', 'port-forward']);
  assert.equal(broken.code, 1);
  assert.match(broken.out, /connection refused/);
});

test('a server with a NodePort is reached through its node, as clients outside reach it', async (t) => {
  const port = Number(new URL(reference.url).port);
  const cluster = { stepsByRequests: true };
  const project = await clusterProject(t, {
    cluster,
    ...spec(`expose: { nodePort: ${port} }\n`),
    conventions: `nodePorts:\n  range: { from: 1024, to: 65535 }\n`,
  });
  project.fake.state.nodePortRange = { from: 1024, to: 65_535 };
  assert.equal((await project.run(['deploy', 'generate', '--all'])).code, 0);
  const file = 'kubernetes/applications/mcp-servers/proxmox-mcp.yaml';
  for (const object of objectsOf(file, (await readFiles(project.root))[file] ?? '')) project.fake.put(object);
  const { code, out } = await project.run(verify);
  assert.equal(code, 0, out);
  assert.match(out, /through node-port/);
});

const troubles = [
  {
    name: 'an image that cannot be pulled',
    make: ({ fake }: Awaited<ReturnType<typeof applied>>) =>
      void fake.state.missingImages.add('ghcr.io/acme/proxmox-mcp:1.4.2'),
    said: /✗ rollout {3}ImagePullBackOff: .*not found\n\s+The image cannot be pulled/,
  },
  {
    name: 'a container that ends at once, with its last lines',
    make: ({ fake }: Awaited<ReturnType<typeof applied>>) =>
      fake.trouble('proxmox-mcp', {
        crash: { exitCode: 3, logs: 'starting\nKeyError: \u001b[31mPROXMOX_URL\n' },
      }),
    said: /✗ rollout {3}CrashLoopBackOff: it ended with exit code 3, 1 times\n[\s\S]*\| KeyError: PROXMOX_URL/,
  },
  {
    name: 'a quota that is used up',
    make: ({ fake }: Awaited<ReturnType<typeof applied>>) =>
      void fake.state.quotas.set(
        'ai-platform',
        'exceeded quota: team, requested: limits.memory=256Mi, used: 1Gi, limited: 1Gi',
      ),
    said: /✗ rollout {3}FailedCreate: .*exceeded quota[\s\S]*quota of the namespace is used up/,
  },
] as const;

for (const { name, make, said } of troubles) {
  test(`${name} is told in seconds`, async (t) => {
    const project = await applied(t);
    make(project);
    const { code, out } = await project.run(verify);
    assert.equal(code, 1);
    assert.match(out, said);
    assert.ok(!out.includes('\u001b'));
    const waitedMs = project.waits.reduce((sum, ms) => sum + ms, 0);
    assert.ok(waitedMs <= 15_000, `${waitedMs}`);
    const json = (await project.run([...verify, '--json'])).json() as Json;
    assert.equal(json.servers[0].passed, false);
    assert.equal(json.servers[0].stages.at(-1).outcome, 'failed');
  });
}

test('a Secret that an operator has yet to make is waited for, but not for long', async (t) => {
  const { fake, run, waits } = await applied(
    t,
    spec('secrets: [{ from: existing, env: { TOKEN: token } }]\n'),
  );
  const { code, out } = await run(verify);
  assert.equal(code, 1);
  assert.match(out, /CreateContainerConfigError: secret "proxmox-mcp-secrets" not found/);
  const waitedMs = waits.reduce((sum, ms) => sum + ms, 0);
  assert.ok(waitedMs >= 20_000 && waitedMs < 40_000, `${waitedMs}`);
  const data = { token: 'eA==' };
  fake.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'proxmox-mcp-secrets', namespace: 'ai-platform' },
    data,
  });
  assert.equal((await run(verify)).code, 0);
});

test('a probe that fails is told when the time is up, with what it said', async (t) => {
  const { fake, run } = await applied(t);
  fake.trouble('proxmox-mcp', { unready: 'HTTP probe failed with statuscode: 404' });
  fake.state.logs.set('proxmox-mcp', 'GET /health 404\n');
  const { code, out } = await run([...verify, '--timeout', '10']);
  assert.equal(code, 1);
  assert.match(
    out,
    /0 available after 1\d s; Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404/,
  );
  assert.match(out, /\| GET \/health 404/);
});

test('what is not in the cluster is named, and a Service that leads nowhere is told', async (t) => {
  const { fake, run, objects } = await applied(t);
  fake.settle();
  const service = structuredClone(objects.find(({ kind }) => kind === 'Service'));
  fake.put({ ...service, spec: { ...service.spec, selector: { app: 'other' } } }, 'kustomize-controller');
  const nowhere = await run(verify);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.out, /✗ endpoints Service proxmox-mcp leads to nothing/);
  fake.remove('NetworkPolicy', 'ai-platform', 'proxmox-mcp');
  const missing = await run(verify);
  assert.match(missing.out, /✗ applied {3}not in agentic: NetworkPolicy ai-platform\/proxmox-mcp/);
});

test('health is not enough: a server without an endpoint, without tools, or without the expected ones fails', async (t) => {
  const plain = createServer((_request, response) =>
    response.writeHead(404).end('<h1>Not Found</h1>'),
  ).listen(0, '127.0.0.1');
  t.after(() => plain.close());
  await once(plain, 'listening');
  const { run, fake, root } = await applied(t, {
    backend: `http://127.0.0.1:${(plain.address() as AddressInfo).port}`,
  });
  const none = await run(verify);
  assert.equal(none.code, 1);
  assert.match(
    none.out,
    /✗ mcp .*answers neither 2026-07-28 nor initialize: HTTP 404: Not Found: there is no MCP endpoint at this path/,
  );
  fake.state.backendOf = () => reference.url;
  await writeFile(join(root, 'proxmox/server.yaml'), `${proxmox}verify: { tools: [Echo, ListVms] }\n`);
  const lacking = await run(verify);
  assert.equal(lacking.code, 1);
  assert.match(lacking.out, /✗ tools .*not listed: Echo, ListVms/);
  await writeFile(
    join(root, 'proxmox/server.yaml'),
    `${proxmox}verify: { call: { tool: ArcadeEvalRef_Whoami } }\n`,
  );
  const failing = await run(verify);
  assert.equal(failing.code, 1);
  assert.match(failing.out, /✗ call/);
});

test('an address alone is verified without a cluster', async (t) => {
  const { run, fake } = await clusterProject(t);
  const { code, out } = await run(['deploy', 'verify', '--url', `${reference.url}/mcp`]);
  assert.equal(code, 0, out);
  assert.match(out, /✓ tools/);
  assert.deepEqual(fake.requests, []);
  const closed = await run(['deploy', 'verify', '--url', 'http://127.0.0.1:1/mcp']);
  assert.equal(closed.code, 1);
  assert.match(closed.out, /✗ mcp .*(ECONNREFUSED|bad port|refused)/i);
  assert.match(
    (await run(['deploy', 'verify', '--url', 'nonsense'])).err,
    /is no address of an MCP endpoint/,
  );
  for (const url of ['http://ann:the-password@127.0.0.1:1/mcp', 'http://ann:the-password@no host/mcp']) {
    const secret = await run(['--json', 'deploy', 'verify', '--url', url]);
    assert.equal(JSON.parse(secret.out).error.code, 'verify.url-invalid');
    assert.ok(!(secret.out + secret.err).includes('the-password'), secret.out);
  }
});

test('a name that is not there is told with those that are', async (t) => {
  const { run } = await clusterProject(t);
  assert.match((await run(['deploy', 'verify', 'proxmx'])).err, /is of proxmx\n.*There are: proxmox/);
});

test('whoever stops it while it waits is told that, and nothing else', async (t) => {
  const { fake, run } = await applied(t);
  fake.trouble('proxmox-mcp', { unready: 'HTTP probe failed with statuscode: 503' });
  const stop = new AbortController();
  const { code, err } = await run(verify, { signal: stop.signal, sleep: async () => stop.abort() });
  assert.equal(code, 1);
  assert.equal(err, 'interrupted\n');
});
