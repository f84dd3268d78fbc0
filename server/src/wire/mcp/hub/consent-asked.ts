import type { ExecutionResponse } from '@sallyport/contracts';
import { type Members, ok, type Result, randomHex } from '#foundation';
import type { Hub, HubAsking } from '#hub';
import type { Refused } from '../front.ts';
import type { Asked } from '../methods.ts';
import { type Brought, isDeclined, requestsTo } from './execution-answer.ts';
import { runs } from './run-meta-tool.ts';

/** Executions whose user is sent to consent, by a client that opens links: what it comes back with, and how they go on. */

/** For the end of the consent, and once more for that of the tool: together less than clients wait for an answer. */
const waitMs = 25_000;
const declined = 'the user did not want to authorize it; execute it once more to ask them again';

/** Goes on with the execution that asked: with the answers for its tool, or because its user has been sent to consent. */
export async function takeUp(
  hub: Hub,
  asking: HubAsking,
  { id, isInput, responses }: Brought,
): Promise<Result<object, Refused>> {
  if (isInput) return await runs.resume_execution(hub, asking, { execution_id: id, response: responses });
  return isDeclined(responses) ? await giveUp(hub, asking, id) : await wait(hub, asking, id);
}

/**
 * A client that is asked in the middle of a request is sent there now, and waits for what comes of it. One that cannot be, or does
 * not answer, has what any other is told: where the user consents.
 */
export async function afterConsent(
  { client, exchange, signal }: Asked,
  hub: Hub,
  asking: HubAsking,
  execution: ExecutionResponse,
): Promise<ExecutionResponse> {
  const { ask } = client;
  const requests = execution.waiting_for === 'consent' && ask !== null ? requestsTo(client, execution) : null;
  if (ask === null || requests === null) return execution;
  const orAsItWas = (told: Result<object, Refused>) =>
    told.ok ? (told.value as ExecutionResponse) : execution;
  const ids: string[] = [];
  for (const { method, params } of Object.values(requests)) {
    const elicitationId = randomHex(16);
    ids.push(elicitationId);
    const answer = await ask({ method, params: { ...params, elicitationId } }, signal);
    if ('error' in answer) return execution;
    if (isDeclined({ answer: answer.result }))
      return orAsItWas(await giveUp(hub, asking, execution.execution_id));
  }
  const now = orAsItWas(await wait(hub, asking, execution.execution_id));
  if (now.status !== 'waiting') {
    for (const elicitationId of ids)
      exchange.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } });
  }
  return now;
}

async function giveUp(hub: Hub, asking: HubAsking, id: string): Promise<Result<object, Refused>> {
  const told = await runs.cancel_execution(hub, asking, { execution_id: id });
  if (!told.ok) return told;
  const isOver = (told.value as Members).status === 'cancelled';
  return ok(isOver ? { ...told.value, advice: declined } : told.value);
}

function wait(hub: Hub, asking: HubAsking, id: string): Promise<Result<object, Refused>> {
  return runs.resume_execution(hub, asking, { execution_id: id, wait_ms: waitMs });
}
