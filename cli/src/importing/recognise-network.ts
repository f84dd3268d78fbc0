import { isDeepStrictEqual } from 'node:util';
import { nginxAnnotations } from '../manifests/exposure.ts';
import { type Fields, fieldsAt, itemsAt, numberAt, textAt, textsAt } from '../manifests/fields.ts';
import { annotation } from '../manifests/metadata.ts';
import type { Conventions } from '../spec/conventions.ts';
import { serverSpec } from '../spec/server-spec.ts';
import { type Group, selectsPods } from './group.ts';
import { other, portNumber, type SpecFields, some } from './recognise-pod.ts';
import type { Shape } from './shape.ts';

/** How it is reached from outside. */
export function exposeOf(group: Group, shape: Shape, conventions: Conventions): SpecFields | undefined {
  const isNodePort = textAt(shape.service?.object, 'spec', 'type') === 'NodePort';
  const ingress = ingressOf(group, shape, conventions);
  return some({
    ...(isNodePort && { nodePort: shape.servicePort.nodePort ?? 'auto' }),
    ...(ingress !== undefined && { ingress }),
  });
}

/** An Ingress with one name, or with two that lead to the same; any other stays as it is. */
function ingressOf({ others }: Group, shape: Shape, conventions: Conventions): SpecFields | undefined {
  const own = others.filter(({ object }) => object.kind === 'Ingress' && leadsTo(object, shape));
  const [source] = own;
  if (source === undefined || own.length > 1) return undefined;
  const spec = fieldsAt(source.object, 'spec');
  const rules = itemsAt(spec, 'rules');
  const [first, second] = rules;
  const paths = itemsAt(first, 'http', 'paths');
  const plain = paths.every((path) => path.pathType === 'Prefix') && spec.defaultBackend === undefined;
  const same = second === undefined || isDeepStrictEqual(second.http, first?.http);
  const tls = itemsAt(spec, 'tls');
  if (!plain || !same || rules.length > 2 || tls.length > 1) return undefined;
  const said = paths.map((path) => path.path);
  const ingress = {
    host: textAt(first, 'host'),
    className: other(textAt(spec, 'ingressClassName'), conventions.ingress.className),
    paths: isDeepStrictEqual(said, ['/worker']) ? undefined : said,
    tlsSecret: other(textAt(tls[0], 'secretName'), `${shape.workload}-tls`),
    annotations: some(ownAnnotations(textsAt(source.object, 'metadata', 'annotations'), conventions)),
    cname: textAt(second, 'host'),
  };
  const kept = Object.fromEntries(Object.entries(ingress).filter(([, value]) => value !== undefined));
  return serverSpec.shape.expose.safeParse({ ingress: kept }).success ? kept : undefined;
}

function ownAnnotations(
  annotations: Record<string, string>,
  conventions: Conventions,
): Record<string, string> {
  const usual = nginxAnnotations('none', conventions);
  return Object.fromEntries(Object.entries(annotations).filter(([name, value]) => usual[name] !== value));
}

export function leadsTo(ingress: unknown, { service }: Shape): boolean {
  const backends = itemsAt(ingress, 'spec', 'rules').flatMap((rule) => itemsAt(rule, 'http', 'paths'));
  return (
    backends.length > 0 &&
    backends.every((path) => textAt(path, 'backend', 'service', 'name') === service?.object.metadata.name)
  );
}

/** The port that Prometheus' operator is told to scrape. */
export function metricsPortOf({ others }: Group, shape: Shape): number | undefined {
  const monitors = others.filter(({ object }) => object.kind === 'ServiceMonitor');
  const endpoints = itemsAt(monitors[0]?.object, 'spec', 'endpoints');
  const name = textAt(endpoints[0], 'port');
  if (monitors.length !== 1 || endpoints.length !== 1 || name === undefined) return undefined;
  const ports = others.flatMap(({ object }) =>
    object.kind === 'Service' ? itemsAt(object, 'spec', 'ports') : [],
  );
  const port = ports.find((one) => one.name === name);
  const number = portNumber(port?.targetPort ?? port?.port, shape.container);
  const isMcp = number === shape.port;
  return isMcp || number === numberAt(port, 'port') ? number : undefined;
}

/**
 * What it may reach. Without a policy that says so it reaches everything, and an import must not cut it off: `any`, until
 * somebody says what it needs.
 */
export function egressOf({ deployment, others }: Group, conventions: Conventions, cluster: string): unknown {
  const policies = others
    .map(({ object }) => object)
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .filter((object) => selectsPods(fieldsAt(object, 'spec', 'podSelector'), deployment.object))
    .filter((object) => {
      const types = fieldsAt(object, 'spec').policyTypes;
      return Array.isArray(types) && types.includes('Egress');
    });
  if (policies.length === 0) return 'any';
  const rules = policies.flatMap((policy) => itemsAt(policy, 'spec', 'egress'));
  if (rules.some((rule) => Object.keys(rule).length === 0)) return 'any';
  const reasons = policies.flatMap((policy) =>
    (textAt(policy, 'metadata', 'annotations', annotation.egress) ?? '').split('; '),
  );
  const apiServer = conventions.clusters[cluster]?.cidr;
  const declared = rules.flatMap((rule) => declaredEgress(rule, reasons, apiServer) ?? []);
  return declared.length === 0 ? undefined : declared;
}

function declaredEgress(rule: Fields, reasons: readonly string[], apiServer: string | undefined) {
  const [to, ...more] = itemsAt(rule, 'to');
  const cidr = textAt(to, 'ipBlock', 'cidr');
  const ports = Array.isArray(rule.ports) ? itemsAt(rule, 'ports') : undefined;
  const numbers = ports?.map((one) => one.port);
  if (more.length > 0 || cidr === undefined || Object.keys(fieldsAt(to, 'ipBlock')).length > 1)
    return undefined;
  if (
    ports?.some((one) => one.protocol !== 'TCP' || typeof one.port !== 'number' || one.endPort !== undefined)
  ) {
    return undefined;
  }
  if (cidr === apiServer && isDeepStrictEqual(numbers, [443, 6443])) return undefined;
  const reason = reasons.find((one) => one.startsWith(`${cidr} `))?.slice(cidr.length + 1);
  const said = {
    cidr,
    ...(numbers !== undefined && { ports: numbers }),
    ...(reason !== undefined && { for: reason }),
  };
  return serverSpec.shape.egress.safeParse([said]).success ? said : undefined;
}
