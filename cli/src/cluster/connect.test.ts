import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type FakeClusterOptions, startFakeCluster } from '../../test/fake-api-server/start-fake-cluster.ts';
import { tempFolder, testIo, writeFiles } from '../../test/test-io.ts';
import { CommandError } from '../command-error.ts';
import { type Conventions, conventions as schema } from '../spec/conventions.ts';
import { connectCluster, type Purpose } from './connect.ts';

const uid = '11111111-2222-4333-8444-555555555555';
const conventionsWith = (clusters: object): { conventions: Conventions } => ({
  conventions: schema.parse({ clusters }),
});
const pinned = conventionsWith({ agentic: { allowed: true, uid }, prod: { uid: 'of-prod' } });

async function start(t: TestContext, options: FakeClusterOptions = {}) {
  const fake = await startFakeCluster(t, { uid, ...options });
  const folder = await tempFolder(t, { kubeconfig: fake.kubeconfig() });
  const waits: number[] = [];
  const io = testIo(folder, {
    env: { KUBECONFIG: join(folder, 'kubeconfig') },
    sleep: async (ms) => void waits.push(ms),
  });
  const connect = async (project = pinned, purpose: Purpose = 'deploy', given = {}) => {
    const cluster = await connectCluster(io, project, purpose, { timeoutMs: 2000, ...given });
    t.after(() => cluster.close());
    return cluster;
  };
  return { fake, folder, io, connect, waits };
}

async function refusal(act: () => Promise<unknown>): Promise<CommandError> {
  const error = await act().then(
    () => null,
    (caught: unknown) => caught,
  );
  if (error instanceof CommandError) return error;
  throw new Error(`nothing was refused as it is to be: ${error}`, { cause: error });
}

test('a cluster is what its uid says, over HTTPS with the certificate of the kubeconfig', async (t) => {
  const { connect } = await start(t, { tls: true });
  assert.equal((await connect()).uid, uid);
});

test('a context that leads to another cluster is refused before anything is written', async (t) => {
  const { fake, connect } = await start(t, { uid: 'of-prod' });
  const { code, message } = await refusal(() => connect());
  assert.equal(code, 'cluster.wrong');
  assert.match(message, /^The context agentic leads to prod, not to agentic$/);
  assert.deepEqual(
    fake.requests.map(({ method }) => method),
    ['GET'],
  );
});

test('a cluster that is not pinned is read, but not written; the words to pin it are told', async (t) => {
  const { connect } = await start(t);
  const unpinned = conventionsWith({ agentic: { allowed: true } });
  await connect(unpinned, 'read');
  const { code, details } = await refusal(() => connect(unpinned));
  assert.equal(code, 'cluster.not-pinned');
  assert.match(details[0] ?? '', new RegExp(`clusters: \\{ agentic: \\{ uid: ${uid} \\} \\}`));
});

test('servers are not put into a cluster that is not allowed, and nothing is asked of it', async (t) => {
  const { fake, connect } = await start(t);
  const { code } = await refusal(() => connect(pinned, 'deploy', { cluster: 'prod' }));
  assert.equal(code, 'cluster.not-allowed');
  assert.deepEqual(fake.requests, []);
});

test('what is wrong with the kubeconfig is told without what is in it', async (t) => {
  const { folder, io, connect } = await start(t);
  const expectCode = async (given: object, code: string, said: RegExp) => {
    const error = await refusal(() => connect(pinned, 'read', given));
    assert.equal(error.code, code);
    assert.match([error.message, ...error.details].join('\n'), said);
  };
  await writeFiles(folder, {
    broken: 'users:\n- name: x\n  user: {token: secret-token\n',
    empty: 'apiVersion: v1\nkind: Config\n',
    plain: JSON.stringify({
      clusters: [{ name: 'a', cluster: { server: 'http://10.0.0.1' } }],
      contexts: [{ name: 'agentic', context: { cluster: 'a', user: 'u' } }],
    }),
  });
  await expectCode({ context: 'nope' }, 'cluster.unknown-context', /--context names[\s\S]*agentic/);
  await expectCode({ cluster: 'nope' }, 'cluster.unknown', /There are: agentic, prod/);
  await expectCode({ kubeconfig: 'gone' }, 'cluster.no-kubeconfig', /Looked for .*gone/);
  await expectCode({ kubeconfig: 'empty' }, 'cluster.no-context', /There are: none/);
  await expectCode({ kubeconfig: 'plain' }, 'cluster.plain-http', /HTTPS only/);
  const broken = await refusal(() => connect(pinned, 'read', { kubeconfig: 'broken' }));
  assert.equal(broken.code, 'cluster.kubeconfig-invalid');
  assert.ok(!JSON.stringify([broken.message, broken.details]).includes('secret-token'));
  const none = await refusal(() => connectCluster({ ...io, env: {} }, pinned, 'read'));
  assert.equal(none.code, 'cluster.no-kubeconfig');
});

test('several kubeconfig files are one, as for kubectl', async (t) => {
  const { fake, folder, io } = await start(t);
  await writeFiles(folder, { second: fake.kubeconfig('other'), first: fake.kubeconfig('agentic', 'wrong') });
  const env = {
    KUBECONFIG: [join(folder, 'kubeconfig'), join(folder, 'first'), join(folder, 'second')].join(':'),
  };
  for (const context of ['agentic', 'other']) {
    const cluster = await connectCluster({ ...io, env }, pinned, 'read', { context });
    await cluster.close();
  }
});

test('an address where nobody answers is told with the address', async (t) => {
  const { fake, folder, connect } = await start(t);
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await writeFiles(folder, {
    kubeconfig: fake.kubeconfig().replaceAll(new URL(fake.url).port, String(port)),
  });
  const { code, message } = await refusal(() => connect());
  assert.equal(code, 'cluster.unreachable');
  assert.match(message, new RegExp(`cannot be reached at http://127\\.0\\.0\\.1:${port}: `));
});

test('an API server that never answers is given up in time', async (t) => {
  const { fake, connect } = await start(t);
  fake.faults.push({ on: () => true, hang: true });
  const { code } = await refusal(() => connect(pinned, 'read', { timeoutMs: 50 }));
  assert.equal(code, 'cluster.timeout');
});

test('a certificate that nobody vouches for is told as that', async (t) => {
  const { fake, folder, connect } = await start(t, { tls: true });
  const config = JSON.parse(fake.kubeconfig());
  delete config.clusters[0].cluster['certificate-authority-data'];
  await writeFiles(folder, { kubeconfig: JSON.stringify(config) });
  assert.equal((await refusal(() => connect())).code, 'cluster.certificate');
});

test('a token that is not valid, and a right that is missing, are told with what to do', async (t) => {
  const { fake, folder, connect } = await start(t);
  fake.forbidden.add('get namespaces');
  const forbidden = await refusal(() => connect());
  assert.equal(forbidden.code, 'cluster.forbidden');
  assert.match(forbidden.details[0] ?? '', /lacks the verb "get" on namespaces/);
  await writeFiles(folder, { kubeconfig: fake.kubeconfig('agentic', 'token-of-somebody-else') });
  const unknown = await refusal(() => connect());
  assert.equal(unknown.code, 'cluster.unauthorized');
  assert.ok(!unknown.message.includes('token-of-somebody-else'));
});

test('what is busy or broken off is asked again, after as long as the server wants', async (t) => {
  const { fake, connect, waits } = await start(t);
  fake.faults.push(
    { on: () => true, times: 1, code: 429, reason: 'TooManyRequests', headers: { 'retry-after': '7' } },
    { on: () => true, times: 1, cut: true },
    { on: () => true, times: 1, code: 503, reason: 'ServiceUnavailable' },
  );
  await connect();
  assert.deepEqual(waits, [7000, 1000, 2000]);
  fake.faults.push({ on: () => true, code: 500, message: 'etcdserver: leader changed' });
  assert.match((await refusal(() => connect())).message, /^agentic says: etcdserver: leader changed$/);
});

test('an object is removed only if it is the one that was read', async (t) => {
  const { fake, connect } = await start(t);
  const cluster = await connect();
  const metadata = { name: 'a', namespace: 'ai-platform' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  fake.put(object);
  const read = await cluster.get(object);
  assert.ok(read !== null);
  fake.remove('ConfigMap', 'ai-platform', 'a');
  fake.put(object);
  assert.equal((await refusal(() => cluster.remove(read, 'Background'))).code, 'cluster.conflict');
  assert.notEqual(fake.get('ConfigMap', 'ai-platform', 'a'), null);
});

test('a kind that the cluster does not know is no object, and cannot be applied', async (t) => {
  const { connect } = await start(t, { customKinds: [] });
  const cluster = await connect();
  const sealed = {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name: 'a', namespace: 'x' },
  };
  assert.equal(await cluster.get(sealed), null);
  assert.deepEqual(await cluster.list(sealed), []);
  assert.equal((await refusal(() => cluster.apply(sealed))).code, 'cluster.unknown-kind');
});
