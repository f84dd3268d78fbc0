import type { Identity } from '#identity';
import type { Metrics } from '#telemetry';
import { type CallRooms, callTool } from './call-tool.ts';
import type { Pipeline } from './contract.ts';
import { relayRequest, subscribe } from './relay-request.ts';
import { createStages } from './stages.ts';
import { someStandAlone, standsAlone } from './stands-alone.ts';
import { actAs, again, authenticate, stillThere } from './steps/authenticate.ts';

export interface PipelineRooms extends Omit<CallRooms, 'beginStages'> {
  readonly identity: Identity;
  readonly metrics: Metrics;
}

export function createPipeline({ metrics, ...given }: PipelineRooms): Pipeline {
  const rooms = { ...given, beginStages: createStages(given.clock, metrics) };
  return {
    authenticate: (presented, gateway) => authenticate(presented, gateway, rooms.identity),
    stillThere: (caller, authorization, gateway) =>
      stillThere(caller, authorization, gateway, rooms.identity),
    remember: (caller) => rooms.identity.remember(caller),
    again: (who, gateway) => again(who, gateway, rooms.identity),
    actAs: (principal, userId) => actAs(principal, userId, rooms.identity),
    callTool: (received) => callTool(received, rooms),
    request: (received) => relayRequest(received, rooms),
    subscribe: (received) => subscribe(received, rooms),
    permits: (caller, gateway, target) => rooms.policy.permits({ caller, gateway, target }),
    visible: (caller, gateway, tools) => rooms.policy.visible(caller, gateway, tools, ({ tool }) => tool),
    standsAlone: (caller, gateway, shown, asksLater) => standsAlone(caller, gateway, shown, asksLater, rooms),
    someStandAlone: (view) => someStandAlone(view, rooms),
    redactions: (projectId) => rooms.policy.redactions(projectId),
    overheard: (caller, gateway, target, params) =>
      rooms.policy.overheard({ caller, gateway, target }, params),
    told: ({ toldAs, reason: _reason, policy: _policy, ran: _ran, ...refusal }) => toldAs ?? refusal,
  };
}
