import { createHash } from 'node:crypto';
import { type Clock, canonicalJson, newId } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Asking, ExecuteRequest } from './contract.ts';
import { type Execution, ownerText, type Wanted } from './execution.ts';
import { maxKept } from './settling.ts';

/** From its beginning, and from whenever it goes on, until it is given up. */
const deadlineMs = 60 * 60_000;

/** Of an attempt that begins now. */
export const deadlineOf = (clock: Clock): string => new Date(clock.now() + deadlineMs).toISOString();

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

export const ownerOf = ({ caller, gateway }: Asking): string =>
  sha256(ownerText(caller, gateway?.id ?? null));

export interface Draft {
  readonly execution: Execution;
  readonly wanted: Wanted;
}

/** An execution as if it ran already. What has the same effect however often, or none, may be begun again. */
export function draftOf(
  asking: Asking,
  { shown: { tool }, ref, input, mode, idempotency_key: key, query }: ExecuteRequest,
  { pipeline, clock }: { readonly pipeline: Pick<Pipeline, 'remember'>; readonly clock: Clock },
): Draft {
  const { caller, gateway } = asking;
  const owner = ownerOf(asking);
  const nowMs = clock.now();
  const isHarmless = tool.traits.readOnly || tool.traits.idempotent;
  const execution: Execution = {
    id: newId('te', nowMs),
    projectId: caller.principal.projectId,
    owner,
    gatewayId: gateway?.id ?? null,
    keyHash: key === undefined ? null : sha256(JSON.stringify([owner, key])),
    requestHash: sha256(canonicalJson([tool.id, input])),
    toolId: tool.id,
    // A source may call its tool in ways that no column takes.
    ref: ref.toWellFormed().replaceAll('\0', ''),
    mode,
    status: 'running',
    waitingFor: null,
    attempt: 1,
    repeatable: isHarmless && JSON.stringify(input).length <= maxKept,
    cancelled: false,
    createdAt: clock.iso(),
    endedAt: null,
    expiresAt: deadlineOf(clock),
  };
  const version = gateway === null ? tool.toolkit.version : null;
  const wanted = { caller: pipeline.remember(caller), name: tool.ruleName, version, args: input, query };
  return { execution, wanted };
}
