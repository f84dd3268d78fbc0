import { createHash } from 'node:crypto';
import type { GatewayView } from '#catalog';
import { type Refusal, refusal } from '#domain';
import { canonicalJson, err, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';

/**
 * The state that a client brings back with its answers. It opens only for the caller it was given to, for the very request
 * that was asked about, as long as that still means the same source, and for ten minutes. It may be brought more than once
 * in that time: what must happen only once, a source must see to in its own state.
 */
const purpose = 'request state';
const lifeMs = 10 * 60_000;

interface Kept {
  /** The source's own. */
  readonly state: string | null;
  readonly untilMs: number;
}

export function sealState(
  exchange: Exchange,
  method: string,
  params: Members,
  state: string | null,
  { sealer, clock }: McpDeps,
): string {
  const kept: Kept = { state, untilMs: clock.now() + lifeMs };
  return sealer.seal(purpose, kept, bearer(exchange, method, params));
}

/** The source's own state. */
export function openState(
  exchange: Exchange,
  method: string,
  params: Members,
  sealed: unknown,
  { sealer, clock }: McpDeps,
): Result<string | null, Refusal> {
  const kept = (
    typeof sealed === 'string' ? sealer.open(purpose, sealed, bearer(exchange, method, params)) : null
  ) as Kept | null;
  if (kept !== null && kept.untilMs > clock.now()) return ok(kept.state);
  return err(
    refusal(
      'request.state_invalid',
      'params.requestState is not one that you got for this very request in the last ten minutes; send the request without it',
      { field: 'params.requestState' },
    ),
  );
}

/** Whom a state is for, and what for. */
function bearer({ caller, view }: Exchange, method: string, params: Members): string {
  const asked = canonicalJson([params.name ?? null, params.uri ?? null, params.arguments ?? {}]);
  return JSON.stringify([
    caller.principal.id,
    caller.userId,
    view.gateway.id,
    sourceOf(view, method, params),
    method,
    createHash('sha256').update(asked).digest('base64url'),
  ]);
}

function sourceOf(view: GatewayView, method: string, { name, uri }: Members): string | null {
  if (method === 'resources/read') return view.findResource(String(uri))?.target.sourceId ?? null;
  if (method === 'prompts/get') return view.findPrompt(String(name))?.target.sourceId ?? null;
  return view.find(String(name))?.tool.sourceId ?? null;
}
