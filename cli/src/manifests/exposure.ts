import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { metadataOf } from './metadata.ts';
import { namesOf, portName, selectorOf } from './names.ts';
import type { KubernetesObject } from './object.ts';

const nginx = 'nginx.ingress.kubernetes.io';

/** Reachable from outside: only below `/worker`, which checks tokens itself, unless the spec says otherwise. */
export function ingress(spec: ServerSpec, conventions: Conventions): readonly KubernetesObject[] {
  const wanted = spec.expose.ingress;
  if (wanted === undefined) return [];
  const { workload } = namesOf(spec, conventions);
  const className = wanted.className ?? conventions.ingress.className;
  const hosts = [wanted.host, ...(wanted.cname === undefined ? [] : [wanted.cname])];
  const paths = (wanted.paths ?? ['/worker']).map((path) => ({
    path,
    pathType: 'Prefix',
    backend: { service: { name: workload, port: { name: portName } } },
  }));
  const annotations = {
    ...(className.includes('nginx') && nginxAnnotations(wanted.auth, conventions)),
    ...wanted.annotations,
  };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadataOf(spec, conventions, { annotations }),
      spec: {
        ingressClassName: className,
        tls: [{ hosts, secretName: wanted.tlsSecret ?? `${workload}-tls` }],
        rules: hosts.map((host) => ({ host, http: { paths } })),
      },
    },
  ];
}

/** Answers are streams: nothing is kept back, and the longest call is waited for. */
export function nginxAnnotations(auth: 'none' | 'oauth', { ingress }: Conventions): Record<string, string> {
  const seconds = `${ingress.readTimeoutSeconds}`;
  return {
    [`${nginx}/proxy-buffering`]: 'off',
    [`${nginx}/proxy-read-timeout`]: seconds,
    [`${nginx}/proxy-send-timeout`]: seconds,
    ...(auth === 'oauth' && ingress.authUrl !== undefined && { [`${nginx}/auth-url`]: ingress.authUrl }),
  };
}

/**
 * For those whose server is run by a chart: what its HelmRelease is given. `null` where nobody checks who calls: a chart knows
 * no paths, and would open the MCP endpoint along with `/worker`.
 */
export function helmValues(spec: ServerSpec, conventions: Conventions): object | null {
  const wanted = spec.expose.ingress;
  if (wanted?.auth !== 'oauth') return null;
  return {
    service: { internalPort: namesOf(spec, conventions).port },
    ingress: {
      enabled: true,
      host: wanted.cname ?? wanted.host,
      class: wanted.className ?? conventions.ingress.className,
    },
    oAuth: { enabled: true },
  };
}

/** The CNAME of the public name, as a resource of Terraform's `dns` provider. */
export function terraformCname(spec: ServerSpec, conventions: Conventions): string | null {
  const wanted = spec.expose.ingress;
  if (wanted?.cname === undefined) return null;
  const [label = '', ...zone] = wanted.cname.split('.');
  return [
    `resource "dns_cname_record" "${namesOf(spec, conventions).workload.replaceAll('-', '_')}" {`,
    `  zone  = "${zone.join('.')}."`,
    `  name  = "${label}"`,
    `  cname = "${wanted.host}."`,
    '  ttl   = 300',
    '}',
    '',
  ].join('\n');
}

/** Has Prometheus' operator scrape the metrics. */
export function serviceMonitor(spec: ServerSpec, conventions: Conventions): readonly KubernetesObject[] {
  if (spec.metricsPort === undefined) return [];
  const { port } = namesOf(spec, conventions);
  const metadata = metadataOf(spec, conventions, { labels: conventions.monitoring.serviceMonitorLabels });
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata,
      spec: {
        selector: { matchLabels: selectorOf(spec, conventions) },
        endpoints: [{ port: spec.metricsPort === port ? portName : 'metrics', interval: '30s' }],
      },
    },
  ];
}
