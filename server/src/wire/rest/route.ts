import type { z } from 'zod';
import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Credentials } from '#credentials';
import type { Caller, Permission, Principal, Refusal } from '#domain';
import type { Clock, Result } from '#foundation';
import type { Hub } from '#hub';
import type { Identity } from '#identity';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import type { Sources } from '#sources';
import type { Db } from '#storage';
import type { Log, Span, Tracer } from '#telemetry';
import type { Executions } from './executions/executions.ts';
import type { StatusFacts } from './status/contract.ts';

/** Whoever owns this one runs the installation. */
export const firstOrganizationId = 'default';

/** What the API is built of. */
export interface RestRooms {
  readonly pipeline: Pipeline;
  readonly catalog: Catalog;
  readonly sources: Sources;
  readonly credentials: Pick<
    Credentials,
    'providers' | 'authorizations' | 'connections' | 'secrets' | 'connectList' | 'redirectUriOf'
  >;
  readonly identity: Identity;
  readonly policy: Policy;
  /** `null`: this process has no part in it, and none of its operations. */
  readonly hub: Hub | null;
  readonly audit: Audit;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly version: string;
  /** Where clients reach us; `null`: the origin of the request. */
  readonly publicUrl: string | null;
  /** Our own origin, never taken from a request: who signs people in, and what links begin with. */
  readonly issuer: () => string;
  readonly status: StatusFacts;
  /** The name of what this process needs and does not have; `null` when it can serve. */
  readonly unready: () => Promise<string | null>;
  /** Aborted when the process is to end: whoever waits is told how it is now. */
  readonly stopping: AbortSignal;
}

/** What its operations get. */
export type RestDeps = Omit<RestRooms, 'db'> & { readonly executions: Executions };

/** One checked request of a caller who may make it. */
export interface RestRequest<Body, Query> {
  readonly principal: Principal;
  readonly organizationId: string;
  readonly projectId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  /** `https://host`, without a slash at the end. */
  readonly publicUrl: string;
  readonly signal: AbortSignal;
  /** Of the whole request; `null` where the operation is not `traced`. */
  readonly span: Span | null;
  header(name: string): string | undefined;
  /** The principal acting as this user; `field` says where the user was named. */
  actAs(userId: string | undefined): Result<Caller, Refusal>;
}

export interface Answer {
  readonly status: 200 | 201 | 204 | 503;
  readonly body?: unknown;
  readonly changed?: Changed;
  /** Nothing was done, and the same request may do it later. */
  readonly undone?: true;
}

/**
 * What an operation changed, for its audit record; every one that `mutates` says it. `before` and `after` are the resource as
 * the API shows it, `null` where there was none, or is none any more. They are given as they are, like the body that was
 * asked with: the record leaves out what is secret (changes.ts), and it keeps what was asked beside them.
 */
export interface Changed {
  readonly before?: unknown;
  readonly after?: unknown;
  /** What stands in neither: names of what was approved. */
  readonly [more: string]: unknown;
}

type Outcome = Result<Answer, Refusal>;

/** One operation: everything about it but the work. The document at `/v1/swagger` is made of these. */
export interface Route<Body = unknown, Query = unknown> {
  /** `workers.create`: names the operation in the audit. */
  readonly operation: string;
  readonly summary: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v1`, parameters in braces. */
  readonly path: string;
  /** Its path names the organisation itself, so it is not served below projects, too. */
  readonly ofOrganization?: true;
  /** What the caller must have: by the scopes of an API key, or by a role. */
  readonly needs: Permission;
  /**
   * Open to callers who are confined to their users or tools, or only to those confined to users; it must then look at these
   * restrictions itself.
   */
  readonly forRestrictedKeys?: boolean | 'users';
  /** It is a part of its caller's trace, and its answer tells which. */
  readonly traced?: true;
  /** It changes something, so it leaves an audit record, whether refused or not. */
  readonly mutates?: boolean;
  /** Of what kind its records are, where what it needs does not say. */
  readonly records?: 'credential';
  readonly body?: z.ZodType<Body>;
  /** What of the body its audit record may hold; all of it, but for what is secret by its name (changes.ts), unless told. */
  readonly recorded?: (body: Body) => unknown;
  readonly query?: z.ZodType<Query>;
  readonly success: 200 | 201 | 204;
  run(request: RestRequest<Body, Query>): Promise<Outcome> | Outcome;
}

/** Holds an operation's body and query to their schemas, then forgets their types. */
export function route<Body = undefined, Query = undefined>(definition: Route<Body, Query>): Route {
  return definition as unknown as Route;
}
