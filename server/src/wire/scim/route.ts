import type { Principal } from '#domain';
import type { Result } from '#foundation';
import type { ScimProblem } from './problem.ts';

/** One request of a caller who may make it. */
export interface ScimRequest {
  readonly principal: Principal;
  readonly organizationId: string;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: object;
  /** `https://host/scim/v2` */
  readonly base: string;
  header(name: string): string | undefined;
}

export interface ScimAnswer {
  readonly status: 200 | 201 | 204 | 304;
  readonly body?: unknown;
  readonly version?: string;
  readonly location?: string;
  /** For the record: who, and names of fields. */
  readonly changed?: Readonly<Record<string, unknown>>;
}

export type ScimOutcome = Result<ScimAnswer, ScimProblem>;

/** One operation. Those that change something leave a record, refused or not. */
export interface ScimRoute {
  /** `scim.users.create`: names the operation in the audit. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/scim/v2`, `{id}` for an id. */
  readonly path: string;
  readonly mutates?: true;
  run(request: ScimRequest): Promise<ScimOutcome> | ScimOutcome;
}
