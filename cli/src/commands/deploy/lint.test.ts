import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readFiles, runIn, tempFolder } from '../../../test/test-io.ts';

const folder = 'kubernetes/applications/mcp-servers';
const labels =
  'app.kubernetes.io/name: x-mcp, app.kubernetes.io/component: mcp-server, app.kubernetes.io/part-of: ai-platform, app.kubernetes.io/managed-by: sallyport';
const service = `apiVersion: v1
kind: Service
metadata: { name: x-mcp, namespace: ai-platform, labels: { ${labels} } }
spec:
  selector: { app.kubernetes.io/name: x-mcp }
  ports: [{ name: http-mcp, port: 3000, targetPort: 3000 }]
`;
const pod = `      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      securityContext: { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: server
          image: ghcr.io/acme/x:1@sha256:${'a'.repeat(64)}
          ports: [{ containerPort: 3000 }]
          resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { memory: 256Mi } }
          startupProbe: &probe { tcpSocket: { port: 3000 } }
          readinessProbe: *probe
          livenessProbe: *probe
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: tmp, mountPath: /tmp }]
      volumes: [{ name: tmp, emptyDir: {} }]
`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: x-mcp, namespace: ai-platform, labels: { ${labels} } }
spec:
  replicas: 1
  revisionHistoryLimit: 3
  progressDeadlineSeconds: 120
  strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  selector: { matchLabels: { app.kubernetes.io/name: x-mcp } }
  template:
    metadata: { labels: { app.kubernetes.io/name: x-mcp, app.kubernetes.io/component: mcp-server } }
    spec:
${pod}`;
const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: x-mcp, namespace: ai-platform }
spec: { podSelector: { matchLabels: { app.kubernetes.io/name: x-mcp } }, policyTypes: [Ingress, Egress], ingress: [], egress: [] }
`;
const sound = [deployment, service, policy].join('---\n');
const kustomization = 'resources:\n  - x-mcp.yaml\n';
const usual = {
  'conventions.yaml': '',
  [`${folder}/kustomization.yaml`]: kustomization,
  [`${folder}/x-mcp.yaml`]: sound,
};

interface Told {
  readonly rule: string;
  readonly level: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

async function findings(root: string, ...args: string[]): Promise<readonly Told[]> {
  const ran = await runIn(root, ['deploy', 'lint', '--json', ...args]);
  assert.equal(ran.err, '');
  return (ran.json() as { findings: readonly Told[] }).findings;
}

const short = ({ rule, file, line, column }: Told) =>
  `${rule} ${file.replace(`${folder}/`, '')}:${line}:${column}`;

async function lintOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string[]> {
  return (await findings(await tempFolder(t, { ...usual, ...files }))).map(short);
}

/** Lines of the sound manifest with this put in place of that. */
const changed = (before: string, after: string): Record<string, string> => {
  assert.ok(sound.includes(before), before);
  return { [`${folder}/x-mcp.yaml`]: sound.replace(before, after) };
};

test('a manifest that follows the convention has no findings, and ends with 0', async (t) => {
  const root = await tempFolder(t, usual);
  const ran = await runIn(root, ['deploy', 'lint', '--strict']);
  assert.equal(ran.out, '3 files: 0 errors, 0 warnings\n'.replace('3', '2'));
  assert.equal(ran.code, 0);
});

test('where there is nothing to check, it says where it looked', async (t) => {
  const { out } = await runIn(await tempFolder(t), ['deploy', 'lint']);
  assert.match(
    out,
    /^There is nothing to check in kubernetes\/applications\/mcp-servers of \S+: name files/m,
  );
});

test('findings are grouped by file with line and column; errors end with 1, warnings only with --strict', async (t) => {
  const root = await tempFolder(t, { ...usual, ...changed('replicas: 1', 'replicas: one') });
  const ran = await runIn(root, ['deploy', 'lint']);
  assert.equal(ran.code, 1);
  assert.match(
    ran.out,
    /^kubernetes\/.*\/x-mcp\.yaml\n {2}5:13 {5}error {3}spec\.replicas must be an integer\. schema\n\n2 files: 1 error, 0 warnings\n$/,
  );
  await writeFile(join(root, folder, 'x-mcp.yaml'), sound.replace('  revisionHistoryLimit: 3\n', ''));
  assert.equal((await runIn(root, ['deploy', 'lint'])).code, 0);
  assert.equal((await runIn(root, ['deploy', 'lint', '--strict'])).code, 1);
});

test('a broken file is told with line and column, and the others are checked all the same', async (t) => {
  const root = await tempFolder(t, {
    ...usual,
    [`${folder}/kustomization.yaml`]: 'resources:\n  - x-mcp.yaml\n  - a.yaml\n  - b.yaml\n  - c.yaml\n',
    [`${folder}/a.yaml`]: 'kind: Service\n  name: broken\n',
    [`${folder}/b.yaml`]: 'a: 1\nb:\n\tc: 1\n',
    [`${folder}/c.yaml`]: 'a: 1\na: 2\n',
    [`${folder}/e.yaml`]: `${service}  loop: &x { a: *x }\n`,
    [`${folder}/x-mcp.yaml`]: sound.replace('replicas: 1', 'replicas: one'),
  });
  await writeFile(join(root, folder, 'd.yaml'), Buffer.from([0x61, 0x3a, 0xff]));
  const told = await findings(root);
  const rules = told.filter(({ rule }) => rule === 'syntax' || rule === 'schema').map(short);
  assert.ok(
    rules.includes('syntax a.yaml:1:7') || rules.some((one) => one.startsWith('syntax a.yaml:')),
    rules.join(),
  );
  assert.ok(
    rules.some((one) => one.startsWith('syntax b.yaml:3:1')),
    rules.join(),
  );
  assert.ok(rules.includes('syntax c.yaml:2:1'), rules.join());
  assert.ok(rules.includes('syntax d.yaml:1:1'), rules.join());
  assert.ok(rules.includes('syntax e.yaml:1:1'), rules.join());
  assert.ok(rules.includes('schema x-mcp.yaml:5:13'), rules.join());
});

test('a comment with a reason excuses a finding of its line; without one, or for nothing, it is told', async (t) => {
  const lineOf = (comment: string) =>
    changed('replicas: 1', `replicas: one # sallyport-lint-disable-line ${comment}`);
  assert.deepEqual(await lintOf(t, lineOf('schema tested by hand')), []);
  assert.deepEqual(await lintOf(t, lineOf('schema')), [
    'schema x-mcp.yaml:5:13',
    'suppression x-mcp.yaml:5:17',
  ]);
  assert.deepEqual(await lintOf(t, lineOf('no-such rule')), [
    'schema x-mcp.yaml:5:13',
    'suppression x-mcp.yaml:5:17',
  ]);
  const needless = await lintOf(
    t,
    changed('replicas: 1', 'replicas: 1 # sallyport-lint-disable-line schema as asked'),
  );
  assert.deepEqual(needless, ['suppression x-mcp.yaml:5:15']);
});

const oneFinding: readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  expected: readonly string[],
][] = [
  [
    'a text that YAML 1.1 takes for true',
    changed('name: server\n', 'name: server\n          env: [{ name: A, value: yes }]\n'),
    ['yaml-bool x-mcp.yaml:18:35'],
  ],
  [
    'an object that is there twice',
    { [`${folder}/x-mcp.yaml`]: `${sound}---\n${policy}` },
    ['duplicate-object x-mcp.yaml:42:19'],
  ],
  [
    'an object of another namespace',
    changed(
      'kind: Service\nmetadata: { name: x-mcp, namespace: ai-platform',
      'kind: Service\nmetadata: { name: x-mcp, namespace: other',
    ),
    ['namespace x-mcp.yaml:30:37', 'selector x-mcp.yaml:32:13'],
  ],
  [
    'labels of old',
    {
      [`${folder}/x-mcp.yaml`]: sound
        .replace(
          'selector: { matchLabels: { app.kubernetes.io/name: x-mcp } }',
          'selector: { matchLabels: { app: x-mcp } }',
        )
        .replace('metadata: { labels: { app.k', 'metadata: { labels: { app: x-mcp, app.k'),
    },
    ['labels-legacy x-mcp.yaml:9:30'],
  ],
  [
    'a version in the selector',
    {
      [`${folder}/x-mcp.yaml`]: sound
        .replace(
          'selector: { matchLabels: { app',
          'selector: { matchLabels: { app.kubernetes.io/version: "1", app',
        )
        .replace(
          'metadata: { labels: { app.k',
          'metadata: { labels: { app.kubernetes.io/version: "1", app.k',
        ),
    },
    ['labels-extra x-mcp.yaml:9:30'],
  ],
  [
    'values of a Secret',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: ai-platform }\nstringData: { a: hidden }\n`,
    },
    ['secret-plain x-mcp.yaml:43:13'],
  ],
  [
    'a ConfigMap above 1 MiB',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: x-mcp-code, namespace: ai-platform, labels: { ${labels} } }\ndata: { a: ${'x'.repeat(1_100_000)} }\n`,
    },
    ['configmap-size x-mcp.yaml:43:7'],
  ],
  [
    'a key in code',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: x-mcp-code, namespace: ai-platform, labels: { ${labels} } }\ndata:\n  server.py: |\n    key = "ghp_${'a'.repeat(36)}"\n`,
    },
    ['configmap-secret x-mcp.yaml:44:3'],
  ],
  [
    'code that pods do not notice',
    {
      [`${folder}/x-mcp.yaml`]: `${sound.replace('volumes: [', 'volumes: [{ name: code, configMap: { name: x-mcp-code } }, ')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: x-mcp-code, namespace: ai-platform, labels: { ${labels} } }\ndata: { a: b }\n`,
    },
    ['configmap-no-roll x-mcp.yaml:11:5'],
  ],
  [
    'a file that is not listed',
    { [`${folder}/kustomization.yaml`]: 'resources: []\n' },
    ['flux-layout kustomization.yaml:1:1'],
  ],
  [
    'a listed file that is gone',
    { [`${folder}/kustomization.yaml`]: `${kustomization}  - gone.yaml\n` },
    ['flux-layout kustomization.yaml:3:5'],
  ],
  [
    'a kustomization where Flux applies the folder',
    { 'conventions.yaml': 'layout: recursive\n' },
    ['flux-layout kustomization.yaml:1:1'],
  ],
  [
    'a budget that keeps nodes from draining',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: x-mcp, namespace: ai-platform }\nspec: { minAvailable: 1, selector: { matchLabels: { app.kubernetes.io/name: x-mcp } } }\n`,
    },
    ['pdb-single-replica x-mcp.yaml:43:7'],
  ],
  [
    'InfisicalSecret of old',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: secrets.infisical.com/v1alpha1\nkind: InfisicalSecret\nmetadata: { name: s, namespace: ai-platform }\nspec: { authentication: {} }\n`,
    },
    ['infisical-deprecated x-mcp.yaml:40:13'],
  ],
  [
    'a SealedSecret that is not sealed',
    {
      [`${folder}/x-mcp.yaml`]: `${sound}---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: { name: s, namespace: ai-platform }\nspec: { encryptedData: { a: 5, b: "plain text" } }\n`,
    },
    ['schema x-mcp.yaml:43:29', 'schema x-mcp.yaml:43:35'],
  ],
  [
    'no address path',
    {
      '.mcp.json':
        '{"mcpServers": {"x": {"type": "http", "url": "http://x-mcp.ai-platform.svc.cluster.local:3000"}}}',
    },
    ['mcpjson-path .mcp.json:1:46'],
  ],
  [
    'no type',
    { '.mcp.json': '{"mcpServers": {"x": {"url": "http://x-mcp.ai-platform.svc.cluster.local:3000/mcp"}}}' },
    ['mcpjson-path .mcp.json:1:22'],
  ],
  ['no mcpServers', { '.mcp.json': '{\n "x": {"command": "y"}}' }, ['mcpjson-path .mcp.json:1:1']],
  [
    'a token in .mcp.json',
    {
      '.mcp.json':
        '{"mcpServers": {"x": {"type": "http", "url": "http://h/mcp", "headers": {"Authorization": "Bearer abc"}}}}',
    },
    ['mcpjson-header .mcp.json:1:91'],
  ],
  [
    'an address of a Service that is not there',
    {
      '.mcp.json':
        '{"mcpServers": {"x": {"type": "http", "url": "http://y-mcp.ai-platform.svc.cluster.local:3000/mcp"}}}',
    },
    ['dangling-ref .mcp.json:1:46'],
  ],
  [
    'an address in a cluster of production',
    { '.mcp.json': '{"mcpServers": {"x": {"type": "http", "url": "http://10.10.0.7:31100/mcp"}}}' },
    ['placement .mcp.json:1:46'],
  ],
  [
    'broken JSON',
    { '.mcp.json': '{\n  "mcpServers": {,}\n}' },
    ['syntax .mcp.json:2:18', 'syntax .mcp.json:2:19'],
  ],
  [
    'a server of production',
    { 'x/server.yaml': 'name: x\nowner: me\npattern: image\nimage: a:1\ncluster: prod\n' },
    ['placement x/server.yaml:5:10'],
  ],
];

for (const [name, files, expected] of oneFinding) {
  test(`${name} is found at its place, and nothing else is`, async (t) => {
    assert.deepEqual([...new Set(await lintOf(t, files))], [...new Set(expected)]);
  });
}

const nodePort = (port: string) => ({
  [`${folder}/x-mcp.yaml`]: sound
    .replace('  selector: { app.k', '  type: NodePort\n  selector: { app.k')
    .replace('port: 3000, t', `port: 3000${port}, t`),
});

test('NodePorts are compared with the ranges, the registry and each other', async (t) => {
  const registry = (entries: string) => ({ [`${folder}/nodeports.yaml`]: `ports:\n${entries}` });
  const entry = (name: string, port: number) =>
    `  - { name: ${name}, port: ${port}, owner: me, since: 2026-01-01 }\n`;
  assert.deepEqual(
    await lintOf(t, { ...nodePort(', nodePort: 30001'), ...registry(entry('x', 30_001)) }),
    [],
  );
  assert.deepEqual(await lintOf(t, nodePort(', nodePort: 30001')), [
    'nodeport-unregistered x-mcp.yaml:34:51',
  ]);
  assert.deepEqual(await lintOf(t, nodePort('')), ['nodeport-unregistered x-mcp.yaml:34:11']);
  const other = await lintOf(t, { ...nodePort(', nodePort: 30001'), ...registry(entry('y', 30_001)) });
  assert.deepEqual(other, ['nodeport-dup x-mcp.yaml:34:51', 'nodeport-unregistered x-mcp.yaml:34:51']);
  const legacy = await lintOf(t, { ...nodePort(', nodePort: 31101'), ...registry(entry('x', 31_101)) });
  assert.deepEqual(legacy, ['nodeport-band x-mcp.yaml:34:51']);
  const outside = await lintOf(t, { ...nodePort(', nodePort: 32001'), ...registry(entry('x', 32_001)) });
  assert.deepEqual(outside, ['nodeport-band x-mcp.yaml:34:51', 'nodeport-range x-mcp.yaml:34:51']);
  const twice = await lintOf(t, registry(entry('a', 30_001) + entry('b', 30_001)));
  assert.deepEqual(twice, ['nodeport-dup nodeports.yaml:3:22']);
});

const ingress = (more: string, path: string) => ({
  [`${folder}/x-mcp.yaml`]: `${sound}---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: x-mcp
  namespace: ai-platform
  annotations: { nginx.ingress.kubernetes.io/proxy-buffering: "off", nginx.ingress.kubernetes.io/proxy-read-timeout: "600"${more} }
spec:
  ingressClassName: nginx
  tls: [{ hosts: [x.example.com], secretName: tls }]
  rules:
    - host: x.example.com
      http: { paths: [{ path: ${path}, pathType: Prefix, backend: { service: { name: x-mcp, port: { name: http-mcp } } } }] }
`,
});

test('a public way to the endpoint is an error unless callers are checked', async (t) => {
  assert.deepEqual(await lintOf(t, ingress('', '/worker')), []);
  for (const path of ['/', '/mcp', '/mcp/']) {
    assert.deepEqual(await lintOf(t, ingress('', path)), ['ingress-open x-mcp.yaml:51:31']);
    assert.deepEqual(
      await lintOf(t, ingress(', nginx.ingress.kubernetes.io/auth-url: "https://a.example.com"', path)),
      [],
    );
  }
  const [key = '', text = ''] = Object.entries(ingress('', '/worker'))[0] ?? [];
  const noTls = await lintOf(t, { [key]: text.replace(/^ {2}tls: .*\n/m, '') });
  assert.deepEqual(noTls, ['ingress-open x-mcp.yaml:49:7']);
  const slow = await lintOf(t, { [key]: text.replace(/^ {2}annotations: .*\n/m, '') });
  assert.deepEqual(slow, ['ingress-open x-mcp.yaml:42:1', 'ingress-open x-mcp.yaml:42:1']);
  const chart = `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: chart, namespace: ai-platform }\nspec:\n  interval: 5m\n  chartRef: { kind: OCIRepository, name: chart }\n  values: { ingress: { enabled: true }, oAuth: { enabled: false } }\n`;
  assert.deepEqual(await lintOf(t, { [key]: `${sound}---\n${chart}` }), ['ingress-open x-mcp.yaml:46:22']);
});

const spec = 'name: x\nowner: me\npattern: image\nimage: a:1\n';

test('a Dockerfile ends as a numeric user, and names what it is made of', async (t) => {
  const digest = `sha256:${'b'.repeat(64)}`;
  const lintDockerfile = (text: string, more: Record<string, string> = { 'x/.dockerignore': '.git\n' }) =>
    lintOf(t, { 'x/server.yaml': spec, 'x/Dockerfile': text, ...more });
  const good = `FROM node:24@${digest} AS build\nRUN npm ci\nFROM node:24@${digest}\nCOPY --from=build /app /app\nUSER 10001:10001\n`;
  assert.deepEqual(await lintDockerfile(good), []);
  assert.deepEqual(await lintDockerfile(good, {}), ['dockerfile x/Dockerfile:1:1']);
  assert.deepEqual(await lintDockerfile('FROM python:3.11-slim\nRUN pip install fastmcp\nUSER appuser\n'), [
    'dockerfile x/Dockerfile:1:6',
    'dockerfile x/Dockerfile:2:1',
    'dockerfile x/Dockerfile:3:1',
  ]);
  assert.deepEqual(await lintDockerfile(good.replace('USER 10001:10001', 'RUN npm install')), [
    'dockerfile x/Dockerfile:3:1',
    'dockerfile x/Dockerfile:5:1',
  ]);
});

test('a workflow pins its actions, and signs in without a password', async (t) => {
  const commit = 'c'.repeat(40);
  const workflow = `on: { push: { branches: [main], paths: [x/**] } }
jobs:
  build:
    runs-on: ubuntu-latest
    permissions: { contents: read, id-token: write }
    steps:
      - uses: actions/checkout@${commit} # v5
      - uses: docker/login-action@${commit}
        with: { registry: ghcr.io, username: me, password: "\${{ secrets.GITHUB_TOKEN }}" }
      - id: build
        uses: docker/build-push-action@${commit}
        with: { push: true, provenance: mode=max, sbom: true }
      - run: echo "\${{ steps.build.outputs.digest }}"
`;
  const lintWorkflow = (text: string) =>
    lintOf(t, { 'x/server.yaml': spec, '.github/workflows/x.yml': text });
  assert.deepEqual(await lintWorkflow(workflow), []);
  assert.deepEqual(await lintWorkflow(workflow.replace(`checkout@${commit} # v5`, 'checkout@v5')), [
    'ci .github/workflows/x.yml:7:15',
  ]);
  assert.deepEqual(await lintWorkflow(workflow.replace('GITHUB_TOKEN', 'REGISTRY_PASSWORD')), [
    'ci .github/workflows/x.yml:9:60',
  ]);
  assert.deepEqual(await lintWorkflow(workflow.replace(', id-token: write', '')), [
    'ci .github/workflows/x.yml:4:5',
  ]);
  assert.deepEqual(await lintWorkflow(workflow.replace(', sbom: true', '').replace('.digest', '.x')), [
    'ci .github/workflows/x.yml:10:9',
    'ci .github/workflows/x.yml:10:9',
  ]);
});

test('a selector that differs from the one in git is a planned migration', async (t) => {
  const root = await tempFolder(t, usual);
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      stdio: 'pipe',
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'x');
  assert.deepEqual(await findings(root), []);
  const path = join(root, folder, 'x-mcp.yaml');
  await writeFile(path, sound.replace('replicas: 1', 'replicas: 2'));
  assert.deepEqual(await findings(root), []);
  await writeFile(
    path,
    sound.replace('matchLabels: { app', 'matchLabels: { app.kubernetes.io/component: mcp-server, app'),
  );
  const [told, ...more] = await findings(root);
  assert.equal(told && short(told), 'selector-change x-mcp.yaml:9:13');
  assert.match(told?.message ?? '', /sallyport deploy migrate x-mcp labels/);
  assert.deepEqual(more, []);
});

test('with paths only those are spoken of, and the others are still known', async (t) => {
  const root = await tempFolder(t, { ...usual, ...changed('replicas: 1', 'replicas: one') });
  await writeFile(
    join(root, folder, 'y.yaml'),
    service.replace('name: x-mcp,', 'name: y-mcp,').replace('3000 }', '3001 }'),
  );
  await writeFile(join(root, folder, 'kustomization.yaml'), `${kustomization}  - y.yaml\n`);
  const told = await findings(root, `${folder}/y.yaml`);
  assert.deepEqual(
    told.map(({ file }) => file),
    told.map(() => `${folder}/y.yaml`),
  );
  assert.deepEqual(told.filter(({ rule }) => rule === 'ports').map(short), ['ports y.yaml:6:53']);
  assert.equal((await runIn(root, ['deploy', 'lint', 'nowhere.yaml'])).code, 1);
  assert.match((await runIn(root, ['deploy', 'lint', 'nowhere.yaml'])).err, /There is no nowhere\.yaml/);
});

test('--fix mends .mcp.json and kustomization.yaml to the byte, --dry-run only shows it', async (t) => {
  const mcp = '{\n  "x": {\n    "url": "http://x-mcp.ai-platform.svc.cluster.local:3000"\n  }\n}\n';
  const root = await tempFolder(t, {
    ...usual,
    '.mcp.json': mcp,
    [`${folder}/kustomization.yaml`]: '# ours\nresources: []   # none\n',
  });
  const before = await readFiles(root);
  const dry = await runIn(root, ['deploy', 'lint', '--fix', '--dry-run']);
  assert.match(dry.out, /^\+resources: +# none$/m);
  assert.deepEqual(await readFiles(root), before);
  const ran = await runIn(root, ['deploy', 'lint', '--fix', '--strict']);
  assert.equal(ran.code, 0, ran.out);
  assert.equal(
    await readFile(join(root, folder, 'kustomization.yaml'), 'utf8'),
    '# ours\nresources:   # none\n  - x-mcp.yaml\n',
  );
  assert.deepEqual(JSON.parse(await readFile(join(root, '.mcp.json'), 'utf8')), {
    mcpServers: { x: { type: 'http', url: 'http://x-mcp.ai-platform.svc.cluster.local:3000/mcp' } },
  });
});

test('--fix quotes what is written as a number and must be a text, as it is written', async (t) => {
  const env = 'env: [{ name: PORT, value: 3000 }, { name: V, value: 1.10 }] # both';
  const root = await tempFolder(t, {
    ...usual,
    ...changed('          ports: [{ containerPort', `          ${env}\n          ports: [{ containerPort`),
  });
  const [told] = await findings(root);
  assert.match(told?.message ?? '', /env\[0\]\.value must be a string: put it in quotes\./);
  assert.equal((await runIn(root, ['deploy', 'lint', '--fix', '--strict'])).code, 0);
  const text = await readFile(join(root, folder, 'x-mcp.yaml'), 'utf8');
  assert.ok(text.includes('env: [{ name: PORT, value: "3000" }, { name: V, value: "1.10" }] # both\n'), text);
});

test('a symbolic link does not lead the lint out of the folder', async (t) => {
  const root = await tempFolder(t, { ...usual, 'elsewhere/a.yaml': 'a: [' });
  await symlink(join(root, 'elsewhere'), join(root, folder, 'link'));
  await symlink(join(root, 'elsewhere/a.yaml'), join(root, folder, 'link.yaml'));
  assert.deepEqual(await findings(root), []);
});

test('bombs, abysses and odd bytes are findings, not crashes', async (t) => {
  const layers = Array.from(
    { length: 12 },
    (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(9)}*l${at}]`,
  );
  const odd: Record<string, string> = {
    'bomb.yaml': `l0: &l0 [x]\n${layers.join('\n')}\n`,
    'deep.yaml': '['.repeat(50_000),
    'deep-map.yaml': Array.from({ length: 3000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
    'bom.yaml': `\ufeff${policy.replaceAll('x-mcp', 'y-mcp')}`,
    'crlf.yaml': policy.replaceAll('x-mcp', 'z-mcp').replaceAll('\n', '\r\n'),
    'marks.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m, namespace: ai-platform }\ndata:\n  a: |\n    ---\n    b\n',
    'list.yaml': '- a\n- b\n',
    'scalar.yaml': 'just text\n',
    'null.yaml': 'apiVersion: v1\nkind: Service\nmetadata: null\nspec: null\n',
    'types.yaml': 'apiVersion: 5\nkind: [Service]\nmetadata: text\nspec: 7\n',
    'proto.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: { name: __proto__, labels: { __proto__: a, constructor: b } }\nspec: { ports: [null, 5, { port: null }] }\n',
    'circle.yaml': 'a: &a [*a]\n',
    'directive.yaml': '%YAML 1.1\n---\na: !!python/object:os.system x\n',
  };
  const root = await tempFolder(t, { 'conventions.yaml': 'layout: recursive\n' });
  for (const [name, text] of Object.entries(odd)) {
    const files = await tempFolder(t, {
      'conventions.yaml': 'layout: recursive\n',
      [`${folder}/${name}`]: text,
    });
    const ran = await runIn(files, ['deploy', 'lint', '--fix', '--dry-run', '--json']);
    assert.doesNotMatch(ran.err, /\n\s+at /, `${name}: ${ran.err}`);
    const { findings: left, fixed } = ran.json() as { findings: readonly Told[]; fixed: readonly Told[] };
    const told = [...left, ...fixed];
    for (const { message, line, column } of told) {
      assert.ok(line >= 1 && column >= 1, `${name} ${line}:${column}`);
      assert.match(message, /^[A-Z_"[a-z].*[.!?…]$/s, `${name}: ${message}`);
    }
    if (!['bom.yaml', 'crlf.yaml'].includes(name)) assert.ok(told.length > 0, name);
  }
  assert.match((await runIn(root, ['deploy', 'lint'])).out, /^0 files: 0 errors, 0 warnings$/m);
});

test('--rules prints every rule with what it asks for and why', async (t) => {
  const root = await tempFolder(t);
  const ran = await runIn(root, ['deploy', 'lint', '--rules', '--json']);
  const { rules } = ran.json() as { rules: readonly { id: string; why: string; what: string }[] };
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
  for (const { why, what } of rules) assert.ok(why.length > 80 && what.length > 10);
  assert.match((await runIn(root, ['deploy', 'lint', '--rules'])).out, /^labels-missing +error +yes +/m);
});
