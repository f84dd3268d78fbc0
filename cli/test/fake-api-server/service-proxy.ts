import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { ApiFault, notFound } from './api-fault.ts';
import { type ClusterState, kindNamed } from './cluster-state.ts';
import { podsOf } from './endpoints.ts';
import type { Json } from './json.ts';
import { isReady } from './pods.ts';

const proxied = /^\/api\/v1\/namespaces\/([^/]+)\/services\/([^/]+)\/proxy(\/.*)?$/;

/** Namespace, `[scheme:]name[:port]` and path of a request that a Service is to answer; null for any other. */
export function proxyTarget(path: string): { namespace: string; service: string; rest: string } | null {
  const [, namespace, service, rest = '/'] = proxied.exec(path) ?? [];
  if (namespace === undefined || service === undefined) return null;
  return { namespace, service: decodeURIComponent(service), rest };
}

/** Passes a request on to a ready Pod of the Service. The API server keeps `Authorization` for itself. */
export function serveProxy(
  state: ClusterState,
  { namespace, service, rest }: { namespace: string; service: string; rest: string },
  search: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const parts = service.split(':');
  const [name, port] = parts.length === 3 ? parts.slice(1) : parts;
  const kind = kindNamed(state, 'Service');
  const found = state.store.find(kind, namespace, name as string);
  if (found === null) throw notFound(kind, name as string);
  if (!hasPort(found, port))
    throw unavailable(`no service port ${JSON.stringify(port)} found for service "${name}"`);
  const pod = podsOf(state, found).find(isReady);
  if (pod === undefined) throw unavailable(`no endpoints available for service "${name}"`);
  const backend = state.backendOf(pod);
  if (backend === null)
    throw unavailable('error trying to reach service: dial tcp 10.244.0.7: connect: connection refused');
  const { authorization: _kept, host: _host, ...headers } = request.headers;
  const passed = httpRequest(
    new URL(`${rest}${search}`, backend),
    { method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    },
  );
  passed.once('error', (error) => {
    const fault = unavailable(`error trying to reach service: ${error.message}`);
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(fault.code, { 'content-type': 'application/json' })
        .end(JSON.stringify(fault.body()));
  });
  response.once('close', () => passed.destroy());
  request.pipe(passed);
}

function hasPort(service: Json, asked: string | undefined): boolean {
  const ports: Json[] = service.spec.ports;
  if (asked === undefined || asked === '') return ports.length === 1;
  return ports.some(({ name, port }) => name === asked || String(port) === asked);
}

const unavailable = (message: string) => new ApiFault(503, 'ServiceUnavailable', message);
