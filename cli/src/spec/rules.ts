import { amountOf } from '../manifests/quantity.ts';
import type { Conventions } from './conventions.ts';
import type { Mistake } from './mistake.ts';
import { nearest } from './nearest.ts';
import type { ServerSpec } from './server-spec.ts';

type Rule = (spec: Partial<ServerSpec>, conventions: Conventions) => readonly Mistake[];

/** What holds between the fields of a server.yaml; fields that are wrong by themselves are left out of `spec`. */
export function specMistakes(spec: Partial<ServerSpec>, conventions: Conventions): readonly Mistake[] {
  return rules.flatMap((rule) => rule(spec, conventions));
}

const imageOrCode: Rule = ({ pattern, image, code }) => {
  if (pattern === 'configmap') {
    return code === undefined || Object.keys(code).length === 0
      ? [{ path: ['code'], message: 'is missing: the pattern configmap runs the files that it names' }]
      : [];
  }
  const mistakes: Mistake[] = [];
  if (pattern !== undefined && image === undefined) {
    mistakes.push({ path: ['image'], message: `is missing: the pattern ${pattern} runs an image` });
  }
  if (pattern !== undefined && code !== undefined) {
    mistakes.push({
      path: ['code'],
      message: `belongs to the pattern configmap, not ${pattern}`,
      ofKey: true,
    });
  }
  return mistakes;
};

const healthIsNotMcp: Rule = ({ health, path }) => {
  const asked = typeof health === 'object' ? health.path : health;
  if (asked === undefined || path === undefined || asked !== path) return [];
  const message =
    'must not be the MCP endpoint, which answers a plain GET with an error or a stream: use tcp';
  return [{ path: typeof health === 'object' ? ['health', 'path'] : ['health'], message }];
};

const knownCluster: Rule = ({ cluster }, { clusters }) => {
  if (cluster === undefined || Object.hasOwn(clusters, cluster)) return [];
  const near = nearest(cluster, Object.keys(clusters));
  const advice =
    near === undefined ? `there are ${Object.keys(clusters).join(', ')}` : `did you mean ${near}?`;
  return [{ path: ['cluster'], message: `is not a cluster of conventions.yaml: ${advice}` }];
};

const everyVariableOnce: Rule = ({ env = {}, secrets = [] }) => {
  const taken = new Set(Object.keys(env));
  const mistakes: Mistake[] = [];
  for (const [at, secret] of secrets.entries()) {
    for (const name of Object.keys(secret.env)) {
      if (taken.has(name)) {
        const path = ['secrets', at, 'env', name];
        mistakes.push({ path, message: 'is set more than once', ofKey: true });
      }
      taken.add(name);
    }
  }
  return mistakes;
};

const everySecretOnce: Rule = ({ secrets = [] }) => {
  const names = secrets.map(({ name }) => name ?? '');
  return names.flatMap((name, at) =>
    names.indexOf(name) === at
      ? []
      : [
          {
            path: ['secrets', at],
            message: `is ${name === '' ? "the server's own Secret" : name} again: put its env together`,
          },
        ],
  );
};

const conventionLabels: Rule = ({ labels = {} }) =>
  ['app.kubernetes.io/name', 'app.kubernetes.io/component']
    .filter((label) => Object.hasOwn(labels, label))
    .map((label) => ({ path: ['labels', label], message: 'is set by the convention', ofKey: true }));

const codeInsideFolder: Rule = ({ code = {} }) =>
  Object.entries(code)
    .filter(([, path]) => path.startsWith('/') || path.split(/[/\\]/).includes('..'))
    .map(([name]) => ({ path: ['code', name], message: 'must be a path beside or below this file' }));

/** A chart may do it by itself; the Ingress that is generated can only ask at an address. */
const oauthIsKnown: Rule = ({ expose }, { ingress }) => {
  const wanted = expose?.ingress;
  if (wanted?.auth !== 'oauth' || ingress.authUrl !== undefined) return [];
  if (Object.keys(wanted.annotations).some((name) => /auth-url$/.test(name))) return [];
  return [
    {
      path: ['expose', 'ingress', 'auth'],
      message: 'needs ingress.authUrl in conventions.yaml, where nginx asks about callers',
    },
  ];
};

const metricsApart: Rule = ({ metricsPort, servicePort, port }) =>
  metricsPort !== undefined && metricsPort === servicePort && metricsPort !== port
    ? [{ path: ['metricsPort'], message: 'is the port at which the Service has MCP' }]
    : [];

const requestsWithinLimits: Rule = ({ resources = {} }) =>
  (['cpu', 'memory'] as const).flatMap((resource) => {
    const request = amountOf(resources.requests?.[resource]) ?? 0;
    if (request <= (amountOf(resources.limits?.[resource]) ?? Infinity)) return [];
    return [{ path: ['resources', 'requests', resource], message: 'is more than its limit' }];
  });

const suffixIsAdded: Rule = ({ name }, { suffix }) =>
  name?.endsWith(suffix) === true
    ? [
        {
          path: ['name'],
          message: `must not end with ${suffix}, which is added: ${name.slice(0, -suffix.length)}`,
        },
      ]
    : [];

const rules: readonly Rule[] = [
  imageOrCode,
  healthIsNotMcp,
  knownCluster,
  everyVariableOnce,
  everySecretOnce,
  conventionLabels,
  codeInsideFolder,
  oauthIsKnown,
  metricsApart,
  requestsWithinLimits,
  suffixIsAdded,
];
