import type { ListKind } from '#catalog';
import { refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, refused, serverInfo } from '../front.ts';
import { hearerNow } from '../hearing.ts';
import { type ClientMessage, paramsInvalid, type RpcId, resultMessage } from '../rpc.ts';
import { prefix } from './envelope.ts';
import { subscribeAll } from './resource-subscriptions.ts';
import { followTasks } from './task-subscriptions.ts';

const flags = {
  toolsListChanged: 'tools',
  promptsListChanged: 'prompts',
  resourcesListChanged: 'resources',
} as const satisfies Record<string, ListKind>;

const maxSubscriptions = 1000;

/**
 * `subscriptions/listen`: the stream on which this generation hears of changes. The first message says what it will hear of:
 * resources that the caller may not have, or whose source tells of no changes, are left out.
 */
export async function listen(
  exchange: Exchange,
  { id, params }: Extract<ClientMessage, { kind: 'request' }>,
  deps: McpDeps,
): Promise<Result<void, Refused>> {
  const fault = faultOf(exchange, params);
  if (fault !== null) return err(refused(fault));
  const { response, caller, view } = exchange;
  if (response.destroyed) return ok(undefined);
  if (!deps.streams.admit(caller.principal.id, response)) {
    return err(refused(refusal('session.limit', 'too many streams are listening; end some')));
  }
  const asked = params.notifications as Members;
  const wanted = Object.entries(flags).filter(([flag]) => asked[flag] === true);
  const subscription = { [`${prefix}/subscriptionId`]: id };
  const uris = asked.resourceSubscriptions as readonly string[] | undefined;
  const ids = asked.taskIds as readonly string[] | undefined;
  const resources = await subscribeAll(exchange, uris ?? [], subscription, deps);
  const tasks = await followTasks(exchange, ids ?? [], params, subscription, deps);
  exchange.notify({
    method: 'notifications/subscriptions/acknowledged',
    params: {
      notifications: {
        ...Object.fromEntries(wanted.map(([flag]) => [flag, true])),
        ...(uris === undefined ? {} : { resourceSubscriptions: resources.uris }),
        ...(ids === undefined ? {} : { taskIds: tasks.names }),
      },
      _meta: subscription,
    },
  });
  resources.begin();
  tasks.begin();
  const changed = (list: ListKind) =>
    JSON.stringify({
      jsonrpc: '2.0',
      method: `notifications/${list}/list_changed`,
      params: { _meta: subscription },
    });
  const goodbye = goodbyeOf(id, { ...subscription, [`${prefix}/serverInfo`]: serverInfo(exchange, deps) });
  const lists = new Set(wanted.map(([, list]) => list));
  const mayHear = () => hearerNow(exchange, deps) !== null;
  deps.streams.hold(lists.size === 0 ? null : view.gateway.slug, {
    response,
    mayHear,
    lists,
    changed,
    goodbye,
  });
  return ok(undefined);
}

function faultOf(exchange: Exchange, { notifications: asked }: Members) {
  if (!isMembers(asked)) return paramsInvalid('params.notifications', 'must be an object');
  const problem =
    faultOfNames(asked, 'resourceSubscriptions', 'URIs') ?? faultOfNames(asked, 'taskIds', 'ids');
  if (problem !== null) return problem;
  if (exchange.acceptsStream) return null;
  return refusal('request.not_acceptable', 'listening needs Accept: text/event-stream', { field: 'Accept' });
}

function faultOfNames(asked: Members, member: string, what: string) {
  const names = asked[member];
  const field = `params.notifications.${member}`;
  if (names === undefined) return null;
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    return paramsInvalid(field, `must be a list of ${what}`);
  if (names.length > maxSubscriptions)
    return paramsInvalid(field, `holds at most ${maxSubscriptions} ${what}`);
  return null;
}

function goodbyeOf(id: RpcId, meta: Members): string {
  return resultMessage(id, JSON.stringify({ resultType: 'complete', _meta: meta })).toString();
}
