import { type ClientSide, type InputRequest, refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, serverInfo } from '../front.ts';
import type { InputRequired } from '../methods.ts';
import { prefix } from './envelope.ts';
import { sealState } from './request-state.ts';

/**
 * An `InputRequiredResult` (SEP-2322). It always holds a state of ours, also where the source keeps none, so that the answers
 * can be told to belong to this very request.
 */
export function inputRequiredResult(
  exchange: Exchange,
  method: string,
  params: Members,
  { requests, state }: InputRequired,
  { capabilities }: ClientSide,
  deps: McpDeps,
): Result<string, Refused> {
  const missing: Record<string, Members> = {};
  for (const request of Object.values(requests)) {
    for (const [name, needed] of Object.entries(missingFor(request, capabilities)))
      missing[name] = { ...missing[name], ...needed };
  }
  if (Object.keys(missing).length > 0) {
    const undeclared = `this needs what the client has not declared that it can do: ${Object.keys(missing).join(', ')}`;
    return err({
      refusal: refusal('client.capability_missing', undeclared),
      recorded: true,
      data: { requiredCapabilities: missing },
    });
  }
  const entries = Object.entries(requests).map(([key, request]) => [key, worded(request)] as const);
  return ok(
    JSON.stringify({
      resultType: 'input_required',
      ...(entries.length === 0 ? {} : { inputRequests: Object.fromEntries(entries) }),
      requestState: sealState(exchange, method, params, state, deps),
      _meta: { [`${prefix}/serverInfo`]: serverInfo(exchange, deps) },
    }),
  );
}

/** The id by which 2025-11-25 told that a link was done with is no more. */
function worded({ method, params }: InputRequest): InputRequest {
  if (method !== 'elicitation/create' || params?.elicitationId === undefined)
    return params === undefined ? { method } : { method, params };
  const { elicitationId: _, ...known } = params;
  return { method, params: known };
}

/** The capabilities that a client must declare to be asked this, where it did not; `{}` where it did. */
export function missingFor(
  { method, params }: InputRequest,
  { elicitation, sampling, roots }: Members,
): { readonly [name: string]: Members } {
  switch (method) {
    case 'roots/list':
      return isMembers(roots) ? {} : { roots: {} };
    case 'sampling/createMessage': {
      const needsTools = params?.tools !== undefined || params?.toolChoice !== undefined;
      if (!needsTools) return isMembers(sampling) ? {} : { sampling: {} };
      return isMembers(sampling) && isMembers(sampling.tools) ? {} : { sampling: { tools: {} } };
    }
    case 'elicitation/create': {
      const mode = params?.mode === 'url' ? 'url' : 'form';
      if (!isMembers(elicitation)) return { elicitation: { [mode]: {} } };
      // Who names no mode means forms: the only ones that there were.
      const isDeclared = isMembers(elicitation[mode]) || (mode === 'form' && !isMembers(elicitation.url));
      return isDeclared ? {} : { elicitation: { [mode]: {} } };
    }
  }
}
