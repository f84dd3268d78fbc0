import { type Credential, type Source, timeoutMsOf } from '#domain';
import { err, ok, type Result } from '#foundation';
import type {
  Inspection,
  InspectionFailure,
  KnownTools,
  SourceConnection,
  SourceDeps,
  SourceEvents,
  SourceKind,
} from '../contract.ts';
import { defaultMaxListBytes, inspectionTimeoutMs } from '../limits.ts';
import { inspected, withSteps } from '../steps.ts';
import { jobOfCall, jobOfRequest } from './call.ts';
import { authorizationOf, conversationKey } from './capabilities.ts';
import { subscriberKey } from './changes/feed.ts';
import { createListener } from './changes/listen.ts';
import { createSubscriptions } from './changes/subscriptions.ts';
import { converse } from './converse.ts';
import { createLink } from './link.ts';
import { fetchOthers } from './lists/list-others.ts';
import { fetchTools, type ReadTools } from './lists/tool-pages.ts';
import { createParkingLot } from './parked.ts';
import { createStandsAlone } from './stands-alone.ts';
import type { Ways } from './transports/transport.ts';
import { waysTo } from './transports/ways.ts';

/** MCP servers of every revision, over every transport. */
export const mcpKind: SourceKind = {
  kind: 'mcp',
  open(source, deps, events) {
    const ways = waysTo(source, deps);
    return ways.ok ? ok(openMcp(source, ways.value, deps, events)) : ways;
  },
};

function openMcp(
  source: Source,
  ways: Ways,
  {
    clock,
    maxAnswerBytes = defaultMaxListBytes,
    listToken = async () => null,
    listed = async () => null,
  }: SourceDeps,
  events: SourceEvents,
): SourceConnection {
  const { onListChanged } = events;
  const timeoutMs = inspectionTimeoutMs(source);
  const link = createLink({ ways, clock, timeoutMs, events });
  const parked = createParkingLot(clock);
  const subscriptions = createSubscriptions({ link, clock, timeoutMs });
  const deps = { link, parked, clock };
  const listener = createListener({ clock, timeoutMs, onListChanged });
  let last: (ReadTools & { readonly rest: string; readonly inspection: Inspection }) | null = null;

  /** As they were kept by a process before this one. */
  let kept: Promise<KnownTools | null> | null = null;

  async function inspect(): Promise<Result<Inspection, InspectionFailure>> {
    const token = link.authorizes ? null : await listToken(source, null);
    const first = await inspectWith(token);
    if (token === null || first.ok || first.error.challenge === undefined) return first;
    const another = await listToken(source, token.token);
    return another === null ? first : inspectWith(another);
  }

  async function inspectWith(
    token: Credential['authorization'],
  ): Promise<Result<Inspection, InspectionFailure>> {
    const authorization = authorizationOf({ authorization: token, secrets: [] });
    await link.reconsider(authorization);
    const bounds = { timeoutMs, maxBytes: maxAnswerBytes, authorization };
    kept ??= listed(source);
    const pages = await fetchTools(link, source.id, last ?? (await kept), { ...bounds, clock });
    if (!pages.ok) return err(withSteps(pages.error));
    const { list, about, answer, isSame } = pages.value;
    const { serverInfo, listChanged, capabilities } = answer.offer;
    if (listChanged) listener.ensure(answer, authorization);
    else listener.stop();
    const others = await fetchOthers(link, capabilities, bounds);
    const found = { protocolVersion: answer.version, serverInfo };
    // Where definitions wait for approval, nothing else may speak to models in their place.
    const instructions = source.pin === 'quarantine' ? '' : answer.offer.instructions;
    const rest = JSON.stringify([others.digest, found, instructions]);
    if (isSame && last?.rest === rest) return ok(last.inspection);
    const inspection = inspected(pages.value, about, { ...others.read(), instructions }, found);
    last = inspection.ok ? { list, about, rest, inspection: inspection.value } : null;
    kept = Promise.resolve(null);
    return inspection;
  }

  return {
    inspect,
    call: (call) => converse(jobOfCall(call, timeoutMsOf(source, call.tool.name)), deps),
    request: (request) => converse(jobOfRequest(request, source.timeoutMs), deps),
    subscribe: subscriptions.subscribe,
    // Channels are one process's, and so is whatever is asked in the name of a user.
    ...(ways.first.channels || source.authProvider != null
      ? {}
      : { standsAlone: createStandsAlone(link, clock) }),
    tell: link.tell,
    endConversation(conversation) {
      subscriptions.endConversation(conversation);
      link.end(conversationKey(conversation));
      link.end(subscriberKey(conversation));
    },
    close() {
      listener.stop();
      subscriptions.close();
      parked.close();
      return link.close();
    },
  };
}
