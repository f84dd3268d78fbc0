import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Json } from './json.ts';
import { type FakeCluster, type FakeClusterOptions, startFakeCluster } from './start-fake-cluster.ts';

const deployments = '/apis/apps/v1/namespaces/ai-platform/deployments';
const services = '/api/v1/namespaces/ai-platform/services';

function deployment(labels: Json = { app: 'a' }, template: Json = labels): Json {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', namespace: 'ai-platform' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels: template }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
    },
  };
}

function service(selector: Json = { app: 'a' }, port: Json = {}, name = 'a'): Json {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'ai-platform' },
    spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080, ...port }] },
  };
}

type Asking = (
  method: string,
  path: string,
  body?: Json,
  contentType?: string,
) => Promise<{ code: number; body: Json }>;

async function start(
  t: TestContext,
  options: FakeClusterOptions = {},
): Promise<{ cluster: FakeCluster; ask: Asking }> {
  const cluster = await startFakeCluster(t, { stepsByRequests: false, ...options });
  const authorization = `Bearer ${JSON.parse(cluster.kubeconfig()).users[0].user.token}`;
  const ask: Asking = async (method, path, body, contentType = 'application/json') => {
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': contentType }) };
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(`${cluster.url}${path}`, { method, headers, body: text });
    return { code: response.status, body: await response.json() };
  };
  return { cluster, ask };
}

const apply = 'application/apply-patch+yaml';

test('what another manager applied is a conflict that names it, and force takes it over', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put({ ...deployment(), spec: { ...deployment().spec, replicas: 2 } }, 'kustomize-controller');
  const mine = { ...deployment(), spec: { ...deployment().spec, replicas: 3 } };

  const refused = await ask('PATCH', `${deployments}/a?fieldManager=me`, mine, apply);
  assert.equal(refused.code, 409);
  assert.match(
    refused.body.message,
    /conflict with "kustomize-controller" using apps\/v1: \.spec\.replicas$/,
  );
  assert.equal(refused.body.details.causes[0].field, '.spec.replicas');

  const forced = await ask('PATCH', `${deployments}/a?fieldManager=me&force=true`, mine, apply);
  assert.equal(forced.body.spec.replicas, 3);
  const theirs = forced.body.metadata.managedFields.find(
    (entry: Json) => entry.manager === 'kustomize-controller',
  );
  assert.equal(theirs.fieldsV1['f:spec']['f:replicas'], undefined);
});

test('a field that its only manager applies no longer is gone; one that another has, too, stays', async (t) => {
  const { cluster, ask } = await start(t);
  const named = (env: Json[]) => {
    const object = deployment();
    object.spec.template.spec.containers[0].env = env;
    return object;
  };
  cluster.put(named([{ name: 'SHARED', value: '1' }]), 'other');
  const both = [
    { name: 'SHARED', value: '1' },
    { name: 'MINE', value: '2' },
  ];
  await ask('PATCH', `${deployments}/a?fieldManager=me`, named(both), apply);
  const { body } = await ask('PATCH', `${deployments}/a?fieldManager=me`, named([]), apply);
  assert.deepEqual(body.spec.template.spec.containers[0].env, [{ name: 'SHARED', value: '1' }]);
});

test('a dry run answers what would be and changes nothing', async (t) => {
  const { cluster, ask } = await start(t);
  const { code, body } = await ask(
    'PATCH',
    `${deployments}/a?fieldManager=me&dryRun=All`,
    deployment(),
    apply,
  );
  assert.equal(code, 201);
  assert.equal(body.spec.progressDeadlineSeconds, 600);
  assert.equal(cluster.get('Deployment', 'ai-platform', 'a'), null);
});

test('a selector is immutable, and must match the template', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put(deployment());
  const mismatched = await ask('POST', deployments, {
    ...deployment({ app: 'a' }, {}),
    metadata: { name: 'b' },
  });
  assert.match(mismatched.body.message, /`selector` does not match template `labels`/);
  const changed = await ask(
    'PATCH',
    `${deployments}/a?fieldManager=kubectl`,
    deployment({ app: 'b' }),
    apply,
  );
  assert.equal(changed.code, 422);
  assert.match(
    changed.body.message,
    /^Deployment\.apps "a" is invalid: spec\.selector: .*field is immutable$/,
  );
});

test('node ports are given out from above the static band, and one that is taken is refused', async (t) => {
  const { ask } = await start(t);
  const nodePort = (name: string, port: Json = {}) => {
    const object = service({ app: name }, port, name);
    object.spec.type = 'NodePort';
    return object;
  };
  const first = await ask('POST', services, nodePort('a'));
  assert.equal(first.body.spec.ports[0].nodePort, 30_086);
  await ask('POST', services, nodePort('b', { nodePort: 31_180 }));
  const taken = await ask('POST', services, nodePort('c', { nodePort: 31_180 }));
  assert.equal(
    taken.body.message,
    'Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 31180: provided port is already allocated',
  );
  const outside = await ask('POST', services, nodePort('d', { nodePort: 80 }));
  assert.match(outside.body.message, /provided port is not in the valid range/);
});

test('controllers go step by step from a Deployment to ready endpoints', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put(service());
  cluster.put(deployment());
  const status = async () => (await ask('GET', `${deployments}/a`)).body.status;
  assert.equal(await status(), undefined);
  cluster.step();
  assert.equal((await status()).availableReplicas, 0);
  cluster.settle();
  assert.equal((await status()).availableReplicas, 1);
  assert.equal(cluster.endpointHistory('ai-platform', 'a').at(-1), 1);

  const changed = deployment();
  changed.spec.template.spec.containers[0].image = 'a:2';
  cluster.put(changed);
  cluster.settle();
  assert.deepEqual(
    cluster.list('Pod').map((pod) => pod.spec.containers[0].image),
    ['a:2'],
  );
  assert.ok(!cluster.endpointHistory('ai-platform', 'a').slice(-4).includes(0), 'maxUnavailable 0');
});

test('a relabelling in place is the outage it is: the Service moves, the Deployment does not', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put(service());
  cluster.put(deployment());
  cluster.settle();
  const path = `${deployments}/a?fieldManager=kubectl`;
  assert.equal((await ask('PATCH', path, deployment({ name: 'a' }), apply)).code, 422);
  cluster.put(service({ name: 'a' }));
  assert.equal(cluster.endpointHistory('ai-platform', 'a').at(-1), 0);
});

test('a Deployment that is deleted with cascade=orphan leaves Pods, which the next one with both labels adopts', async (t) => {
  const { cluster, ask } = await start(t);
  const both = { app: 'a', name: 'a' };
  cluster.put(deployment({ app: 'a' }, both));
  cluster.settle();
  const pods = () => cluster.list('Pod').map(({ metadata }) => metadata.uid);
  const before = pods();
  await ask('DELETE', `${deployments}/a`, { propagationPolicy: 'Orphan' });
  cluster.settle();
  assert.deepEqual(pods(), before);
  cluster.put(deployment({ name: 'a' }, both));
  cluster.settle();
  assert.deepEqual(pods(), before);
  await ask('DELETE', `${deployments}/a`);
  assert.deepEqual(pods(), []);
});

test('trouble of Pods is told as kubelets tell it', async (t) => {
  const { cluster, ask } = await start(t);
  const reason = () => cluster.list('Pod')[0].status.containerStatuses[0].state.waiting?.reason;
  cluster.state.missingImages.add('a:1');
  cluster.put(deployment());
  cluster.settle();
  assert.equal(reason(), 'ImagePullBackOff');
  cluster.state.missingImages.clear();
  cluster.trouble('a', { crash: { exitCode: 1, logs: 'one\nTraceback\n' } });
  cluster.settle();
  assert.equal(reason(), 'CrashLoopBackOff');
  const pod = cluster.list('Pod')[0].metadata.name;
  const url = `${cluster.url}/api/v1/namespaces/ai-platform/pods/${pod}/log?tailLines=1`;
  const authorization = `Bearer ${JSON.parse(cluster.kubeconfig()).users[0].user.token}`;
  assert.equal(await (await fetch(url, { headers: { authorization } })).text(), 'Traceback\n');
  cluster.trouble('a', null);
  cluster.settle();
  assert.equal(reason(), undefined);

  const secretive = deployment();
  const secretKeyRef = { name: 'keys', key: 'k' };
  secretive.spec.template.spec.containers[0].env = [{ name: 'K', valueFrom: { secretKeyRef } }];
  cluster.put({ ...secretive, metadata: { ...secretive.metadata, name: 'b' } });
  cluster.settle();
  const { body } = await ask('GET', '/api/v1/namespaces/ai-platform/events?fieldSelector=type=Warning');
  assert.ok(body.items.some(({ message }: Json) => message === 'Error: secret "keys" not found'));
});

test('a watch starts with what there is, goes on with what comes, and is told when it asks for too old a state', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put(service());
  const authorization = `Bearer ${JSON.parse(cluster.kubeconfig()).users[0].user.token}`;
  const query = 'watch=true&sendInitialEvents=true&allowWatchBookmarks=true';
  const response = await fetch(`${cluster.url}${services}?${query}`, { headers: { authorization } });
  const lines = response.body?.pipeThrough(new TextDecoderStream()).values() as AsyncIterator<string>;
  let pending = '';
  const next = async (): Promise<Json> => {
    while (!pending.includes('\n')) pending += (await lines.next()).value;
    const at = pending.indexOf('\n');
    const line = pending.slice(0, at);
    pending = pending.slice(at + 1);
    return JSON.parse(line);
  };
  assert.equal((await next()).type, 'ADDED');
  assert.equal((await next()).object.metadata.annotations['k8s.io/initial-events-end'], 'true');
  cluster.put(service({ app: 'b' }));
  assert.equal((await next()).object.spec.selector.app, 'b');
  cluster.cutWatches();
  await assert.rejects(next);
  cluster.forget();
  assert.equal((await ask('GET', `${services}?watch=true&resourceVersion=1`)).code, 410);
});

test('a Service is a way to the process behind it, which does not see the token of the cluster', async (t) => {
  const { cluster, ask } = await start(t);
  const seen: (string | undefined)[] = [];
  const backend = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(JSON.stringify({ path: request.url }));
  }).listen(0, '127.0.0.1');
  t.after(() => backend.close());
  await new Promise((resolve) => backend.once('listening', resolve));
  cluster.state.backendOf = () => `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  cluster.put(service());
  const path = `${services}/http:a:http/proxy/mcp?x=1`;
  assert.equal((await ask('GET', path)).body.message, 'no endpoints available for service "a"');
  cluster.put(deployment());
  cluster.settle();
  assert.deepEqual((await ask('GET', path)).body, { path: '/mcp?x=1' });
  assert.deepEqual(seen, [undefined]);
  backend.closeAllConnections();
});

test('patches of each kind do what they say', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.put(deployment());
  const patch = async (body: Json, type: string) =>
    (await ask('PATCH', `${deployments}/a`, body, `application/${type}`)).body;
  const containers = [{ name: 'a', env: [{ name: 'X', value: '1' }] }];
  const strategic = await patch(
    { spec: { template: { spec: { containers } } } },
    'strategic-merge-patch+json',
  );
  assert.equal(strategic.spec.template.spec.containers[0].image, 'a:1');
  const merged = await patch({ metadata: { labels: { a: 'b' } } }, 'merge-patch+json');
  assert.deepEqual(merged.metadata.labels, { a: 'b' });
  const operations = [{ op: 'remove', path: '/metadata/labels/a' }];
  const plain = await patch(operations, 'json-patch+json');
  assert.deepEqual(plain.metadata.labels, {});
  assert.equal((await ask('PATCH', `${deployments}/a`, {}, 'application/vnd.kubernetes.protobuf')).code, 415);
});

test('who has no token or no right is told so, as the server words it', async (t) => {
  const { cluster, ask } = await start(t);
  assert.equal((await fetch(`${cluster.url}${services}`)).status, 401);
  cluster.forbidden.add('patch deployments');
  const { code, body } = await ask('PATCH', `${deployments}/a?fieldManager=me`, deployment(), apply);
  assert.equal(code, 403);
  assert.equal(
    body.message,
    'deployments.apps "a" is forbidden: User "jane@example.com" cannot patch resource "deployments" in API group "apps" in the namespace "ai-platform"',
  );
});

test('faults happen as often as a test wants', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.faults.push(
    {
      on: ({ path }) => path === services,
      times: 1,
      code: 429,
      reason: 'TooManyRequests',
      headers: { 'retry-after': '1' },
    },
    { on: ({ method }) => method === 'POST', times: 1, cut: 'after' },
  );
  assert.equal((await ask('GET', services)).code, 429);
  assert.equal((await ask('GET', services)).code, 200);
  await assert.rejects(ask('POST', services, service()));
  assert.notEqual(cluster.get('Service', 'ai-platform', 'a'), null);
});
