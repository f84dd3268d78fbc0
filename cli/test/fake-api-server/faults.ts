import { ApiFault } from './api-fault.ts';
import type { Json } from './json.ts';
import { resourceOf } from './kinds.ts';
import type { Target } from './target.ts';

export interface RequestSeen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What goes wrong with requests that it fits. */
export interface Fault {
  readonly on: (request: RequestSeen) => boolean;
  /** How often; for ever unless given. */
  readonly times?: number;
  /** The connection ends without an answer, before the request has its effect or (`'after'`) when it has had it. */
  readonly cut?: true | 'after';
  /** No answer comes at all. */
  readonly hang?: true;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

export const faultOf = ({
  code = 500,
  reason = 'InternalError',
  message,
  details,
  headers,
}: Fault): ApiFault =>
  new ApiFault(code, reason, message ?? `Internal error occurred: ${reason}`, details, headers);

/** `patch deployments.apps` and the like, of which a token may be refused. */
export function verbOf(method: string, target: Target, query: URLSearchParams): string {
  if (method !== 'GET')
    return { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method] ?? 'get';
  if (query.get('watch') === 'true' || query.get('watch') === '1') return 'watch';
  return target.name === null ? 'list' : 'get';
}

export function forbiddenFault(user: string, verb: string, target: Target): ApiFault {
  const { kind, namespace, name, subresource } = target;
  const plural = subresource === null ? kind.plural : `${kind.plural}/${subresource}`;
  const where = namespace === null ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = `User "${user}" cannot ${verb} resource "${plural}" in API group "${kind.group}" ${where}`;
  const named = name === null ? '' : ` "${name}"`;
  return new ApiFault(403, 'Forbidden', `${resourceOf(kind)}${named} is forbidden: ${what}`, {
    name,
    group: kind.group,
    kind: kind.plural,
  });
}
