import type { ServerResponse } from 'node:http';
import { ApiFault } from './api-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Json } from './json.ts';
import { apiVersionOf } from './kinds.ts';
import { fieldFilter, labelFilter } from './selectors.ts';
import type { Change } from './store.ts';
import type { Target } from './target.ts';

/** Objects that a request is about: of this kind and namespace, by its selectors. */
export function selection(target: Target, query: URLSearchParams): (object: Json) => boolean {
  const byLabel = labelFilter(query.get('labelSelector') ?? '');
  const byField = fieldFilter(query.get('fieldSelector') ?? '');
  const { namespace, name } = target;
  return (object) =>
    (namespace === null || object.metadata.namespace === namespace) &&
    (name === null || object.metadata.name === name) &&
    byLabel(object) &&
    byField(object);
}

/** Changes before this one are forgotten: who asks for them is told to list again. */
export interface Forgetting {
  before: number;
}

/** Answers with changes, one JSON object a line, for as long as the client listens. */
export function serveWatch(
  state: ClusterState,
  target: Target,
  query: URLSearchParams,
  response: ServerResponse,
  { before }: Forgetting,
): void {
  const isWanted = selection(target, query);
  const { kind } = target;
  const from = query.get('resourceVersion') ?? '';
  const isInitial = query.get('sendInitialEvents') === 'true' || from === '' || from === '0';
  if (!isInitial && Number(from) < before) {
    throw new ApiFault(410, 'Expired', `too old resource version: ${from} (${before})`);
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const send = (type: string, object: Json) => void response.write(`${JSON.stringify({ type, object })}\n`);
  const bookmark = (annotations: Json) => {
    const metadata = { resourceVersion: String(state.store.version()), annotations };
    send('BOOKMARK', { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata });
  };
  const pass = (change: Change) => {
    if (change.kind === kind && isWanted(change.object)) send(change.type, change.object);
  };
  if (isInitial) {
    for (const object of state.store.list(kind, target.namespace))
      if (isWanted(object)) send('ADDED', object);
    if (query.get('sendInitialEvents') === 'true') bookmark({ 'k8s.io/initial-events-end': 'true' });
  } else {
    for (const change of state.store.changes) if (change.version > Number(from)) pass(change);
    if (query.get('allowWatchBookmarks') === 'true') bookmark({});
  }
  response.once('close', state.store.watch(pass));
}
