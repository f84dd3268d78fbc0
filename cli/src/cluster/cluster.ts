import { type LabelSelector, selectorText } from '../manifests/label-selector.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { type ApiClient, applyPatch } from './api-client.ts';
import { ClusterError, notAnApiServer } from './cluster-error.ts';
import type { Live } from './live.ts';

/** Who we are to server-side apply. */
export const fieldManager = 'sallyport-deploy';

/** What tells an object from all others of its cluster. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** Takes fields over that somebody else has applied. */
  readonly force?: boolean;
  /** In whose name; ours unless given. For dry runs of what others are going to apply. */
  readonly manager?: string;
}

export interface Listing {
  readonly apiVersion: string;
  readonly kind: string;
  /** Every namespace, unless given. */
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly fields?: Readonly<Record<string, string>>;
}

export interface LogOptions {
  readonly previous?: boolean;
  readonly sinceSeconds?: number;
  readonly lines: number;
}

/** One cluster, known to be the one that it is called. */
export interface Cluster {
  /** As the conventions name it. */
  readonly name: string;
  readonly uid: string;
  readonly api: ApiClient;
  /** Null where there is none, or no such kind. */
  get<T extends Live = Live>(ref: ObjectRef): Promise<T | null>;
  /** Nothing, where the cluster does not know the kind. */
  list<T extends Live = Live>(listing: Listing): Promise<readonly T[]>;
  apply(object: KubernetesObject, options?: ApplyOptions): Promise<Live>;
  /** All of it, whoever has written what of it; whatever it was meanwhile. */
  replace(object: KubernetesObject): Promise<Live>;
  /** Only the very object that was read; gone already is as good. */
  remove(object: Live, propagation: 'Background' | 'Orphan'): Promise<void>;
  log(namespace: string, pod: string, options: LogOptions): Promise<string>;
  close(): Promise<void>;
}

/** A line of a log has no bound of its own. */
const greatestLog = 4 * 1024 * 1024;

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export function createCluster(name: string, uid: string, api: ApiClient): Cluster {
  const groups = new Map<string, Promise<readonly Resource[]>>();

  function resourcesOf(apiVersion: string): Promise<readonly Resource[]> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const known =
      groups.get(apiVersion) ??
      api
        .json<{ resources?: Resource[] }>(path)
        .then(({ resources }) => listIn<Resource>(api.context, path, resources), isMissing);
    groups.set(apiVersion, known);
    return known;
  }

  async function pathOf(
    { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
    namespace: string | undefined,
  ): Promise<string | null> {
    const resources = await resourcesOf(apiVersion);
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (found === undefined) return null;
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const inNamespace =
      found.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${base}${inNamespace}/${found.name}`;
  }

  async function objectPath(ref: ObjectRef): Promise<string> {
    const path = await pathOf(ref, ref.metadata.namespace);
    if (path !== null) return `${path}/${encodeURIComponent(ref.metadata.name)}`;
    throw new ClusterError('cluster.unknown-kind', `${name} does not know ${ref.kind} of ${ref.apiVersion}`, [
      'The operator that defines it is not installed there, or in another version.',
    ]);
  }

  return {
    name,
    uid,
    api,
    async get<T extends Live>(ref: ObjectRef) {
      const path = await pathOf(ref, ref.metadata.namespace);
      if (path === null) return null;
      return api
        .json<T>(`${path}/${encodeURIComponent(ref.metadata.name)}`)
        .catch((error: unknown) => isGone(error));
    },
    async list<T extends Live>({ apiVersion, kind, namespace, selector = {}, fields = {} }: Listing) {
      const path = await pathOf({ apiVersion, kind }, namespace);
      if (path === null) return [];
      const labelSelector = selectorText(selector);
      const fieldSelector = selectorText({ matchLabels: fields });
      const query = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
      const { items } = await api.json<{ items?: T[] }>(path, { query });
      return listIn<T>(api.context, path, items).map((item) => ({ ...item, apiVersion, kind }));
    },
    async apply(object, { dryRun = false, force = false, manager = fieldManager } = {}) {
      const query = {
        fieldManager: manager,
        fieldValidation: 'Strict',
        ...(dryRun && { dryRun: 'All' }),
        ...(force && { force: 'true' }),
      };
      return api.json<Live>(await objectPath(object), {
        method: 'PATCH',
        query,
        body: object,
        contentType: applyPatch,
      });
    },
    async replace(object) {
      const query = { fieldManager };
      return api.json<Live>(await objectPath(object), { method: 'PUT', query, body: object });
    },
    async remove(object, propagation) {
      const body = { propagationPolicy: propagation, preconditions: { uid: object.metadata.uid } };
      await api
        .json(await objectPath(object), { method: 'DELETE', body })
        .catch((error: unknown) => isGone(error));
    },
    log: (namespace, pod, options) => api.text(logPath(namespace, pod), { query: logQuery(options) }),
    close: () => api.close(),
  };
}

const logPath = (namespace: string, pod: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;

const logQuery = ({ previous = false, sinceSeconds, lines }: LogOptions): Record<string, string> => ({
  tailLines: String(lines),
  limitBytes: String(greatestLog),
  ...(previous && { previous: 'true' }),
  ...(sinceSeconds !== undefined && { sinceSeconds: String(sinceSeconds) }),
});

function listIn<T>(context: string, path: string, list: readonly T[] | undefined): readonly T[] {
  if (Array.isArray(list)) return list;
  throw notAnApiServer(context, path);
}

function isMissing(error: unknown): readonly Resource[] {
  return isGone(error) ?? [];
}

function isGone(error: unknown): null {
  if (error instanceof ClusterError && error.refusal?.status === 404) return null;
  throw error;
}
