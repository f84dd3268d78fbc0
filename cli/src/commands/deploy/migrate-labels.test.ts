import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterProject } from '../../../test/fake-api-server/cluster-project.ts';
import type { Json } from '../../../test/fake-api-server/json.ts';
import {
  legacyServer,
  namespace,
  convention as wanted,
} from '../../../test/fake-api-server/legacy-server.ts';
import { sharedMcp } from '../../../test/fake-api-server/mcp-processes.ts';

const reference = sharedMcp();

const migrate = ['deploy', 'migrate', 'proxmox', 'labels', '--yes'];
test('the labels change, and the Service has an endpoint at every moment', async (t) => {
  const { fake, run, neverEmpty } = await legacyServer(t, reference.url);
  const { code, out, err } = await run(migrate);
  assert.equal(code, 0, out + err);
  neverEmpty();
  const deployment = fake.get('Deployment', namespace, 'proxmox-mcp');
  assert.deepEqual(deployment.spec.selector.matchLabels, wanted);
  assert.equal(deployment.spec.template.metadata.labels.app, undefined);
  assert.equal(
    deployment.spec.template.spec.containers.find(({ env }: Json) =>
      env?.some(({ name }: Json) => name === 'OLD'),
    ),
    undefined,
  );
  assert.deepEqual(fake.get('Service', namespace, 'proxmox-mcp').spec.selector, wanted);
  assert.deepEqual(
    fake
      .list('ReplicaSet', namespace)
      .filter(({ metadata: own }) => own.ownerReferences === undefined || own.ownerReferences.length === 0),
    [],
  );
  assert.match(out, /✓ tools/);
  assert.equal((await run(['deploy', 'diff', '--live'])).code, 0);
});

test('pods that both Deployments fit are adopted: only the two rollouts start any', async (t) => {
  const { fake, run } = await legacyServer(t, reference.url);
  await run(migrate);
  const containers = fake.state.store.changes.flatMap(({ kind, object }) =>
    kind.kind === 'Pod' ? [object.spec.containers.length] : [],
  );
  assert.deepEqual([...new Set(containers)], [1], 'never with the containers of both manifests');
  const started = fake.state.store.changes.filter(
    ({ kind, type }) => kind.kind === 'Pod' && type === 'ADDED',
  );
  assert.equal(started.length, 3, 'the one of before, one with both labels, one with the new');
});

test('a dry run shows the steps and changes nothing; once done, there is nothing left to do', async (t) => {
  const { run, writes } = await legacyServer(t, reference.url);
  const shown = await run(['deploy', 'migrate', 'proxmox', 'labels', '--dry-run']);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /→ 1\/4 the pods get the new labels/);
  assert.deepEqual(writes(), []);
  assert.equal((await run(migrate)).code, 0);
  const again = await run(['deploy', 'migrate', 'proxmox', 'labels']);
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /has the labels of the convention already/);
});

test('a new pod that does not start ends it with the old ones still answering, and it goes on once that is mended', async (t) => {
  const { fake, run, neverEmpty } = await legacyServer(t, reference.url);
  fake.state.quotas.set(namespace, 'exceeded quota: team');
  const { code, err } = await run(migrate);
  assert.equal(code, 1);
  assert.match(err, /The new pods do not start: FailedCreate[\s\S]*The pods of before go on answering/);
  neverEmpty();
  fake.state.quotas.clear();
  assert.equal((await run(migrate)).code, 0);
  neverEmpty();
});

test('what Flux keeps is not touched unless it is suspended', async (t) => {
  const own = {
    labels: {
      'kustomize.toolkit.fluxcd.io/name': 'apps',
      'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
    },
  };
  const { fake, run, writes, neverEmpty } = await legacyServer(t, reference.url, {
    manager: 'kustomize-controller',
    own,
  });
  const { code, err } = await run(migrate);
  assert.equal(code, 1);
  assert.match(err, /flux suspend kustomization apps -n flux-system/);
  assert.deepEqual(writes(), []);
  fake.state.store.create(fake.state.kinds.find(({ kind }) => kind === 'Namespace') as Json, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'flux-system' },
  });
  fake.put({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: { suspend: true },
  });
  const suspended = await run(migrate);
  assert.equal(suspended.code, 0, suspended.out + suspended.err);
  neverEmpty();
});

test('a selector by expressions changes as one by labels does, whether or not it has labels, too', async (t) => {
  const matchExpressions = [{ key: 'app', operator: 'In', values: ['proxmox-mcp', 'proxmox'] }];
  const exists = [{ key: 'component', operator: 'Exists' }];
  for (const { old, selector } of [
    { old: { app: 'proxmox-mcp' }, selector: { matchExpressions } },
    {
      old: { ...wanted, component: 'mcp' },
      selector: { matchLabels: wanted, matchExpressions: exists },
    },
    {
      old: { ...wanted },
      selector: {
        matchLabels: wanted,
        matchExpressions: [{ key: 'canary', operator: 'DoesNotExist' }],
      },
    },
  ]) {
    const { fake, run, writes, neverEmpty } = await legacyServer(t, reference.url, { old, selector });
    const refused = await run(['deploy', 'apply', 'proxmox', '--yes']);
    assert.equal(refused.code, 1, refused.out);
    assert.match(refused.err, /would get another selector[\s\S]*deploy migrate proxmox labels/);
    assert.deepEqual(writes(), []);
    const { code, out, err } = await run(migrate);
    assert.equal(code, 0, out + err);
    neverEmpty();
    const { spec } = fake.get('Deployment', namespace, 'proxmox-mcp');
    assert.deepEqual(spec.selector, { matchLabels: wanted });
    assert.equal(spec.template.metadata.labels.component, undefined);
    assert.equal((await run(['deploy', 'diff', '--live'])).code, 0);
  }
});

test('labels that the old selector forbids are told before anything happens', async (t) => {
  const matchExpressions = [{ key: 'app.kubernetes.io/name', operator: 'DoesNotExist' }];
  const selector = { matchLabels: { app: 'proxmox-mcp' }, matchExpressions };
  const { run, writes } = await legacyServer(t, reference.url, { selector });
  const { code, err } = await run(migrate);
  assert.equal(code, 1);
  assert.match(err, /cannot have the old labels and the new ones together[\s\S]*app=proxmox-mcp,!app\./);
  assert.deepEqual(writes(), []);
});

test('labels that cannot be on one pod together, and Services that would lead nowhere, are told before anything happens', async (t) => {
  const clash = await legacyServer(t, reference.url, { old: { 'app.kubernetes.io/name': 'proxmox' } });
  const clashing = await clash.run(migrate);
  assert.equal(clashing.code, 1);
  assert.match(clashing.err, /cannot have both labels app\.kubernetes\.io\/name: proxmox and proxmox-mcp/);
  assert.deepEqual(clash.writes(), []);
  const other = await legacyServer(t, reference.url);
  other.fake.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'second', namespace },
    spec: { selector: { app: 'proxmox-mcp' }, ports: [{ port: 80 }] },
  });
  const refused = await other.run(migrate);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Other Services find these pods by labels that go: second/);
  assert.deepEqual(other.writes(), []);
});

test('a server that is not in the cluster is told', async (t) => {
  const { run } = await clusterProject(t);
  const { code, err } = await run(migrate);
  assert.equal(code, 1);
  assert.match(err, /agentic has no Deployment proxmox-mcp\n.*deploy apply makes it anew/);
  assert.equal((await run(['deploy', 'migrate', 'proxmox', 'nonsense'])).code, 2);
});
