import assert from 'node:assert/strict';
import { test } from 'node:test';
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
