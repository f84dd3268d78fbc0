import { parse } from 'yaml';
import { ApiFault, badRequest, notFound } from './api-fault.ts';
import { type ClusterState, kindNamed } from './cluster-state.ts';
import { withDefaults } from './defaults.ts';
import { isObject, type Json } from './json.ts';
import { apiVersionOf, groupKindOf, type Kind } from './kinds.ts';
import { applied, noteUpdate } from './managed-fields.ts';
import { jsonPatched, mergePatched, strategicPatched } from './patches.ts';
import { type Propagation, removeObject } from './removal.ts';
import { withAddresses } from './service-addresses.ts';
import type { Target } from './target.ts';
import { validate } from './validation.ts';

export interface Writing {
  readonly method: string;
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: string;
  /** First part of the User-Agent: who writes without saying who. */
  readonly agent: string;
}

export interface Written {
  readonly code: number;
  readonly body: Json;
}

/** POST, PUT, PATCH and DELETE. */
export function write(state: ClusterState, writing: Writing): Written {
  const { method, target } = writing;
  if (method === 'DELETE') return remove(state, writing);
  const { kind, namespace } = target;
  const body = parsed(writing);
  if (method === 'POST') return create(state, writing, body);
  if (target.name === null)
    throw new ApiFault(405, 'MethodNotAllowed', 'the server does not allow this method');
  const before = state.store.find(kind, namespace, target.name);
  const isApply = writing.contentType.startsWith('application/apply-patch');
  if (method === 'PATCH' && isApply) return apply(state, writing, before, body);
  if (before === null) throw notFound(kind, target.name);
  const after = method === 'PUT' ? placed(target, body) : patched(writing, before, body);
  return keep(state, writing, before, after);
}

function parsed({ contentType, body }: Writing): Json {
  if (contentType.includes('protobuf')) {
    throw new ApiFault(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format');
  }
  try {
    return contentType.includes('yaml') ? parse(body) : JSON.parse(body);
  } catch (error) {
    throw badRequest(`the body is not valid: ${(error as Error).message}`);
  }
}

/** With the name and the namespace of the path, which an object must not contradict. */
function placed({ kind, namespace, name }: Target, body: Json): Json {
  if (!isObject(body)) throw badRequest('the body is not an object');
  const given: Json = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...body };
  if (given.apiVersion !== apiVersionOf(kind) || given.kind !== kind.kind) {
    throw badRequest(`${given.apiVersion} ${given.kind} does not belong to this path`);
  }
  const metadata = { ...given.metadata };
  if (namespace !== null) metadata.namespace ??= namespace;
  if (name !== null) metadata.name ??= name;
  if ((metadata.namespace ?? null) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name !== null && metadata.name !== name)
    throw badRequest(`the name of the object does not match the name on the URL (${name})`);
  return { ...given, metadata };
}

function create(state: ClusterState, writing: Writing, body: Json): Written {
  const object = placed(writing.target, body);
  if (object.metadata.name === undefined) throw badRequest('name or generateName is required');
  const { kind } = writing.target;
  const after = admitted(state, kind, null, object);
  noteUpdate(null, after, { kind, manager: managerOf(writing), time: state.store.time() });
  return { code: 201, body: isDryRun(writing) ? dry(state, null, after) : state.store.create(kind, after) };
}

function apply(state: ClusterState, writing: Writing, before: Json | null, body: Json): Written {
  const { kind } = writing.target;
  const manager = writing.query.get('fieldManager');
  if (manager === null)
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  if (isObject(body) && isObject(body.metadata) && 'managedFields' in body.metadata) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const config = placed(writing.target, body);
  const force = writing.query.get('force') === 'true';
  const merged = applied(before, config, { kind, manager, force, time: state.store.time() });
  const after = admitted(state, kind, before, merged);
  if (isDryRun(writing)) return { code: before === null ? 201 : 200, body: dry(state, before, after) };
  if (before === null) return { code: 201, body: state.store.create(kind, after) };
  return { code: 200, body: state.store.replace(kind, after) };
}

function patched({ contentType, target, query }: Writing, before: Json, body: Json): Json {
  if (query.has('force')) throw badRequest('force may not be specified for non-apply patch');
  if (contentType.startsWith('application/json-patch+json')) return jsonPatched(before, body);
  if (contentType.startsWith('application/merge-patch+json')) return mergePatched(before, body);
  if (contentType.startsWith('application/strategic-merge-patch+json')) {
    if (target.kind.custom === true) {
      const types = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
      const what = 'the body of the request was in an unknown format';
      throw new ApiFault(415, 'UnsupportedMediaType', `${what} - accepted media types include: ${types}`);
    }
    return strategicPatched(before, body);
  }
  throw new ApiFault(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format: ${contentType}`,
  );
}

function keep(state: ClusterState, writing: Writing, before: Json, given: Json): Written {
  const { kind, subresource } = writing.target;
  const own =
    subresource === 'status' ? { ...before, status: given.status } : { ...given, status: before.status };
  const after = admitted(state, kind, before, own);
  noteUpdate(before, after, { kind, manager: managerOf(writing), time: state.store.time() });
  return {
    code: 200,
    body: isDryRun(writing) ? dry(state, before, after) : state.store.replace(kind, after),
  };
}

/** As it would be kept: complete, valid, with its addresses. */
function admitted(state: ClusterState, kind: Kind, before: Json | null, given: Json): Json {
  const { store } = state;
  const { namespace, name } = given.metadata;
  if (kind.namespaced && store.find(kindNamed(state, 'Namespace'), null, namespace) === null) {
    throw notFound(kindNamed(state, 'Namespace'), namespace);
  }
  if (before !== null && before.metadata.uid !== (given.metadata.uid ?? before.metadata.uid)) {
    throw new ApiFault(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${groupKindOf(kind)} "${name}": Precondition failed: UID`,
    );
  }
  let object = withDefaults(kind, given);
  if (before !== null) {
    object.metadata.uid = before.metadata.uid;
    object.metadata.creationTimestamp = before.metadata.creationTimestamp;
    object.metadata.generation = before.metadata.generation;
  }
  if (kind.kind === 'Service' && object.spec !== undefined) {
    if (before !== null && object.spec.clusterIP === undefined) object.spec.clusterIP = before.spec.clusterIP;
    validate(kind, before, object);
    object = withAddresses(kind, object, before, store.list(kind, null), state.nodePortRange);
  } else validate(kind, before, object);
  return object;
}

function remove(state: ClusterState, writing: Writing): Written {
  const { target, query, body } = writing;
  const { kind, namespace, name } = target;
  if (name === null) throw new ApiFault(405, 'MethodNotAllowed', 'the server does not allow this method');
  const object = state.store.get(kind, namespace, name);
  const options = body === '' ? {} : parsed(writing);
  const uid = options.preconditions?.uid;
  if (uid !== undefined && uid !== object.metadata.uid) {
    throw new ApiFault(
      409,
      'Conflict',
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`,
    );
  }
  const asked = options.propagationPolicy ?? query.get('propagationPolicy');
  const orphan = options.orphanDependents === true || query.get('orphanDependents') === 'true';
  const propagation: Propagation = asked ?? (orphan ? 'Orphan' : 'Background');
  const isDry = isDryRun(writing) || options.dryRun?.includes('All');
  if (!isDry) removeObject(state, kind, object, propagation);
  const details = { name, group: kind.group, kind: kind.plural, uid: object.metadata.uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

const isDryRun = ({ query }: Writing): boolean => {
  const asked = query.getAll('dryRun');
  if (asked.some((value) => value !== 'All')) throw badRequest('Invalid value for dryRun: must be All');
  return asked.length > 0;
};

const managerOf = ({ query, agent }: Writing): string => query.get('fieldManager') ?? agent;

function dry(state: ClusterState, before: Json | null, after: Json): Json {
  const object = structuredClone(after);
  object.metadata.uid ??= state.store.newUid();
  object.metadata.creationTimestamp ??= state.store.time();
  object.metadata.resourceVersion = before?.metadata.resourceVersion;
  return object;
}
