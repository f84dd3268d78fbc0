import {
  type ScimListResponse,
  type ScimOperation,
  type ScimSearchRequest,
  scimPatchRequest,
  scimSearchRequest,
  scimUrns,
} from '@sallyport/contracts';
import type { z } from 'zod';
import { refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Field, Search } from '#identity';
import { conditionOf, sortField } from './condition.ts';
import { invalid, type ScimProblem } from './problem.ts';
import type { ResourceSchema } from './resource-schema.ts';
import type { ScimAnswer, ScimRequest } from './route.ts';
import { type Shown, shown } from './shown.ts';

export const maxCount = 200;
const defaultCount = 100;
const maxOffset = 1_000_000_000;

/** A page that was asked for. */
export interface Asked {
  readonly search: Search;
  readonly shown: Shown;
}

/** Of the query, or of the body of a `.search`. Parameters that are not known are left out. */
export function readSearch(given: object, schema: ResourceSchema): Result<Asked, ScimProblem> {
  const parsed = scimSearchRequest.safeParse(given);
  if (!parsed.success) return issue(parsed.error, 'invalidValue');
  const { filter, startIndex = 1, count = defaultCount, sortOrder } = parsed.data;
  const where = filter === undefined ? ok(null) : conditionOf(filter, schema);
  if (!where.ok) return invalid('invalidFilter', `filter: ${where.error}`, 'filter');
  const orderBy = orderOf(parsed.data, schema);
  if (!orderBy.ok) return orderBy;
  return ok({
    search: {
      where: where.value,
      orderBy: orderBy.value,
      descending: sortOrder === 'descending',
      offset: Math.min(Math.max(startIndex, 1) - 1, maxOffset),
      limit: Math.min(Math.max(count, 0), maxCount),
    },
    shown: shown(schema, namesOf(parsed.data)),
  });
}

function orderOf({ sortBy }: ScimSearchRequest, schema: ResourceSchema): Result<Field | null, ScimProblem> {
  if (sortBy === undefined || sortBy === '') return ok(null);
  const field = sortField(sortBy, schema);
  return field === null
    ? invalid('invalidValue', 'sortBy: names no attribute that has one value', 'sortBy')
    : ok(field);
}

/** `attributes` and `excludedAttributes` of the query. */
export function shownOf(query: URLSearchParams, schema: ResourceSchema): Shown {
  const [attributes, excludedAttributes] = [query.get('attributes'), query.get('excludedAttributes')];
  return shown(schema, {
    ...(attributes === null ? {} : { attributes }),
    ...(excludedAttributes === null ? {} : { excludedAttributes }),
  });
}

function namesOf({ attributes, excludedAttributes }: ScimSearchRequest) {
  return {
    ...(attributes === undefined ? {} : { attributes }),
    ...(excludedAttributes === undefined ? {} : { excludedAttributes }),
  };
}

export function readOperations(body: object): Result<readonly ScimOperation[], ScimProblem> {
  const parsed = scimPatchRequest.safeParse(body);
  return parsed.success ? ok(parsed.data.Operations) : issue(parsed.error, 'invalidSyntax');
}

function issue({ issues: [first] }: z.ZodError, scimType: 'invalidSyntax' | 'invalidValue') {
  const field = first?.path.map(String).join('.') ?? '';
  return invalid(scimType, `${field}: ${first?.message}`, field);
}

export function listAnswer(
  resources: readonly unknown[],
  total: number,
  offset: number,
): Result<ScimAnswer, ScimProblem> {
  const body: ScimListResponse = {
    schemas: [scimUrns.listResponse],
    totalResults: total,
    startIndex: offset + 1,
    itemsPerPage: resources.length,
    Resources: [...resources],
  };
  return ok({ status: 200, body });
}

/** Whether this is the version that the caller knows, where they say one. */
export function checkVersion(request: ScimRequest, version: string): Result<void, ScimProblem> {
  const known = request.header('if-match');
  if (known === undefined || hasVersion(known, version)) return ok(undefined);
  const told = 'If-Match: this was changed meanwhile; read it again';
  return err({ status: 412, refusal: refusal('resource.conflict', told, { field: 'If-Match' }) });
}

export function isKnown(request: ScimRequest, version: string): boolean {
  const known = request.header('if-none-match');
  return known !== undefined && hasVersion(known, version);
}

function hasVersion(list: string, version: string): boolean {
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return list.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(version));
}

/** `null` is nobody. */
export function there<T>(found: T | null, what: string, id: string): Result<T, ScimProblem> {
  if (found !== null) return ok(found);
  const told = `there is no ${what} ${id.slice(0, 100)}`;
  return err({ status: 404, refusal: refusal('resource.unknown', told, { field: 'id' }) });
}
