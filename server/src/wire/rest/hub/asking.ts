import type { HubWhere } from '@sallyport/contracts';
import type { GatewayView } from '#catalog';
import { type Caller, type Refusal, refusal, silentClient } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { HubAsking } from '#hub';
import type { RestDeps, RestRequest } from '../route.ts';

type Asked = Pick<RestRequest<unknown, unknown>, 'actAs' | 'principal' | 'projectId' | 'signal' | 'span'>;

/** Who asks the hub, and of what: of a gateway where one is named, else of all that the project has. */
export function askingOf(
  { catalog, clock, tracer }: Pick<RestDeps, 'catalog' | 'clock' | 'tracer'>,
  request: Asked,
  { user_id, gateway: slug }: HubWhere,
): Result<HubAsking, Refusal> {
  const caller = request.actAs(user_id);
  if (!caller.ok) return caller;
  const view = slug === undefined ? null : viewOf(catalog.view(slug), request.projectId);
  if (view === undefined)
    return err(refusal('gateway.unknown', `there is no gateway ${slug}`, { field: 'gateway' }));
  return ok({
    caller: caller.value,
    view,
    gateway: view?.gateway ?? null,
    span: request.span ?? tracer.server('hub', { traceparent: undefined, tracestate: undefined }),
    startedAt: clock.monotonic(),
    signal: request.signal,
    notify: null,
    client: silentClient,
    meta: null,
  });
}

/** One of another project, or an inactive one, is none. */
function viewOf(view: GatewayView | null, projectId: string): GatewayView | undefined {
  const isHere = view?.gateway.projectId === projectId && view.gateway.status === 'active';
  return isHere ? view : undefined;
}

/** What is run acts as a user. */
export function withUser(asking: HubAsking): Result<HubAsking & { readonly caller: Caller }, Refusal> {
  if (asking.caller.userId !== null) return ok(asking);
  const message = 'user_id: is required; a tool call acts as a user';
  return err(refusal('identity.user_missing', message, { field: 'user_id' }));
}
