import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { kubernetesTools, noKubernetesTools } from '../kubernetes-tools.ts';
import { tempFolder } from '../test-io.ts';
import { type FakeClusterOptions, startFakeCluster } from './start-fake-cluster.ts';

const skip = { skip: noKubernetesTools, timeout: 120_000 };
let kubectl = '';
before(async () => {
  if (noKubernetesTools === false) ({ kubectl } = await kubernetesTools());
});

const manifest = (image: string, replicas = 1): string => `apiVersion: v1
kind: Service
metadata: { name: a, namespace: ai-platform }
spec:
  selector: { app: a }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: a, namespace: ai-platform }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: a } }
  template:
    metadata: { labels: { app: a } }
    spec:
      containers: [{ name: a, image: "${image}" }]
`;

async function start(t: TestContext, options?: FakeClusterOptions) {
  // kubectl sends tokens over HTTPS only.
  const fake = await startFakeCluster(t, { tls: true, ...options });
  const root = await tempFolder(t, {
    kubeconfig: fake.kubeconfig(),
    'one.yaml': manifest('a:1'),
    'two.yaml': manifest('a:2', 2),
  });
  const env = { ...process.env, KUBECONFIG: join(root, 'kubeconfig'), HOME: root };
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const child = execFile(
        kubectl,
        ['-n', 'ai-platform', ...args],
        { env, cwd: root },
        (_error, out, err) => resolve({ code: child.exitCode ?? 1, out, err }),
      );
    });
  const ok = async (...args: string[]) => {
    const { code, out, err } = await run(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  };
  return { fake, root, env, run, ok };
}

test('kubectl applies, compares, waits for and removes what the fake keeps', skip, async (t) => {
  const { fake, run, ok } = await start(t);
  assert.match(await ok('apply', '--validate=false', '-f', 'one.yaml'), /deployment\.apps\/a created/);
  assert.match(await ok('rollout', 'status', 'deployment/a', '--timeout=60s'), /successfully rolled out/);
  assert.equal((await run('diff', '-f', 'one.yaml')).code, 0);
  const changed = await run('diff', '-f', 'two.yaml');
  assert.equal(changed.code, 1);
  assert.match(changed.out, /\+ +- image: a:2/);
  assert.match(await ok('apply', '--validate=false', '-f', 'two.yaml'), /configured/);
  assert.match(await ok('rollout', 'status', 'deployment/a', '--timeout=60s'), /successfully rolled out/);
  assert.equal(fake.list('Pod').length, 2);
  assert.match(await ok('get', 'pods,svc,endpointslices', '-o', 'name'), /pod\/a-[\s\S]*service\/a/);
  fake.state.logs.set('a', 'hello\n');
  assert.equal(await ok('logs', 'deployment/a', '--tail=1'), 'hello\n');
  await ok('delete', 'deployment', 'a', '--cascade=orphan');
  assert.equal(fake.list('Pod').length, 2);
  await ok('delete', '-f', 'one.yaml', '--ignore-not-found');
});

test(
  'kubectl is told of conflicts, immutable selectors and taken ports as by a real server',
  skip,
  async (t) => {
    const { fake, run, ok } = await start(t);
    fake.put(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a', namespace: 'ai-platform' },
        spec: {
          replicas: 5,
          selector: { matchLabels: { app: 'a' } },
          template: {
            metadata: { labels: { app: 'a' } },
            spec: { containers: [{ name: 'a', image: 'a:1' }] },
          },
        },
      },
      'flux',
    );
    const conflict = await run('apply', '--server-side', '--validate=false', '-f', 'one.yaml');
    assert.equal(conflict.code, 1);
    assert.match(conflict.err, /conflict with "flux"[\s\S]*\.spec\.replicas[\s\S]*--force-conflicts/);
    await ok('apply', '--server-side', '--force-conflicts', '--validate=false', '-f', 'one.yaml');
    const patch =
      '{"spec":{"selector":{"matchLabels":{"app":"b"}},"template":{"metadata":{"labels":{"app":"b"}}}}}';
    const immutable = await run('patch', 'deployment', 'a', '-p', patch);
    assert.match(immutable.err, /field is immutable/);
    await ok(
      'patch',
      'service',
      'a',
      '-p',
      '{"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":31180}]}}',
    );
    const second = await run(
      'create',
      'service',
      'nodeport',
      'b',
      '--tcp=80',
      '--node-port=31180',
      '--validate=false',
    );
    assert.notEqual(second.code, 0);
    assert.match(second.err, /already allocated|unknown format/);
  },
);

test('kubectl waits by a watch that goes on after it was cut', skip, async (t) => {
  const { fake, env, root, ok } = await start(t, { stepsByRequests: false });
  await ok('apply', '--validate=false', '-f', 'one.yaml');
  const child = spawn(
    kubectl,
    ['-n', 'ai-platform', 'wait', 'deployment/a', '--for=condition=Available', '--timeout=60s'],
    { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'exit');
  while (!fake.requests.some(({ query }) => query.has('watch')))
    await new Promise((resolve) => setImmediate(resolve));
  fake.step();
  fake.cutWatches();
  fake.settle();
  assert.deepEqual(await ended, [0, null]);
});
