import {
  type Caller,
  type Principal,
  permissionsOfRole,
  permissionsOfScope,
  type Refusal,
  refusal,
  roles,
} from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';
import { describe, type Span, type Tracer } from '#telemetry';
import { answerOf, issuesRefusal, type RestRefusal, refusalAnswer } from './answer.ts';
import { pathOfNoText, readJson } from './body.ts';
import { challengeOf } from './challenge.ts';
import { changesOf } from './changes.ts';
import type { Answer, RestDeps, RestRequest, Route } from './route.ts';

export interface Incoming {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  /** Of the request, where the operation is traced. */
  readonly span?: Span;
}

/** What a request is served with, beside its own operation. */
export type ServeDeps = Pick<RestDeps, 'identity' | 'pipeline' | 'audit' | 'issuer' | 'publicUrl'>;

/** One request, in order: who, may they, is it well formed, do it, write it down, answer. */
export async function serve(
  deps: ServeDeps & Pick<RestDeps, 'tracer'>,
  route: Route,
  incoming: Incoming,
): Promise<Response> {
  if (route.traced) return inSpan(beginSpan(deps.tracer, route, incoming), deps, route, incoming);
  const outcome = await perform(deps, route, incoming);
  return outcome.ok ? answerOf(outcome.value) : refusalAnswer(outcome.error);
}

async function inSpan(span: Span, deps: ServeDeps, route: Route, incoming: Incoming): Promise<Response> {
  try {
    const outcome = await perform(deps, route, { ...incoming, span });
    if (!outcome.ok) span.fail(outcome.error.code);
    const response = outcome.ok ? answerOf(outcome.value) : refusalAnswer(outcome.error);
    response.headers.set('traceresponse', span.traceparent);
    response.headers.set('traceparent', span.traceparent);
    if (span.sampled) describe(span, { httpStatus: response.status });
    return response;
  } catch (error) {
    span.fail('internal');
    throw error;
  } finally {
    span.end();
  }
}

function beginSpan(tracer: Tracer, { method, path }: Route, { request: { headers } }: Incoming): Span {
  const traceparent = headers.get('traceparent') ?? undefined;
  const tracestate = headers.get('tracestate') ?? undefined;
  const span = tracer.server(`${method} /v1${path}`, { traceparent, tracestate });
  if (span.sampled)
    describe(span, { httpMethod: method, httpRoute: `/v1${path}`, transport: 'tcp', protocol: 'http' });
  return span;
}

/** All but the answer. */
export async function perform(
  deps: ServeDeps,
  route: Route,
  incoming: Incoming,
): Promise<Result<Answer, RestRefusal>> {
  const place = placeOf(route, incoming);
  const authorization = incoming.request.headers.get('authorization') ?? undefined;
  const principal = await deps.identity.authenticate(authorization, place);
  if (!principal.ok) {
    if (route.needs === 'call') await recordStranger(deps, place, principal.error, incoming.span);
    return err({ ...principal.error, challenge: challengeOf(deps.issuer(), principal.error.code) });
  }

  const { org, project, ...ownParams } = incoming.params;
  const params = route.ofOrganization ? incoming.params : ownParams;
  let checked: Result<RestRequest<unknown, unknown>, RestRefusal>;
  let outcome: Result<Answer, RestRefusal>;
  const closed = closedTo(deps, principal.value, route, place);
  if (closed !== null) {
    checked = err(closed);
    outcome = checked;
  } else {
    checked = await check(deps, route, { ...incoming, params }, principal.value);
    outcome = checked.ok ? await route.run(checked.value) : checked;
  }
  if (route.mutates || (route.needs === 'call' && !checked.ok)) {
    const { recorded = (body: unknown) => body } = route;
    const asked = [params, checked.ok ? recorded(checked.value.body) : null];
    await record(deps, route, principal.value, outcome, asked, incoming.span);
  }
  return outcome;
}

interface Place {
  readonly organizationId: string | null;
  readonly projectId: string | null;
}

/** Where something is asked for, as the address says it. */
function placeOf({ ofOrganization }: Route, { params: { org, project } }: Incoming): Place {
  return { organizationId: org ?? null, projectId: ofOrganization ? null : (project ?? null) };
}

/** A tool call that was refused has its record, whoever tried. */
async function recordStranger(
  { audit, identity }: ServeDeps,
  { projectId }: Place,
  { code, reason, message }: Refusal,
  span: Span | undefined,
): Promise<void> {
  await audit.record({
    kind: 'sign_in',
    traceId: span?.traceId ?? null,
    decision: 'refused',
    projectId: identity.people.project(projectId ?? '')?.id ?? 'default',
    code,
    reason: reason ?? message,
  });
}

function closedTo(deps: ServeDeps, principal: Principal, route: Route, place: Place): Refusal | null {
  const isHere =
    (place.organizationId ?? organizationOf(deps, principal)) === organizationOf(deps, principal) &&
    (place.projectId ?? principal.projectId) === principal.projectId;
  if (!isHere) {
    const told = route.ofOrganization ? 'there is no such organization' : 'there is no such project';
    return refusal('resource.unknown', told);
  }
  const { permissions, users, gateways, tools, confined } = principal;
  const isOpen = permissions.has(route.needs);
  const takesConfined =
    route.forRestrictedKeys === 'users' ? tools === null : route.forRestrictedKeys === true;
  if (isOpen && gateways === null && (!confined || takesConfined)) return null;
  const needed = neededBy(principal, route);
  if (!isOpen || principal.kind === 'person') return refusal('identity.scope_missing', needed);
  const takesUsers = route.forRestrictedKeys === 'users' || users === null;
  const to = gateways !== null ? 'gateways' : takesUsers ? 'tools' : 'users';
  return refusal('identity.scope_missing', `${needed} that is not restricted to ${to}`);
}

function organizationOf({ identity }: ServeDeps, { projectId }: Principal): string {
  return identity.people.project(projectId)?.organizationId ?? '';
}

function neededBy({ kind }: Principal, { operation, needs, forRestrictedKeys }: Route): string {
  if (needs === 'own' && kind !== 'person') {
    return `${operation} needs an owner of the organization, or the first admin key of the installation`;
  }
  if (kind === 'api_key') {
    const scope = Object.hasOwn(permissionsOfScope, needs) ? needs : 'admin';
    return `${operation} needs an API key with the scope "${scope}"`;
  }
  const enough = roles.filter(
    (role) => permissionsOfRole[role].includes(needs) && (role !== 'member' || Boolean(forRestrictedKeys)),
  );
  return `${operation} needs one of the roles ${enough.join(', ')}`;
}

async function check(
  deps: ServeDeps,
  route: Route,
  { request, params, span }: Incoming,
  principal: Principal,
): Promise<Result<RestRequest<unknown, unknown>, RestRefusal>> {
  const url = new URL(request.url);
  let query: unknown;
  if (route.query !== undefined) {
    const parsed = route.query.safeParse(Object.fromEntries(url.searchParams));
    if (!parsed.success) return err(issuesRefusal(parsed.error));
    query = parsed.data;
  }
  let body: unknown;
  if (route.body !== undefined) {
    const read = await readJson(request);
    if (!read.ok) return read;
    const parsed = route.body.safeParse(read.value);
    if (!parsed.success) return err(issuesRefusal(parsed.error));
    body = parsed.data;
    const field = route.mutates === true ? pathOfNoText(body) : null;
    if (field !== null) {
      const problem = `${field}: must not hold a NUL character or half a surrogate pair`;
      return err(refusal('request.params_invalid', problem, { field }));
    }
  }
  return ok({
    principal,
    organizationId: organizationOf(deps, principal),
    projectId: principal.projectId,
    params,
    body,
    query,
    publicUrl: deps.publicUrl ?? url.origin,
    signal: request.signal,
    span: span ?? null,
    header: (name) => request.headers.get(name) ?? undefined,
    actAs: (userId) => actAs(deps, principal, userId),
  });
}

/** The pipeline's answer, naming the user where this API has it. */
function actAs(
  { pipeline }: ServeDeps,
  principal: Principal,
  userId: string | undefined,
): Result<Caller, Refusal> {
  const caller = pipeline.actAs(principal, userId ?? null);
  if (caller.ok || caller.error.field !== 'Arcade-User-ID') return caller;
  return err({ ...caller.error, field: 'user_id' });
}

async function record(
  deps: ServeDeps,
  route: Route,
  principal: Principal,
  outcome: Result<Answer, Refusal>,
  asked: readonly unknown[],
  span: Span | undefined,
): Promise<void> {
  const kind = route.records ?? (route.needs === 'call' ? 'tool_call' : 'admin');
  await deps.audit.record({
    kind,
    traceId: span?.traceId ?? null,
    decision: outcome.ok ? 'allowed' : 'refused',
    projectId: principal.projectId,
    principal: principal.id,
    clientId: principal.clientId ?? null,
    userId:
      kind === 'credential' ? userOf(...asked, outcome.ok ? outcome.value.changed?.before : null) : null,
    tool: kind === 'tool_call' ? null : route.operation,
    code: outcome.ok ? null : outcome.error.code,
    reason: outcome.ok ? null : (outcome.error.reason ?? outcome.error.message),
    changes: kind === 'tool_call' ? null : changesOf(...asked, outcome.ok ? outcome.value.changed : null),
  });
}

/** Whose credential it is about: as the request says it, or what it changed. */
function userOf(...said: readonly unknown[]): string | null {
  const named = said.map((one) => (isMembers(one) ? one.user_id : null));
  return named.find((one) => typeof one === 'string' && one !== '')?.toString() ?? null;
}
