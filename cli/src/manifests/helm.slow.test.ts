import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { kubernetesTools, noKubernetesTools } from '../../test/kubernetes-tools.ts';
import { readFiles, runIn, tempFolder } from '../../test/test-io.ts';
import { objectsOf } from './made-file.ts';
import type { KubernetesObject } from './object.ts';

const chart = join(import.meta.dirname, '../../test/application-chart');
const skip = noKubernetesTools;
const conventions = `folder: apps
ingress: { authUrl: 'https://login.example.com/oauth2/auth' }
`;
const server = `name: tickets
owner: service-desk
pattern: image
image: ghcr.io/acme/tickets-mcp:3.1.0
port: 9000
servicePort: 80
`;
const exposed = (more: string) =>
  `${server}expose:\n  ingress: { host: tickets.internal.example.com, cname: tickets.example.com${more} }\n`;

interface Values {
  service: { internalPort: unknown };
  ingress: { enabled: boolean; host?: string; class?: string };
  oAuth: { enabled: boolean };
}

/** Generates the server, and says where the values for its chart are, and what. */
async function generated(t: TestContext, text: string) {
  const root = await tempFolder(t, { 'conventions.yaml': conventions, 'server.yaml': text });
  const { code, err, out } = await runIn(root, ['deploy', 'generate']);
  assert.equal(code, 0, err);
  const values = (await readFiles(root))['tickets-mcp.values.yaml'];
  return {
    root,
    out,
    path: join(root, 'tickets-mcp.values.yaml'),
    values: values && (parse(values) as Values),
  };
}

async function helm(...args: readonly string[]) {
  const tools = await kubernetesTools();
  const { status, stdout, stderr } = spawnSync(tools.helm, args, { encoding: 'utf8' });
  return { status, stdout, told: stdout + stderr };
}

const template = (values: string) =>
  helm('template', 'tickets', chart, '--namespace', 'ai-platform', '--values', values);

/** Errors that lint has of these objects, by their rule. */
async function errorsOf(root: string, text: string): Promise<readonly string[]> {
  await writeFile(join(root, 'rendered.yaml'), text);
  const { json } = await runIn(root, ['deploy', 'lint', '--json', 'rendered.yaml']);
  const { findings, files } = json() as {
    findings: { rule: string; level: string; message: string }[];
    files: number;
  };
  assert.equal(files, 1);
  return findings.filter(({ level }) => level === 'error').map(({ rule, message }) => `${rule}: ${message}`);
}

test('a chart takes the values that are generated, and makes of them what is safe and reachable', {
  skip,
}, async (t) => {
  const { root, path } = await generated(t, exposed(', auth: oauth, className: public'));
  const linted = await helm('lint', '--strict', chart, '--values', path);
  assert.equal(linted.status, 0, linted.told);
  const rendered = await template(path);
  assert.equal(rendered.status, 0, rendered.told);
  assert.deepEqual(await errorsOf(root, rendered.stdout), []);

  const objects = objectsOf('rendered', rendered.stdout);
  const spec = (kind: string) => objects.find((one) => one.kind === kind)?.spec as Record<string, unknown>;
  const made = objectsOf('made', (await readFiles(root))['apps/tickets-mcp.yaml'] ?? '');
  assert.deepEqual(containerPort(objects), containerPort(made), 'where the server listens');
  assert.deepEqual((spec('Service').ports as { targetPort: number }[])[0]?.targetPort, 9000);
  assert.equal(spec('Ingress').ingressClassName, 'public');
  assert.equal((spec('Ingress').rules as { host: string }[])[0]?.host, 'tickets.example.com');
});

const containerPort = (objects: readonly KubernetesObject[]): unknown => {
  const spec = objects.find(({ kind }) => kind === 'Deployment')?.spec as {
    template: { spec: { containers: { ports: { containerPort: number }[] }[] } };
  };
  return spec.template.spec.containers[0]?.ports[0]?.containerPort;
};

test('a HelmRelease with these values passes lint, which refuses it without the check of callers', async (t) => {
  const { root, values } = await generated(t, exposed(', auth: oauth'));
  assert.ok(values);
  const release = (given: Values) =>
    stringify({
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: { name: 'tickets', namespace: 'ai-platform' },
      spec: { interval: '5m', chartRef: { kind: 'OCIRepository', name: 'application' }, values: given },
    });
  assert.deepEqual(await errorsOf(root, release(values)), []);
  const open = await errorsOf(root, release({ ...values, oAuth: { enabled: false } }));
  assert.match(open.join(), /^ingress-open: The MCP endpoint is open to everybody/);
});

test('the chart refuses what is not by its contract', { skip }, async (t) => {
  const { root, values } = await generated(t, exposed(', auth: oauth'));
  assert.ok(values);
  const wrong: [RegExp, Values][] = [
    [/internalPort/, { ...values, service: { internalPort: '9000' } }],
    [/host/, { ...values, ingress: { enabled: true, class: 'nginx' } }],
    [/hosts/, { ...values, ingress: { ...values.ingress, ...{ hosts: [] } } }],
  ];
  for (const [field, given] of wrong) {
    await writeFile(join(root, 'wrong.yaml'), stringify(given));
    const { status, told } = await template(join(root, 'wrong.yaml'));
    assert.notEqual(status, 0);
    assert.match(told, /values don't meet the specifications of the schema/);
    assert.match(told, field);
  }
});

test('no values are made for a server that a chart would open to everybody', async (t) => {
  const { root, values, path } = await generated(t, exposed(''));
  assert.equal(values, undefined, 'only /worker is let through, for which a chart has no word');
  assert.match((await readFiles(root))['tickets-mcp.dns.tf'] ?? '', /cname = /);
  await writeFile(path, 'oAuth: { enabled: false }\n');
  assert.match(
    (await runIn(root, ['deploy', 'generate'])).out,
    /tickets-mcp\.values\.yaml opens .*remove it/,
  );
});
