import { type Refusal, refusal, type Source } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { RestDeps } from '../route.ts';

export interface Naming {
  readonly projectId: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The worker that the path names. */
export function namedWorker({ sources }: RestDeps, { projectId, params }: Naming): Result<Source, Refusal> {
  const id = params.id ?? '';
  const source = sources.get(projectId, id);
  return source === null
    ? err(refusal('resource.unknown', `there is no worker ${id}`, { field: 'id' }))
    : ok(source);
}
