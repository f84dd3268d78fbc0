import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandError } from '../command-error.ts';
import { readSources } from './source.ts';

const exported = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata:
      name: a
      uid: 6f1f
      resourceVersion: "7"
      annotations: { kubectl.kubernetes.io/last-applied-configuration: "{}", mine: kept }
    spec:
      clusterIP: 10.0.0.7
      clusterIPs: [10.0.0.7]
      sessionAffinity: None
      ports: [{ port: 80, targetPort: 8080, nodePort: 30001 }]
    status: { loadBalancer: {} }
  - apiVersion: v1
    kind: Service
    metadata: { name: headless, uid: 6f20 }
    spec: { clusterIP: None }
`;

test('what a cluster adds to its objects is no part of what people said', () => {
  const objects = readSources('/a.yaml', 'a.yaml', exported).map(({ object }) => object);
  assert.deepEqual(objects, [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', annotations: { mine: 'kept' } },
      spec: { ports: [{ port: 80, targetPort: 8080, nodePort: 30001 }] },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'headless' }, spec: { clusterIP: 'None' } },
  ]);
});

test('what a person wrote stays, even where it says what Kubernetes does anyway', () => {
  const text = 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { sessionAffinity: None }\n';
  const [source] = readSources('/a.yaml', 'a.yaml', text);
  assert.deepEqual(source?.object.spec, { sessionAffinity: 'None' });
});

test('what an API server would not read as it is written is refused with its place, and no number changes unseen', () => {
  const object = (spec: string) => `apiVersion: v1\nkind: A\nmetadata: { name: a }\nspec: ${spec}\n`;
  const refused = (spec: string) => {
    try {
      return readSources('/a.yaml', 'a.yaml', `${exported}---\n${object(spec)}`);
    } catch (error) {
      return (error as CommandError).details;
    }
  };
  assert.deepEqual(refused('{ a: [1, 12345678901234567890] }'), [
    'a.yaml:25:16: spec.a[1] is beyond 9007199254740991, up to which whole numbers stay as they are: as a text, in quotes, it does',
  ]);
  assert.deepEqual(refused('{ a: !!set { b } }'), [
    'a.yaml:25:18: spec.a is !!set, which JSON does not have: write it as a text',
  ]);
  assert.deepEqual(refused('&x { a: *x }'), ['a.yaml:22:1: An alias stands inside of what it names.']);
  const [source] = readSources('/a.yaml', 'a.yaml', object('{ a: 9007199254740991, b: 1.5 }'));
  assert.deepEqual(source?.object.spec, { a: 9007199254740991, b: 1.5 });
});

test('a variable that YAML reads as a number keeps every digit', () => {
  const env = '[{ name: ID, value: 12345678901234567890 }]';
  const pod = `{ containers: [{ name: a, env: ${env} }] }`;
  const text = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { template: { spec: ${pod} } }\n`;
  const [source] = readSources('/a.yaml', 'a.yaml', text);
  assert.match(JSON.stringify(source?.object), /"value":"12345678901234567890"/);
});

test('of what a cluster gives back, only what it fills in is left out: a pull at every start stays', () => {
  const container = (imagePullPolicy: string) =>
    `{ name: a, image: "x/a:1", imagePullPolicy: ${imagePullPolicy} }`;
  const read = (policy: string) => {
    const spec = `{ template: { spec: { dnsPolicy: ClusterFirst, containers: [${container(policy)}] } } }`;
    const text = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a, uid: 6f1f }\nspec: ${spec}\n`;
    return readSources('/a.yaml', 'a.yaml', text)[0]?.object.spec;
  };
  const spec = (kept: object) => ({
    template: { spec: { containers: [{ name: 'a', image: 'x/a:1', ...kept }] } },
  });
  assert.deepEqual(read('IfNotPresent'), spec({}));
  assert.deepEqual(read('Always'), spec({ imagePullPolicy: 'Always' }));
});
