import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { assertValidObjects } from '../../test/assert-valid-objects.ts';
import { serverSpec } from '../spec/server-spec.ts';
import { generate } from './generate.ts';
import type { KubernetesObject } from './object.ts';
import { printManifests, printYaml } from './print.ts';

const project = projectOf();
const settings = { numRuns: 60 };

function readAgain(text: string, version: '1.1' | '1.2'): unknown[] {
  return parseAllDocuments(text, { version }).map((document) => {
    assert.deepEqual('errors' in document ? document.errors : [], []);
    return (document as { toJS(): unknown }).toJS();
  });
}

interface PodOwner extends KubernetesObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string }[];
          readonly volumeMounts: readonly { readonly name: string }[];
        }[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const deploymentOf = (objects: readonly KubernetesObject[]) =>
  objects.find(({ kind }) => kind === 'Deployment') as PodOwner;

test('whatever the spec, the objects are valid, unique and labelled, and select the pods of the server', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryServer(), async (server) => {
      const objects = generate(server, project, {});
      await assertValidObjects(objects);
      const titles = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      assert.equal(new Set(titles).size, titles.length);
      const { spec } = deploymentOf(objects);
      for (const { metadata } of objects) {
        assert.equal(metadata.labels?.['app.kubernetes.io/name'], `${server.spec.name}-mcp`);
        assert.equal(metadata.labels?.['app.kubernetes.io/component'], 'mcp-server');
        assert.equal(metadata.namespace, server.spec.namespace ?? 'ai-platform');
      }
      assert.deepEqual(Object.keys(spec.selector.matchLabels), [
        'app.kubernetes.io/name',
        'app.kubernetes.io/component',
      ]);
      for (const [label, value] of Object.entries(spec.selector.matchLabels)) {
        assert.equal(spec.template.metadata.labels[label], value);
      }
      const [container] = spec.template.spec.containers;
      const volumes = spec.template.spec.volumes.map(({ name }) => name);
      assert.deepEqual(
        container?.volumeMounts.map(({ name }) => name),
        volumes,
      );
      const names = (container?.env ?? []).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
    }),
    settings,
  );
});

test('printed and read again the objects are the same, with YAML 1.1 as with 1.2', () => {
  fc.assert(
    fc.property(arbitraryServer(), (server) => {
      const objects = generate(server, project, {});
      const text = printManifests(objects);
      assert.deepEqual(readAgain(text, '1.2'), objects);
      assert.deepEqual(readAgain(text, '1.1'), objects);
      assert.doesNotMatch(text, /^\s*(- )?(\S+: )?[&*][a-z0-9]+$/m);
    }),
    settings,
  );
});

test('any text comes back from a printed value and key, with YAML 1.1 as with 1.2', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.string(),
      (value, key) => {
        const printed = printYaml({ deep: { [`k${key}`]: value, list: [value] }, after: 1 });
        for (const version of ['1.1', '1.2'] as const) {
          assert.deepEqual(parse(printed, { version }), {
            deep: { [`k${key}`]: value, list: [value] },
            after: 1,
          });
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the same spec makes the same text', () => {
  fc.assert(
    fc.property(arbitraryServer(), (server) => {
      const print = () => printManifests(generate(server, project, {}));
      assert.equal(print(), print());
    }),
    { numRuns: 30 },
  );
});

function made(given: object, code: Record<string, string> = {}): KubernetesObject[] {
  const spec = serverSpec.parse({ name: 'a', owner: 'b', pattern: 'image', image: 'x/a:1', ...given });
  return generate({ spec, path: '/repo/server.yaml', folder: '/repo', code }, project, {});
}

test('an image of our own gets its worker secret, once', () => {
  const wanted = [
    {
      name: 'ARCADE_WORKER_SECRET',
      valueFrom: { secretKeyRef: { name: 'a-mcp-secrets', key: 'worker-secret' } },
    },
  ];
  const secretEnv = (objects: readonly KubernetesObject[]) =>
    deploymentOf(objects).spec.template.spec.containers[0]?.env?.filter((one) => 'valueFrom' in one);
  assert.deepEqual(secretEnv(made({ pattern: 'build' })), wanted);
  assert.deepEqual(
    secretEnv(made({ pattern: 'build', secrets: [{ env: { ARCADE_WORKER_SECRET: 'worker-secret' } }] })),
    wanted,
  );
  const other = made({ pattern: 'build', secrets: [{ env: { TOKEN: 'token' } }] });
  assert.equal(secretEnv(other)?.length, 2);
  assert.equal(other.filter(({ kind }) => kind === 'InfisicalSecret').length, 1);
});

test('variables of the spec win over those of the pattern', () => {
  const env = deploymentOf(made({ env: { MCP_PORT: '1', MCP_HOST: '::' } })).spec.template.spec.containers[0]
    ?.env;
  assert.deepEqual(env, [
    { name: 'MCP_TRANSPORT', value: 'streamable-http' },
    { name: 'MCP_HOST', value: '::' },
    { name: 'MCP_PORT', value: '1' },
  ]);
});

test('a patch has the last word, and one that fits nothing is refused', () => {
  const patch = {
    metadata: { annotations: { 'example.com/x': 'y' } },
    spec: { replicas: null, minReadySeconds: 5 },
  };
  const patched = deploymentOf(made({ patches: [{ kind: 'Deployment', patch }] }));
  assert.equal(patched.metadata.annotations?.['example.com/x'], 'y');
  assert.equal('replicas' in patched.spec, false);
  assert.throws(() => made({ patches: [{ kind: 'Ingress', patch: {} }] }), {
    code: 'spec.patch',
    message:
      'patches[0] of server.yaml changes Ingress, which is not generated: there are Deployment, Service, NetworkPolicy',
  });
});

test('code that changes by a byte, or by the name of a file, makes other pods', () => {
  const sum = (code: Record<string, string>) => {
    const names = Object.fromEntries(Object.keys(code).map((name) => [name, name]));
    const [, pods] = made({ pattern: 'configmap', image: undefined, code: names }, code);
    return JSON.stringify((pods as PodOwner).spec.template.metadata);
  };
  const sums = [{ a: 'x' }, { a: 'y' }, { b: 'x' }, { a: 'x', b: '' }, { a: '', b: 'x' }].map((code) =>
    sum(code as never),
  );
  assert.equal(new Set(sums).size, sums.length);
  assert.equal(sum({ a: '1', b: '2' }), sum({ b: '2', a: '1' }));
});

test('a server without a NodePort yet is refused rather than given any', () => {
  assert.throws(() => made({ expose: { nodePort: 'auto' } }), { code: 'spec.node-port' });
});
