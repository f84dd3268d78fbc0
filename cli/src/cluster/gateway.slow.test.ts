import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { clusterProject, proxmox } from '../../test/fake-api-server/cluster-project.ts';
import { startFakeCluster } from '../../test/fake-api-server/start-fake-cluster.ts';
import { startReference, startSallyport, type TestSallyport } from '../../test/sallyport.ts';
import { writeFiles } from '../../test/test-io.ts';

let reference: Awaited<ReturnType<typeof startReference>>;
let sallyport: TestSallyport;
before(async () => {
  reference = await startReference('a_secret_of_this_worker');
  sallyport = await startSallyport({ SALLYPORT_EGRESS_ALLOW: '127.0.0.0/8' });
  for (const slug of ['people', 'empty']) {
    const tool_filter = { allowed_tools: slug === 'empty' ? ['docs.*'] : ['proxmox.*'] };
    await sallyport.ask('POST', '/v1/gateways', { name: slug, slug, tool_filter });
  }
});
after(async () => {
  await sallyport.stop();
  await reference.stop();
});

async function applied(t: TestContext, gateways: string) {
  const project = await clusterProject(t, {
    files: { 'proxmox/server.yaml': `${proxmox}register: { gateways: [${gateways}] }\n` },
    conventions: `gateway: { url: "${sallyport.url}" }\n`,
  });
  project.fake.state.backendOf = () => reference.url;
  const withKey = { env: { SALLYPORT_API_KEY: sallyport.key, SALLYPORT_URL: sallyport.url } };
  const first = await project.run(['deploy', 'apply', 'proxmox', '--yes']);
  assert.match(first.out, /✓ tools/);
  return { ...project, first, withKey };
}

const verify = ['deploy', 'verify', 'proxmox'];

test('the last stage is a client of the gateway: it needs a key, the source, and the tools to be shown there', async (t) => {
  const { root, run, first, withKey } = await applied(t, 'people');
  assert.match(first.out, /- gateway .*(sign|signed)/i, 'without a key it is passed over, and said');
  assert.equal(first.code, 0);
  const early = await run(verify, withKey);
  assert.equal(early.code, 1);
  assert.match(early.out, /✗ gateway .*the gateway people lists \d+ tools, without ArcadeEvalRef_/);
  assert.match(early.out, /sallyport register adds the server to it/);
  const uri = `${reference.url}/mcp`;
  await sallyport.ask('POST', '/v1/workers', { id: 'proxmox', type: 'mcp', mcp: { uri } });
  const { code, out } = await run(verify, withKey);
  assert.equal(code, 0, out);
  assert.match(out, /✓ gateway .*its tools are in people \(\d+ tools\)/);
  assert.ok(!out.includes(sallyport.key));

  await writeFiles(root, { 'proxmox/server.yaml': `${proxmox}register: { gateways: [nowhere] }\n` });
  const unknown = await run(verify, withKey);
  assert.equal(unknown.code, 1);
  assert.match(unknown.out, /✗ gateway .*nowhere/);
});

test('tools are its own by the name of its source: alone, cut where it is too long, or left out by the gateway', async (t) => {
  const long = 'a-source-whose-name-leaves-no-room-for-those-of-its-tools';
  const { root, run, withKey } = await applied(t, 'likewise');
  const uri = `${reference.url}/mcp`;
  const register = (id: string) => sallyport.ask('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri } });
  const gateway = (slug: string, id: string, more = {}) =>
    sallyport.ask('POST', '/v1/gateways', {
      name: slug,
      slug,
      tool_filter: { allowed_tools: [`${id}.*`] },
      ...more,
    });
  await register('not-proxmox');
  await gateway('likewise', 'not-proxmox');
  const others = await run(verify, withKey);
  assert.equal(others.code, 1, others.out);
  assert.match(others.out, /✗ gateway .*the gateway likewise lists \d+ tools, without ArcadeEvalRef_/);

  await register(long);
  await gateway('cut', long);
  await gateway('plain', long, { naming: 'source' });
  await writeFiles(root, {
    'proxmox/server.yaml': `${proxmox}register: { id: ${long}, gateways: [cut, plain] }\n`,
  });
  const own = await run(verify, withKey);
  assert.equal(own.code, 0, own.out);
  assert.match(own.out, /✓ gateway .*its tools are in cut \(\d+ tools\), plain \(\d+ tools\)/);
});

test('behind a gateway that presents the hub, its tools are asked for', async (t) => {
  const { root, run, withKey } = await applied(t, 'front');
  const uri = `${reference.url}/mcp`;
  await sallyport.ask('POST', '/v1/workers', { id: 'behind', type: 'mcp', mcp: { uri } });
  const register = (slug: string) =>
    writeFiles(root, { 'proxmox/server.yaml': `${proxmox}register: { id: behind, gateways: [${slug}] }\n` });
  const gateway = (slug: string, tools: string) =>
    sallyport.ask('POST', '/v1/gateways', {
      ...{ name: slug, slug, presentation: 'hub', tool_filter: { allowed_tools: [tools] } },
    });
  await gateway('front', 'behind.*');
  await register('front');
  const there = await run(verify, withKey);
  assert.equal(there.code, 0, there.out);
  assert.match(there.out, /✓ gateway .*its tools are in front \(the hub\)/);

  await gateway('part', 'behind.ArcadeEvalRef_Whoami');
  await register('part');
  const part = await run(verify, withKey);
  assert.equal(part.code, 1, part.out);
  assert.match(part.out, /✗ gateway .*the gateway part lists \d+ tools, without ArcadeEvalRef_(?!Whoami)/);
});

test('a key of the environment goes only to the Sallyport that the environment names', async (t) => {
  const { run } = await applied(t, 'people');
  const env = { SALLYPORT_API_KEY: 'sp_a_key_of_another_place', SALLYPORT_URL: 'https://another.example' };
  const { code, out } = await run(verify, { env });
  assert.equal(code, 0, out);
  assert.match(out, /- gateway .*SALLYPORT_URL is not http/);
  const unnamed = await run(verify, { env: { SALLYPORT_API_KEY: 'sp_a_key_of_another_place' } });
  assert.equal(unnamed.code, 1);
  assert.match(unnamed.out, /✗ gateway .*SALLYPORT_API_KEY is not sent to http.*\n.*SALLYPORT_URL=http/);
});

test('a server that moves is registered at its new address only when it answers there', async (t) => {
  const prod = await startFakeCluster(t, { uid: 'uid-of-prod' });
  const { root, fake, run } = await clusterProject(t, {
    files: { 'proxmox/server.yaml': `${proxmox}register: { id: moving }\n` },
    conventions: `gateway: { url: "${sallyport.url}" }\n`,
  });
  const labels = { app: 'proxmox-mcp' };
  const metadata = { name: 'proxmox-mcp', namespace: 'ai-platform', labels };
  const containers = [{ name: 'proxmox-mcp', image: 'ghcr.io/acme/proxmox-mcp:1.4.2' }];
  const template = { metadata: { labels }, spec: { containers } };
  prod.put({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: labels }, template },
  });
  prod.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: labels, ports: [{ port: 3000 }] },
  });
  prod.settle();
  prod.state.backendOf = () => reference.url;
  fake.state.backendOf = () => null;
  await writeFiles(root, { prod: prod.kubeconfig('prod').replaceAll('"jane"', '"jane-prod"') });
  const env = {
    KUBECONFIG: `${join(root, 'kubeconfig')}:${join(root, 'prod')}`,
    SALLYPORT_API_KEY: sallyport.key,
    SALLYPORT_URL: sallyport.url,
  };
  const uri = `${reference.url}/mcp`;
  await sallyport.ask('POST', '/v1/workers', { id: 'moving', type: 'mcp', mcp: { uri } });
  const registered = async () =>
    (await sallyport.ask('GET', '/v1/workers/moving')) as { mcp: { uri: string } };

  const migrate = ['deploy', 'migrate', 'proxmox', 'cluster', '--yes', '--old-is-quiet'];
  assert.equal((await run([...migrate, '--from', 'prod'], { env })).code, 1);
  assert.equal((await registered()).mcp.uri, uri, 'while the new one does not answer');
  fake.state.backendOf = () => reference.url;
  const withoutKey = await run([...migrate, '--continue'], { env: { KUBECONFIG: env.KUBECONFIG } });
  assert.equal(withoutKey.code, 1);
  assert.match(withoutKey.out, /✗ switch .*could not be registered at its new address/);
  const { code, out, err } = await run([...migrate, '--continue'], { env });
  assert.equal(code, 0, out + err);
  assert.equal((await registered()).mcp.uri, 'http://proxmox-mcp.ai-platform.svc.cluster.local:3000/mcp');
  assert.equal(prod.get('Deployment', 'ai-platform', 'proxmox-mcp'), null);
});
