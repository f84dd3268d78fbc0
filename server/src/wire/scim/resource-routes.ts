import { ok, type Result } from '#foundation';
import type { Found, Search } from '#identity';
import type { ScimProblem } from './problem.ts';
import type { Attributes } from './read-attributes.ts';
import { checkVersion, isKnown, listAnswer, readSearch, shownOf, there } from './requests.ts';
import type { ResourceSchema } from './resource-schema.ts';
import type { ScimAnswer, ScimOutcome, ScimRequest, ScimRoute } from './route.ts';
import type { Shown } from './shown.ts';

/** What was done: the resource afterwards, and what the record says of it. */
export interface Done<T> {
  readonly resource: T;
  readonly changed: Readonly<Record<string, unknown>>;
}

export type Check<T> = (now: T) => Result<void, ScimProblem>;

/** A kind of resource. `null` where there is none of this id; `check` refuses what was changed meanwhile. */
export interface Resources<T> {
  readonly name: 'users' | 'groups';
  readonly path: string;
  readonly what: string;
  readonly schema: ResourceSchema;
  /** Whether a patch shows it: it may be long. */
  showsPatched(request: ScimRequest): boolean;
  version(resource: T): string;
  show(resources: readonly T[], shown: Shown, base: string): Promise<readonly Attributes[]>;
  find(organizationId: string, id: string): Promise<T | null>;
  search(organizationId: string, search: Search, shown: Shown): Promise<Found<T>>;
  create(request: ScimRequest): Promise<Result<Done<T>, ScimProblem>>;
  replace(request: ScimRequest, check: Check<T>): Promise<Result<Done<T>, ScimProblem> | null>;
  patch(request: ScimRequest, check: Check<T>): Promise<Result<Done<T>, ScimProblem> | null>;
  remove(request: ScimRequest, check: Check<T>): Promise<Result<void, ScimProblem> | null>;
}

export function resourceRoutes<T extends { readonly id: string }>(kind: Resources<T>): readonly ScimRoute[] {
  return [...readingRoutes(kind), ...writingRoutes(kind)];
}

async function answer<T extends { readonly id: string }>(
  kind: Resources<T>,
  status: 200 | 201,
  resource: T,
  { query, base }: ScimRequest,
): Promise<ScimAnswer> {
  const [body] = await kind.show([resource], shownOf(query, kind.schema), base);
  const location = `${base}${kind.path}/${resource.id}`;
  return { status, body, version: kind.version(resource), location };
}

function readingRoutes<T extends { readonly id: string }>(kind: Resources<T>): readonly ScimRoute[] {
  const { name, path, what, schema } = kind;

  async function list(given: object, { organizationId, base }: ScimRequest): Promise<ScimOutcome> {
    const asked = readSearch(given, schema);
    if (!asked.ok) return asked;
    const { search, shown } = asked.value;
    const { items, total } = await kind.search(organizationId, search, shown);
    return listAnswer(await kind.show(items, shown, base), total, search.offset);
  }

  return [
    {
      operation: `scim.${name}.list`,
      method: 'GET',
      path,
      run: (request) => list(Object.fromEntries(request.query), request),
    },
    {
      operation: `scim.${name}.search`,
      method: 'POST',
      path: `${path}/.search`,
      run: (request) => list(request.body, request),
    },
    {
      operation: `scim.${name}.get`,
      method: 'GET',
      path: `${path}/{id}`,
      async run(request) {
        const found = there(await kind.find(request.organizationId, request.id), what, request.id);
        if (!found.ok) return found;
        const version = kind.version(found.value);
        if (isKnown(request, version)) return ok({ status: 304, version });
        return ok(await answer(kind, 200, found.value, request));
      },
    },
  ];
}

function writingRoutes<T extends { readonly id: string }>(kind: Resources<T>): readonly ScimRoute[] {
  const { name, path, what } = kind;
  const unchanged = (request: ScimRequest) => (now: T) => checkVersion(request, kind.version(now));

  /** What was done to one that is there. */
  async function done(
    request: ScimRequest,
    found: Result<Done<T>, ScimProblem> | null,
    shows: boolean,
  ): Promise<ScimOutcome> {
    const known = there(found, what, request.id);
    if (!known.ok) return known;
    if (!known.value.ok) return known.value;
    const { resource, changed } = known.value.value;
    if (shows) return ok({ ...(await answer(kind, 200, resource, request)), changed });
    return ok({ status: 204, version: kind.version(resource), changed });
  }

  const route = (
    act: string,
    method: ScimRoute['method'],
    below: string,
    run: ScimRoute['run'],
  ): ScimRoute => ({ operation: `scim.${name}.${act}`, method, path: path + below, mutates: true, run });

  return [
    route('create', 'POST', '', async (request) => {
      const made = await kind.create(request);
      if (!made.ok) return made;
      const { resource, changed } = made.value;
      return ok({ ...(await answer(kind, 201, resource, request)), changed });
    }),
    route('replace', 'PUT', '/{id}', async (request) =>
      done(request, await kind.replace(request, unchanged(request)), true),
    ),
    route('change', 'PATCH', '/{id}', async (request) =>
      done(request, await kind.patch(request, unchanged(request)), kind.showsPatched(request)),
    ),
    route('delete', 'DELETE', '/{id}', async (request) => {
      const found = there(await kind.remove(request, unchanged(request)), what, request.id);
      if (!found.ok) return found;
      return found.value.ok ? ok({ status: 204, changed: { [what]: request.id } }) : found.value;
    }),
  ];
}
