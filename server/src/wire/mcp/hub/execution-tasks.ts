import type { ExecutionResponse } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import type { Answer, Asked } from '../methods.ts';
import { paramsInvalid } from '../rpc.ts';
import { runsTasks, type TaskMethod, unknownTask } from '../tasks/calls.ts';
import { askingOf } from './asking.ts';
import { executionResult, isDeclined, requestsTo } from './execution-answer.ts';

/** Executions as tasks of the extension, under their own ids: for clients that declared it, whatever else they do with them. */

const pollIntervalMs = 1000;
/** How long an execution is kept once it has ended, and at least from when it began. */
const keptMs = 24 * 3_600_000;

export const isExecutionId = (id: unknown): id is string =>
  typeof id === 'string' && /^te_[0-9a-f]{32}$/.test(id);

/** Whether what a gateway presents may go on as a task of ours. */
export function hasExecutionTasks({ view }: Pick<Exchange, 'view'>, { hub }: Pick<McpDeps, 'hub'>): boolean {
  return hub !== null && view.gateway.presentation !== 'tools';
}

/** The answer to a call that goes on; `null`: the client is to be told in another way. */
export function startedExecution({ client, manners }: Asked, execution: ExecutionResponse): string | null {
  const { status } = execution;
  if (manners.tasks !== 'extension' || !runsTasks(client.capabilities, 'extension')) return null;
  if (status !== 'pending' && status !== 'running') return null;
  return JSON.stringify({ resultType: 'task', ...describe(execution, 'working') });
}

/** A request about an execution as a task; of somebody else's, it is answered like one about a task that never was. */
export async function executionTask(
  method: TaskMethod,
  id: string,
  asked: Asked,
): Promise<Result<Answer, Refused>> {
  const hub = asked.deps.hub as NonNullable<McpDeps['hub']>;
  const asking = { ...askingOf(asked, method, method), notify: null };
  if (method === 'tasks/update') return await update(hub, asking, id, asked);
  if (method === 'tasks/cancel') {
    const told = await hub.cancelExecution(asking, { execution_id: id });
    return told.ok ? ok('{}') : err(asTask(told.error));
  }
  const followed = await hub.followExecution(asking, id, null);
  if (!followed.ok) return err(asTask(followed.error));
  const { execution, round } = followed.value;
  return ok(detailed(asked, execution, round));
}

/** What was answered before, or was never asked, is no harm: a client may not have seen what came since. */
async function update(
  hub: NonNullable<McpDeps['hub']>,
  asking: ReturnType<typeof askingOf>,
  id: string,
  { params: { inputResponses } }: Asked,
): Promise<Result<Answer, Refused>> {
  if (!isMembers(inputResponses) || !Object.values(inputResponses).every(isMembers)) {
    const problem = paramsInvalid('params.inputResponses', 'must be an object of objects');
    return err({ ...refused(problem), kind: 'task' });
  }
  const looked = await hub.followExecution(asking, id, null);
  if (!looked.ok) return err(asTask(looked.error));
  const { round, execution } = looked.value;
  const response = ofRound(inputResponses, round);
  if (execution.status !== 'waiting' || Object.keys(response).length === 0) return ok('{}');
  if (execution.waiting_for === 'input') {
    const told = await hub.followExecution(asking, id, { round, response });
    return told.ok ? ok('{}') : err(asTask(told.error, round));
  }
  const told = isDeclined(response) ? await hub.cancelExecution(asking, { execution_id: id }) : ok(null);
  return told.ok ? ok('{}') : err(asTask(told.error));
}

function detailed(asked: Asked, execution: ExecutionResponse, round: number): string {
  const { status, advice } = execution;
  const requests = requestsTo(asked.client, execution);
  if (requests !== null) {
    const named = Object.entries(requests).map(([key, request]) => [keyIn(round, key), request]);
    const task = describe(execution, 'input_required');
    return JSON.stringify({ ...task, inputRequests: Object.fromEntries(named) });
  }
  if (status === 'cancelled' || status === 'waiting') {
    const task = describe(execution, status === 'waiting' ? 'working' : status);
    return JSON.stringify({ ...task, ...(advice === undefined ? {} : { statusMessage: advice }) });
  }
  if (status === 'pending' || status === 'running') return JSON.stringify(describe(execution, 'working'));
  const front = JSON.stringify(describe(execution, 'completed'));
  return `${front.slice(0, -1)},"result":${executionResult(asked, execution)}}`;
}

function describe(
  { execution_id: taskId, created_at: createdAt, finished_at, expires_at }: ExecutionResponse,
  status: 'working' | 'input_required' | 'completed' | 'cancelled',
) {
  const isOver = finished_at !== undefined;
  const ttlMs = Date.parse(expires_at) - Date.parse(createdAt) + (isOver ? 0 : keptMs);
  return { taskId, status, createdAt, lastUpdatedAt: finished_at ?? createdAt, ttlMs, pollIntervalMs };
}

/** A tool may ask under the same key again; of a task a key is never used for two questions. */
const keyIn = (round: number, key: string): string => `${round}.${key}`;

function ofRound(responses: Members, round: number): Members {
  const front = keyIn(round, '');
  const own = Object.entries(responses).filter(([key]) => key.startsWith(front));
  return Object.fromEntries(own.map(([key, response]) => [key.slice(front.length), response]));
}

function asTask(told: Refusal, round = 0): Refused {
  if (told.code === 'execution.unknown') return { refusal: unknownTask, kind: 'task', recorded: true };
  const named = (text: string) => text.replace(/^response\./, `params.inputResponses.${keyIn(round, '')}`);
  const field = told.field === undefined ? {} : { field: named(told.field) };
  return { refusal: { ...told, message: named(told.message), ...field }, kind: 'task', recorded: true };
}
