import { annotation } from '../../manifests/metadata.ts';
import type { Repository } from '../repository.ts';
import type { Resource } from '../resource.ts';
import { at, type Rule, type Say } from '../rule.ts';
import { list, mapping, text, texts } from '../values.ts';

const nginx = 'nginx.ingress.kubernetes.io';
/** Annotations by which a controller checks who calls. */
const checksCallers =
  /(^|\/)(auth-url|auth-signin|auth-type|auth-tls-secret|auth-tls-verify-client|oauth|whitelist-source-range|router\.middlewares|auth-service-url|auth-policy)$/;

export const ingressOpen: Rule = {
  id: 'ingress-open',
  level: 'error',
  what: 'no public way to an MCP endpoint without a check of who calls, and none without TLS',
  why: 'An Ingress opens the tools to everybody who knows the name. A server checks tokens below /worker itself; /mcp it leaves open. Streams also need an Ingress that neither collects answers nor gives up before the tool does.',
  fixable: false,
  check: (repository, say) => {
    for (const ingress of repository.ofKind('Ingress')) {
      checkOpen(ingress, repository, say);
      checkStreams(ingress, repository, say);
    }
    for (const release of repository.ofKind('HelmRelease')) {
      const { ingress, oAuth } = mapping(release.get(['spec', 'values']));
      if (mapping(ingress).enabled !== true || mapping(oAuth).enabled === true) continue;
      const paths = list(mapping(ingress).paths).map((one) => text(one) ?? text(mapping(one).path) ?? '/');
      if (paths.length > 0 && paths.every((path) => !meets(path, '/mcp'))) continue;
      say(
        at(release, ['spec', 'values', 'ingress']),
        'The MCP endpoint is open to everybody: set oAuth.enabled: true, or let only /worker through.',
      );
    }
  },
};

/** Whether a request for the endpoint can match the path. */
function meets(path: string, endpoint: string): boolean {
  const plain = path.replace(/[.*()?|$^[\]\\].*$/, '').replace(/\/$/, '');
  return (
    plain === '' || endpoint === plain || endpoint.startsWith(`${plain}/`) || plain.startsWith(`${endpoint}/`)
  );
}

function endpointsOf(
  name: string,
  { find, podsSelectedBy }: Repository,
  namespace: string,
): readonly string[] {
  const selector = mapping(find('Service', namespace, name)?.get(['spec', 'selector']));
  const pods = podsSelectedBy(namespace, selector);
  return pods.map((one) => text(one.get(['metadata', 'annotations', annotation.path])) ?? '/mcp');
}

function checkOpen(ingress: Resource, repository: Repository, say: Say): void {
  const isChecked = Object.keys(texts(ingress.get(['metadata', 'annotations']))).some((key) =>
    checksCallers.test(key),
  );
  const namespace = repository.namespaceOf(ingress);
  for (const [rule, given] of list(ingress.get(['spec', 'rules'])).entries()) {
    for (const [index, one] of list(mapping(mapping(given).http).paths).entries()) {
      const { path = '/', backend } = mapping(one);
      const name = text(mapping(mapping(backend).service).name) ?? '';
      const endpoint = endpointsOf(name, repository, namespace).find((endpoint) =>
        meets(`${path}`, endpoint),
      );
      if (endpoint === undefined || isChecked) continue;
      say(
        at(ingress, ['spec', 'rules', rule, 'http', 'paths', index, 'path']),
        `${endpoint} of ${name} is open to everybody: let only /worker through, or have the Ingress check who calls.`,
      );
    }
  }
  const covered = list(ingress.get(['spec', 'tls'])).flatMap((one) => list(mapping(one).hosts));
  for (const [rule, given] of list(ingress.get(['spec', 'rules'])).entries()) {
    const { host } = mapping(given);
    if (
      covered.includes(host) ||
      covered.some((one) => `${one}`.startsWith('*.') && `${host}`.endsWith(`${one}`.slice(1)))
    )
      continue;
    say(at(ingress, ['spec', 'rules', rule]), `${host ?? 'The Ingress'} has no TLS: add it to spec.tls.`);
  }
}

function checkStreams(ingress: Resource, { project }: Repository, say: Say): void {
  const annotations = texts(ingress.get(['metadata', 'annotations']));
  const className =
    text(ingress.get(['spec', 'ingressClassName'])) ??
    annotations['kubernetes.io/ingress.class'] ??
    project.conventions.ingress.className;
  if (!className.includes('nginx')) return;
  const where = at(ingress, ['metadata', 'annotations']);
  if (annotations[`${nginx}/proxy-buffering`] !== 'off')
    say(where, `nginx collects answers before it sends them: set ${nginx}/proxy-buffering: "off".`, {
      level: 'warning',
    });
  const wanted = project.conventions.ingress.readTimeoutSeconds;
  const given = Number(annotations[`${nginx}/proxy-read-timeout`] ?? 60);
  if (!(given >= wanted))
    say(where, `nginx gives up after ${given} s: set ${nginx}/proxy-read-timeout: "${wanted}".`, {
      level: 'warning',
    });
}

export const ingressSyntax: Rule = {
  id: 'ingress-syntax',
  level: 'error',
  what: 'hosts, paths and backends of an Ingress are complete',
  why: 'The API server refuses a path that is not absolute, a host that is no DNS name, and a backend without its Service and port.',
  fixable: false,
  check: ({ ofKind }, say) => {
    for (const ingress of ofKind('Ingress')) {
      if (
        ingress.get(['spec', 'defaultBackend']) === undefined &&
        list(ingress.get(['spec', 'rules'])).length === 0
      ) {
        say(at(ingress, ['spec']), 'An Ingress needs rules or a defaultBackend.');
      }
      for (const [rule, given] of list(ingress.get(['spec', 'rules'])).entries()) {
        const { host, http } = mapping(given);
        const base = ['spec', 'rules', rule];
        if (
          typeof host === 'string' &&
          host !== '' &&
          !/^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(host)
        ) {
          say(
            at(ingress, [...base, 'host']),
            `${host} is no DNS name, or an address; name a host in small letters.`,
          );
        }
        for (const [index, one] of list(mapping(http).paths).entries())
          checkPath(ingress, [...base, 'http', 'paths', index], mapping(one), say);
      }
    }
  },
};

function checkPath(
  ingress: Resource,
  where: readonly (string | number)[],
  { path, pathType, backend }: Readonly<Record<string, unknown>>,
  say: Say,
): void {
  if (typeof path === 'string' && !path.startsWith('/') && pathType !== 'ImplementationSpecific')
    say(at(ingress, [...where, 'path']), `The path ${path} must begin with /.`);
  const { service, resource } = mapping(backend);
  if (backend !== undefined && (service === undefined) === (resource === undefined)) {
    say(at(ingress, [...where, 'backend']), 'A backend needs either a service or a resource.');
  }
  if (service === undefined) return;
  const { name, number } = mapping(mapping(service).port);
  if ((name === undefined) === (number === undefined))
    say(
      at(ingress, [...where, 'backend', 'service']),
      'The port of a backend needs either a name or a number.',
    );
}
