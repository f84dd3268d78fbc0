import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ApiFault, noSuchPath } from './api-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import { discovery } from './discovery.ts';
import { type Fault, faultOf, forbiddenFault, type RequestSeen, verbOf } from './faults.ts';
import { isObject, type Json } from './json.ts';
import { apiVersionOf } from './kinds.ts';
import { podLog } from './pod-logs.ts';
import { servePortForward } from './port-forward.ts';
import { proxyTarget, serveProxy } from './service-proxy.ts';
import { type Target, targetOf } from './target.ts';
import { type Forgetting, selection, serveWatch } from './watching.ts';
import { write } from './writes.ts';

export interface Serving {
  readonly state: ClusterState;
  readonly token: string;
  readonly faults: Fault[];
  readonly forbidden: Set<string>;
  readonly requests: RequestSeen[];
  readonly watches: Set<ServerResponse>;
  readonly forgetting: Forgetting;
  readonly step: () => boolean;
  stepsByRequests: boolean;
}

const user = 'jane@example.com';

export async function serve(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await answer(serving, request, response);
  } catch (error) {
    const fault =
      error instanceof ApiFault ? error : new ApiFault(500, 'InternalError', (error as Error).stack ?? '');
    if (response.headersSent) response.destroy();
    else send(response, fault.code, fault.body(), fault.headers);
  }
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { state } = serving;
  const url = new URL(request.url ?? '/', 'http://cluster');
  const method = request.method ?? 'GET';
  const seen: RequestSeen = { method, path: url.pathname, query: url.searchParams };
  const fault = takeFault(serving, seen);
  if (fault?.hang === true) return;
  if (fault?.cut === true) return void response.destroy();
  if (fault !== null && fault.cut === undefined) throw faultOf(fault);
  if (request.headers.authorization !== `Bearer ${serving.token}`) {
    throw new ApiFault(401, 'Unauthorized', 'Unauthorized');
  }
  const found = discovery(state.kinds, url.pathname, request.headers.accept ?? '');
  if (found !== null && method === 'GET')
    return send(response, 200, found.body, { 'content-type': found.type });
  serving.requests.push(seen);
  if (serving.stepsByRequests) serving.step();
  const proxied = proxyTarget(url.pathname);
  if (proxied !== null) {
    const target = targetOf(state.kinds, url.pathname);
    check(serving, method, target, url.searchParams);
    return serveProxy(state, proxied, url.search, request, response);
  }
  const target = targetOf(state.kinds, url.pathname);
  check(serving, method, target, url.searchParams);
  if (method === 'GET') {
    read(serving, target, url.searchParams, response);
    return stepForWatches(serving);
  }
  const body = await text(request);
  const contentType = request.headers['content-type'] ?? 'application/json';
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0] as string;
  const written = write(state, { method, target, query: url.searchParams, contentType, body, agent });
  if (fault?.cut === 'after') return void response.destroy();
  send(response, written.code, written.body);
  stepForWatches(serving);
}

/** Who watches asks for nothing any more: the controllers go on by themselves, step by step. */
function stepForWatches(serving: Serving): void {
  if (!serving.stepsByRequests || serving.watches.size === 0) return;
  setImmediate(() => {
    if (serving.watches.size > 0 && serving.step()) stepForWatches(serving);
  });
}

function check(serving: Serving, method: string, target: Target, query: URLSearchParams): void {
  const verb = verbOf(method, target, query);
  const resource =
    target.subresource === null ? target.kind.plural : `${target.kind.plural}/${target.subresource}`;
  if (serving.forbidden.has(`${verb} ${resource}`)) throw forbiddenFault(user, verb, target);
}

const used = new WeakMap<Fault, number>();

function takeFault({ faults }: Serving, seen: RequestSeen): Fault | null {
  for (const fault of faults) {
    const count = used.get(fault) ?? 0;
    if (count >= (fault.times ?? Number.POSITIVE_INFINITY) || !fault.on(seen)) continue;
    used.set(fault, count + 1);
    return fault;
  }
  return null;
}

function read(
  { state, watches, forgetting }: Serving,
  target: Target,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const { kind, namespace, name, subresource } = target;
  if (verbOf('GET', target, query) === 'watch') {
    watches.add(response);
    response.once('close', () => watches.delete(response));
    serveWatch(state, target, query, response, forgetting);
    return;
  }
  if (subresource === 'log') {
    const log = podLog(state, target, query);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(log);
    return;
  }
  if (subresource !== null && subresource !== 'status') throw noSuchPath();
  if (name !== null) {
    send(response, 200, state.store.get(kind, namespace, name));
    return;
  }
  const items = state.store.list(kind, namespace).filter(selection(target, query));
  const metadata = { resourceVersion: String(state.store.version()) };
  send(response, 200, { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items });
}

function send(
  response: ServerResponse,
  code: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function serveUpgrade(serving: Serving, request: IncomingMessage, socket: Duplex): void {
  const url = new URL(request.url ?? '/', 'http://cluster');
  serving.requests.push({ method: 'GET', path: url.pathname, query: url.searchParams });
  try {
    if (request.headers.authorization !== `Bearer ${serving.token}`)
      throw new ApiFault(401, 'Unauthorized', 'Unauthorized');
    const target = targetOf(serving.state.kinds, url.pathname);
    if (serving.forbidden.has('create pods/portforward')) throw forbiddenFault(user, 'create', target);
    servePortForward(serving.state, url, request, socket);
  } catch (error) {
    const fault = error instanceof ApiFault ? error : new ApiFault(500, 'InternalError', String(error));
    const body = JSON.stringify(fault.body());
    socket.end(
      `HTTP/1.1 ${fault.code} ${fault.reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
}

/** An object that somebody who may do everything puts there: made, or patched as server-side apply with force. */
export function put(state: ClusterState, object: Json, manager: string): Json {
  if (!isObject(object)) throw new Error('there is no object to put there');
  const kind = state.kinds.find(
    (known) => apiVersionOf(known) === object.apiVersion && known.kind === object.kind,
  );
  if (kind === undefined) throw new Error(`the fake has no ${object.apiVersion} ${object.kind}`);
  const { name } = object.metadata;
  const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : null;
  const target: Target = { kind, namespace, name, subresource: null };
  const query = new URLSearchParams({ fieldManager: manager, force: 'true' });
  const contentType = 'application/apply-patch+yaml';
  return write(state, {
    method: 'PATCH',
    target,
    query,
    contentType,
    body: JSON.stringify(object),
    agent: manager,
  }).body;
}
