import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { createCertificate } from '../certificate.ts';
import { type ClusterState, kindNamed, type PodTrouble } from './cluster-state.ts';
import { syncEndpoints } from './endpoints.ts';
import type { Fault, RequestSeen } from './faults.ts';
import type { Json } from './json.ts';
import { builtIn, customKinds } from './kinds.ts';
import { stepPods } from './pods.ts';
import { put, type Serving, serve, serveUpgrade } from './serving.ts';
import { createStore } from './store.ts';
import { stepWorkloads } from './workloads.ts';

export interface FakeClusterOptions {
  /** uid of the namespace kube-system. */
  readonly uid?: string;
  readonly namespaces?: readonly string[];
  /** Definitions that the cluster has, by kind; all that there are unless given. */
  readonly customKinds?: readonly string[];
  readonly tls?: boolean;
  /** The controllers take a step before each request; a test may rather do that itself. */
  readonly stepsByRequests?: boolean;
}

/** A cluster as a test sees it: its API by HTTP, and everything that goes on behind it. */
export interface FakeCluster {
  readonly url: string;
  readonly uid: string;
  /** The certificate of the server, where it has one. */
  readonly ca: string | null;
  readonly state: ClusterState;
  readonly faults: Fault[];
  /** What every token is refused: `patch deployments`, `create services/proxy`. */
  readonly forbidden: Set<string>;
  /** Every request so far, without those about discovery. */
  readonly requests: readonly RequestSeen[];
  stepsByRequests: boolean;
  /** A kubeconfig file with one context that leads here. */
  kubeconfig(context?: string, token?: string): string;
  get(kind: string, namespace: string | null, name: string): Json | null;
  list(kind: string, namespace?: string): Json[];
  /** As somebody who may do everything: applied by this field manager. */
  put(object: Json, manager?: string): Json;
  remove(kind: string, namespace: string | null, name: string): void;
  trouble(name: string, trouble: PodTrouble | null): void;
  /** One step of the controllers; false when there is nothing left to do. */
  step(): boolean;
  settle(): void;
  /** Ready endpoints of a Service after each change that was made of them. */
  endpointHistory(namespace: string, service: string): readonly number[];
  /** Changes up to now are forgotten, as compaction does. */
  forget(): void;
  cutWatches(): void;
}

const anyToken = 'token-of-the-fake-cluster';

/** A cluster that ends with the test. */
export async function startFakeCluster(
  t: Pick<TestContext, 'after'>,
  options: FakeClusterOptions = {},
): Promise<FakeCluster> {
  const uid = options.uid ?? '11111111-2222-4333-8444-555555555555';
  const state = createState(options, uid);
  const history = followEndpoints(state);
  const step = () => [stepWorkloads(state), stepPods(state)].includes(true);
  const serving: Serving = {
    state,
    token: anyToken,
    faults: [],
    forbidden: new Set(),
    requests: [],
    watches: new Set(),
    forgetting: { before: 0 },
    step,
    stepsByRequests: options.stepsByRequests ?? true,
  };
  const certificate = options.tls === true ? createCertificate({ type: 'ec', address: '127.0.0.1' }) : null;
  const ca = certificate?.cert ?? null;
  const url = await listen(t, serving, certificate);
  const { store } = state;
  return Object.assign(serving, {
    url,
    uid,
    ca,
    kubeconfig: (context = 'agentic', token = anyToken) => kubeconfigText(url, ca, context, token),
    get: (kind: string, namespace: string | null, name: string) =>
      store.find(kindNamed(state, kind), namespace, name),
    list: (kind: string, namespace?: string) => store.list(kindNamed(state, kind), namespace ?? null),
    put: (object: Json, manager = 'kubectl') => put(state, object, manager),
    remove: (kind: string, namespace: string | null, name: string) =>
      void store.remove(kindNamed(state, kind), namespace, name),
    trouble(name: string, trouble: PodTrouble | null) {
      if (trouble === null) state.troubles.delete(name);
      else state.troubles.set(name, trouble);
    },
    settle() {
      while (step());
    },
    endpointHistory: (namespace: string, service: string) => history.get(`${namespace}/${service}`) ?? [],
    forget() {
      serving.forgetting.before = store.version();
    },
    cutWatches() {
      for (const response of serving.watches) response.destroy();
    },
  });
}

function createState(options: FakeClusterOptions, uid: string): ClusterState {
  const { namespaces = ['ai-platform', 'default'], customKinds: wanted } = options;
  const store = createStore();
  const kinds = [
    ...builtIn,
    ...customKinds.filter(({ kind }) => wanted === undefined || wanted.includes(kind)),
  ];
  const state: ClusterState = {
    store,
    kinds,
    nodePortRange: { from: 30_000, to: 32_767 },
    missingImages: new Set(),
    troubles: new Map(),
    logs: new Map(),
    quotas: new Map(),
    backendOf: () => null,
  };
  const kind = kindNamed(state, 'Namespace');
  for (const name of ['kube-system', ...namespaces]) {
    const metadata = { name, ...(name === 'kube-system' ? { uid } : {}) };
    store.create(kind, { apiVersion: 'v1', kind: 'Namespace', metadata, status: { phase: 'Active' } });
  }
  return state;
}

/** Endpoints follow each change of Pods and Services at once, and what they were is kept. */
function followEndpoints(state: ClusterState): ReadonlyMap<string, number[]> {
  const history = new Map<string, number[]>();
  state.store.watch(({ kind, type, object }) => {
    if (kind.kind === 'Pod' || kind.kind === 'Service') syncEndpoints(state);
    if (kind.kind !== 'EndpointSlice') return;
    const service = `${object.metadata.namespace}/${object.metadata.labels['kubernetes.io/service-name']}`;
    const ready =
      type === 'DELETED' ? 0 : object.endpoints.filter(({ conditions }: Json) => conditions.ready).length;
    history.set(service, [...(history.get(service) ?? []), ready]);
  });
  return history;
}

async function listen(
  t: Pick<TestContext, 'after'>,
  serving: Serving,
  certificate: { readonly key: string; readonly cert: string } | null,
): Promise<string> {
  const server = certificate === null ? createHttpServer() : createHttpsServer(certificate);
  const upgraded = new Set<Duplex>();
  server.on(
    'request',
    (request: IncomingMessage, response: ServerResponse) => void serve(serving, request, response),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    serveUpgrade(serving, request, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
    await closed;
  });
  return `${certificate === null ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function kubeconfigText(url: string, ca: string | null, context: string, token: string): string {
  const authority = ca === null ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [{ name: context, cluster: { server: url, ...authority } }],
    contexts: [{ name: context, context: { cluster: context, user: 'jane' } }],
    users: [{ name: 'jane', user: { token } }],
  });
}
