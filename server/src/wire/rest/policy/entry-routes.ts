import type { EntryHead } from '@sallyport/contracts';
import type { z } from 'zod';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Entries, Entry } from '#policy';
import { issuesRefusal } from '../answer.ts';
import { pageOf } from '../paging.ts';
import { type Answer, type RestDeps, type RestRequest, type Route, route } from '../route.ts';

interface Definition {
  readonly gateway?: string | null | undefined;
}

/** What is laid down by an administrator, one definition an entry. */
export interface EntryKind<Defined extends Definition, Query extends PageOfEntries> {
  /** The path, and the beginning of each operation's name. */
  readonly name: string;
  readonly one: string;
  readonly entries: Entries<Defined>;
  readonly request: z.ZodType<Defined>;
  readonly update: z.ZodType<Readonly<Record<string, unknown>>>;
  readonly query: z.ZodType<Query>;
  /** Whether the list that was asked for holds it; the gateway is looked at already. */
  readonly isAskedFor?: (defined: Defined, query: Query) => boolean;
  /** What its schema cannot see. */
  readonly check?: (defined: Defined, before: Defined | null) => Refusal | null;
}

interface PageOfEntries {
  readonly limit: number;
  readonly offset: number;
  readonly gateway?: string | undefined;
}

/** Everything about one kind of entry: whoever may read these knows who may do what, so all of it is for administrators. */
export function entryRoutes<Defined extends Definition, Query extends PageOfEntries>(
  kind: EntryKind<Defined, Query>,
  deps: RestDeps,
): readonly Route[] {
  return [...readingRoutes(kind), ...changingRoutes(kind, deps)];
}

function readingRoutes<Defined extends Definition, Query extends PageOfEntries>({
  name,
  one,
  entries,
  query,
  isAskedFor = () => true,
}: EntryKind<Defined, Query>): readonly Route[] {
  return [
    route({
      operation: `${name}.list`,
      summary: `The ${name} of the project, the oldest first`,
      method: 'GET',
      path: `/${name}`,
      needs: 'inspect',
      query,
      success: 200,
      run({ projectId, query }) {
        const { gateway } = query;
        const found = entries
          .list(projectId)
          .filter(
            ({ definition }) =>
              (gateway === undefined || definition.gateway === gateway) && isAskedFor(definition, query),
          );
        return ok({ status: 200, body: pageOf(found, query, entryResponse) });
      },
    }),
    route({
      operation: `${name}.get`,
      summary: `One ${one}`,
      method: 'GET',
      path: `/${name}/{id}`,
      needs: 'inspect',
      success: 200,
      run({ projectId, params: { id = '' } }) {
        const entry = entries.get(projectId, id);
        return entry === null ? unknown(one, id) : ok({ status: 200, body: entryResponse(entry) });
      },
    }),
  ];
}

function changingRoutes<Defined extends Definition, Query extends PageOfEntries>(
  kind: EntryKind<Defined, Query>,
  deps: RestDeps,
): readonly Route[] {
  const { name, one, entries, request, update } = kind;
  const path = `/${name}/{id}`;

  /** Makes an entry this, if nothing speaks against it. */
  async function replace(
    { projectId, params: { id = '' } }: Pick<RestRequest<unknown, unknown>, 'projectId' | 'params'>,
    define: (before: Defined) => Result<Defined, Refusal>,
  ): Promise<Result<Answer, Refusal>> {
    const before = entries.get(projectId, id);
    if (before === null) return unknown(one, id);
    const defined = define(before.definition);
    if (!defined.ok) return defined;
    const problem = problemOf(defined.value, before.definition, projectId, kind, deps);
    if (problem !== null) return err(problem);
    const replaced = await entries.replace(projectId, id, defined.value);
    if (!replaced.ok) return replaced;
    const after = entryResponse(replaced.value);
    return ok({ status: 200, body: after, changed: { before: entryResponse(before), after } });
  }

  return [
    route({
      operation: `${name}.create`,
      summary: `Lay down a ${one}; it acts from the next call on`,
      method: 'POST',
      path: `/${name}`,
      needs: 'configure',
      mutates: true,
      body: request,
      success: 201,
      async run({ projectId, body }) {
        const problem = problemOf(body, null, projectId, kind, deps);
        if (problem !== null) return err(problem);
        const after = entryResponse(await entries.create(projectId, body));
        return ok({ status: 201, body: after, changed: { before: null, after } });
      },
    }),
    route({
      operation: `${name}.replace`,
      summary: `Replace a ${one}`,
      method: 'PUT',
      path,
      needs: 'configure',
      mutates: true,
      body: request,
      success: 200,
      run: (asked) => replace(asked, () => ok(asked.body)),
    }),
    route({
      operation: `${name}.update`,
      summary: `Change a ${one}; what is left out stays, and null takes away`,
      method: 'PATCH',
      path,
      needs: 'configure',
      mutates: true,
      body: update,
      success: 200,
      run: (asked) => replace(asked, (before) => merged(before, asked.body, request)),
    }),
    route({
      operation: `${name}.delete`,
      summary: `Take a ${one} away at once`,
      method: 'DELETE',
      path,
      needs: 'configure',
      mutates: true,
      success: 204,
      async run({ projectId, params: { id = '' } }) {
        const removed = await entries.remove(projectId, id);
        if (!removed.ok) return removed;
        return ok({ status: 204, changed: { before: entryResponse(removed.value), after: null } });
      },
    }),
  ];
}

function problemOf<Defined extends Definition, Query extends PageOfEntries>(
  defined: Defined,
  before: Defined | null,
  projectId: string,
  { check }: EntryKind<Defined, Query>,
  { catalog }: RestDeps,
): Refusal | null {
  const { gateway = null } = defined;
  // What is denied on a gateway that is not there would be denied nowhere. One that has gone since may go on being named.
  const isNamedAnew = gateway !== null && gateway !== before?.gateway;
  if (isNamedAnew && !catalog.gateways(projectId).some(({ slug }) => slug === gateway)) {
    const message = `gateway: there is no gateway with the slug "${gateway}"`;
    return refusal('request.params_invalid', message, { field: 'gateway' });
  }
  return check?.(defined, before) ?? null;
}

function merged<Defined extends Definition>(
  before: Defined,
  change: Readonly<Record<string, unknown>>,
  request: z.ZodType<Defined>,
): Result<Defined, Refusal> {
  const all = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null);
  const parsed = request.safeParse(Object.fromEntries(all));
  return parsed.success ? ok(parsed.data) : err(issuesRefusal(parsed.error));
}

function entryResponse<Defined extends object>(entry: Entry<Defined>): EntryHead & Defined {
  const { id, projectId, definition, createdAt, updatedAt } = entry;
  const fromFile = entry.origin === 'file';
  return {
    id,
    ...definition,
    binding: { type: fromFile ? 'static' : 'project', id: projectId },
    ...(fromFile ? {} : { created_at: createdAt, updated_at: updatedAt }),
  };
}

function unknown(one: string, id: string) {
  return err(refusal('resource.unknown', `there is no ${one} ${id}`, { field: 'id' }));
}
