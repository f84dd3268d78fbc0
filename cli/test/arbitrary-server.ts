import fc from 'fast-check';
import { type Conventions, conventions } from '../src/spec/conventions.ts';
import type { LoadedServer, Project } from '../src/spec/load.ts';
import { specMistakes } from '../src/spec/rules.ts';
import { serverSpec } from '../src/spec/server-spec.ts';

/** A project with the defaults, unless said otherwise; its files are nowhere. */
export function projectOf(given: unknown = {}): Project {
  const company = conventions.parse(given);
  return { root: '/repo', conventions: company, folder: `/repo/${company.folder}` };
}

/** Servers of all kinds, each of which is accepted with these conventions. */
export function arbitraryServer(company: Conventions = conventions.parse({})): fc.Arbitrary<LoadedServer> {
  return fc
    .record({ base: arbitraryBase, rest: arbitraryRest, code: arbitraryCode })
    .map(({ base, rest, code }) => {
      const isCode = base.pattern === 'configmap';
      const files = Object.fromEntries(Object.keys(code).map((name) => [name, `code/${name}`]));
      const given = { ...rest, ...base, ...(isCode ? { code: files } : { image: base.image }) };
      return {
        spec: serverSpec.parse(given),
        path: '/repo/server.yaml',
        folder: '/repo',
        code: isCode ? code : {},
      };
    })
    .filter(({ spec }) => specMistakes(spec, company).length === 0);
}

const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => value.isWellFormed());
/** What YAML readers take for something else than a string. */
const trap = fc.constantFrom(
  'yes',
  'No',
  'on',
  'off',
  'null',
  '~',
  '012',
  '0o17',
  '1_000',
  '1:30',
  '2020-01-01',
  '=',
  '',
  ' x ',
  '- a',
  'a: b',
  '#',
  '"',
  "'",
  '{}',
  'line\n',
  'a\n\n  b\n',
  '\n\n',
  '\ttab',
  'a\r\nb',
  '\u0085',
  '\u2028',
  '.inf',
  '1e3',
  'true',
  '<<',
  '*a',
  '&a',
  '!x',
  '%',
  '@',
  '`',
  '🚢\nx',
);
const value = fc.oneof(text, trap);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/);
const envName = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,12}$/);
const port = fc.integer({ min: 1024, max: 29_999 });
const path = fc.stringMatching(/^(\/[a-z0-9]{1,8}){1,3}$/);
const cidr = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.${a}.${b}.0/24`);
const quantities = fc.record(
  { cpu: fc.constantFrom('10m', '100m', '1'), memory: fc.constantFrom('64Mi', '1Gi') },
  { requiredKeys: [] },
);

const arbitraryBase = fc.record({
  name: label,
  owner: fc.string({ minLength: 1, maxLength: 20 }).filter((one) => one.isWellFormed()),
  pattern: fc.constantFrom('image', 'configmap', 'build'),
  image: fc
    .tuple(label, fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}$/))
    .map(([name, tag]) => `ghcr.io/acme/${name}:${tag}`),
});

const arbitraryCode = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}\.py$/), value, { minKeys: 1, maxKeys: 3 });

const secret = fc.record(
  {
    name: label,
    from: fc.constantFrom('infisical', 'existing'),
    env: fc.dictionary(envName, fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { maxKeys: 3 }),
    mountPath: path.map((one) => `/secrets${one}`),
    infisical: fc.record(
      { secretsPath: path, resyncIntervalSeconds: fc.integer({ min: 10, max: 900 }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const ingress = fc.record(
  {
    host: label.map((one) => `${one}.example.com`),
    className: fc.constantFrom('nginx', 'traefik'),
    paths: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
    cname: label.map((one) => `${one}.example.org`),
    tlsSecret: label,
    annotations: fc.dictionary(
      label.map((one) => `example.com/${one}`),
      value,
      { maxKeys: 2 },
    ),
  },
  { requiredKeys: ['host'] },
);

const arbitraryRest = fc.record(
  {
    description: text,
    command: optional(fc.array(value, { minLength: 1, maxLength: 3 })),
    args: fc.array(value, { minLength: 1, maxLength: 3 }),
    imagePullSecrets: fc.uniqueArray(label, { minLength: 1, maxLength: 2 }),
    port,
    path: fc.constantFrom('/mcp', '/other'),
    health: fc.oneof(
      fc.constant('tcp'),
      path,
      fc.record(
        { path, port, initialDelaySeconds: fc.nat(60), periodSeconds: fc.integer({ min: 1, max: 60 }) },
        { requiredKeys: [] },
      ),
    ),
    env: fc.dictionary(envName, value, { maxKeys: 4 }),
    secrets: fc.uniqueArray(secret, { maxLength: 2, selector: ({ name }) => name ?? '' }),
    resources: fc.record({ requests: quantities, limits: quantities }, { requiredKeys: [] }),
    replicas: fc.nat(4),
    expose: fc.record({ nodePort: fc.integer({ min: 30_000, max: 30_085 }), ingress }, { requiredKeys: [] }),
    egress: fc.oneof(
      fc.constant('any'),
      fc.array(
        fc.record(
          { cidr, ports: fc.array(port, { maxLength: 2 }), for: fc.stringMatching(/^[a-zA-Z ]{1,10}$/) },
          { requiredKeys: ['cidr'] },
        ),
        { maxLength: 3 },
      ),
    ),
    permissions: fc.array(fc.constant({ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }), {
      maxLength: 1,
    }),
    writable: fc.uniqueArray(
      path.map((one) => `/data${one}`),
      { maxLength: 2 },
    ),
    runAsUser: fc.integer({ min: 1, max: 65_535 }),
    metricsPort: port,
    namespace: label,
    labels: fc.dictionary(
      label.map((one) => `example.com/${one}`),
      label,
      { maxKeys: 2 },
    ),
    annotations: fc.dictionary(
      label.map((one) => `example.com/${one}`),
      value,
      { maxKeys: 2 },
    ),
  },
  { requiredKeys: [] },
);
