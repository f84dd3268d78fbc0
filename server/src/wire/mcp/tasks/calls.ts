import type { GatewayView, ShownTool } from '#catalog';
import { type Caller, refusal, taskExtension } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps, Refused } from '../front.ts';
import { inMember, inMembersAnywhere, ofString, type Rewrite } from '../json-rewrite.ts';

/** Calls that go on as tasks: which may, and what their client is told. */

export const relatedTask = 'io.modelcontextprotocol/related-task';

/**
 * How a generation has tasks: not at all; where the client asks for one (2025-11-25); where the source makes one of a call
 * (the extension).
 */
export type TaskForm = 'none' | 'asked_for' | 'extension';

export type TaskMethod = 'tasks/get' | 'tasks/result' | 'tasks/update' | 'tasks/cancel';

/** The answer for what does not exist, and for what is not this caller's. */
export const unknownTask = refusal('task.unknown', 'there is no task of this id for you here', {
  field: 'taskId',
});

/** Whether a source that declares this runs tools as tasks of this form. */
export function runsTasks(declared: Members, form: TaskForm): boolean {
  if (form === 'extension')
    return isMembers(declared.extensions) && isMembers(declared.extensions[taskExtension]);
  const { tasks } = declared;
  if (form === 'none' || !isMembers(tasks) || !isMembers(tasks.requests)) return false;
  return isMembers(tasks.requests.tools) && isMembers(tasks.requests.tools.call);
}

/** What a gateway over these sources declares of tasks to clients of 2025-11-25; `null`: nothing. */
export function taskCapability(declared: readonly Members[]): Members | null {
  const running = declared.filter((one) => runsTasks(one, 'asked_for'));
  if (running.length === 0) return null;
  const cancels = running.some(({ tasks }) => isMembers((tasks as Members).cancel));
  return { list: {}, ...(cancels ? { cancel: {} } : {}), requests: { tools: { call: {} } } };
}

/** The `task` of a call, where both sides know it. What does not is to be called as if there were none (2025-11-25, "Tasks"). */
export function taskOf(view: GatewayView, params: Members, form: TaskForm): Members | null {
  const { name, task } = params;
  if (form !== 'asked_for' || !isMembers(task) || typeof name !== 'string') return null;
  const shown = view.find(name);
  return shown !== null && runsTasks(view.capabilitiesOf(shown.tool.sourceId), form) ? task : null;
}

/** The answer to a call that goes on as a task, under an id for this client. */
export function startedTask(
  exchange: Exchange,
  { tool }: ShownTool,
  result: Buffer,
  own: string,
  deps: McpDeps,
): Result<Buffer, Refused> {
  if (own === '' || own.length > maxOwnLength) {
    const message = `the source gave its task an id that is not of 1 to ${maxOwnLength} characters`;
    return err({ refusal: refusal('source.answer_invalid', message), recorded: true });
  }
  const said = JSON.parse(result.toString('utf8')) as Members;
  const ttlMs = isMembers(said.task) ? said.task.ttl : said.ttlMs;
  const ref = { sourceId: tool.sourceId, own, toolId: tool.id };
  const id = deps.tasks.give(bearerOf(exchange), ref, typeof ttlMs === 'number' ? ttlMs : null);
  return ok(underId(own, id)(result));
}

/** It travels in the sealed one, and that in a header. */
const maxOwnLength = 512;

/** A result with the client's id in place of the source's own; every other byte stays. */
export function underId(own: string, id: string): Rewrite {
  const inTask = inMember('taskId', ofString(own, id));
  const related = inMembersAnywhere(relatedTask, inTask);
  const around = inMember('task', inTask);
  return (json) => {
    const renamed = around(inTask(json));
    return renamed.includes('related-task') ? related(renamed) : renamed;
  };
}

/** Whose ids of tasks these are: those of a caller on one gateway. */
export function bearerOf({ caller, view }: Pick<Exchange, 'caller' | 'view'>): string {
  return taskBearer(caller, view.gateway.id);
}

function taskBearer({ principal, userId }: Caller, gatewayId: string): string {
  return JSON.stringify([principal.id, userId, gatewayId]);
}
