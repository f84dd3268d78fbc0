import type { GatewayView } from '#catalog';
import { refusal, type Tool, taskExtension } from '#domain';
import { err, type Members, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, record, refused } from '../front.ts';
import { executionTask, hasExecutionTasks, isExecutionId } from '../hub/execution-tasks.ts';
import { type Answer, type Asked, type Relay, unknownMethod } from '../methods.ts';
import { ownParams, relay } from '../relay.ts';
import { paramsInvalid } from '../rpc.ts';
import { renamedUris } from '../shown-uris.ts';
import { bearerOf, runsTasks, type TaskForm, type TaskMethod, underId, unknownTask } from './calls.ts';
import type { GivenTask, TaskRef } from './ids.ts';
import { withIds } from './messages.ts';

/** Requests about tasks: calls that go on after their answer. Each is decided anew, as one of the tool that runs. */

/** A request about one task: decided as a call of its tool, answered by the source that runs it, or by the hub. */
export function taskRequest(method: TaskMethod): Relay {
  return async (asked) => {
    const { exchange, params, deps, manners } = asked;
    const problem = whyNot(asked, method) ?? problemOf(params);
    if (problem !== null) return err(problem);
    const isOurs = manners.tasks === 'extension' && hasExecutionTasks(exchange, deps);
    if (isOurs && isExecutionId(params.taskId)) return await executionTask(method, params.taskId, asked);
    const task = taskOfId(exchange, params.taskId as string, manners.tasks, deps);
    return await ask(method, task, asked);
  };
}

const pageSize = 10;

/**
 * `tasks/list` (2025-11-25). A source's own list may hold the tasks of everybody who comes through this gateway, so each task
 * that was given to this client is asked for by itself.
 */
export const listTasks: Relay = async (asked) => {
  const { exchange, params, deps, manners } = asked;
  const problem = whyNot(asked, 'tasks/list');
  if (problem !== null) return err(problem);
  const { caller, view } = exchange;
  const mine = deps.tasks.givenTo(bearerOf(exchange)).flatMap((task) => {
    const tool = toolOf(task, view, manners.tasks);
    return tool !== null && deps.pipeline.permits(caller, view.gateway, tool) ? [{ ...task, tool }] : [];
  });
  const start = startOf(params.cursor, mine);
  if (start === null) return err(invalid('cursor', 'is not a cursor that this list gave out'));
  const page = mine.slice(start, start + pageSize);
  const answers = await Promise.all(page.map((task) => ask('tasks/get', task, { ...asked, params: {} })));
  await record(exchange, deps, { kind: 'task', decision: 'allowed' });
  const entries = answers.flatMap((answer) => (answer.ok ? [String(answer.value)] : []));
  const last = start + pageSize < mine.length ? page.at(-1) : undefined;
  const next = last === undefined ? '' : `,"nextCursor":${JSON.stringify(last.id)}`;
  return ok(`{"tasks":[${entries.join(',')}]${next}}`);
};

interface AskedTask {
  readonly id: string;
  readonly own: string;
  /** `null`: there is no such task for this caller here. */
  readonly tool: Tool | null;
}

/** The task that a caller has under this id, with the tool that it runs. */
export function taskOfId(
  asking: Pick<Exchange, 'caller' | 'view'>,
  id: string,
  form: TaskForm,
  { tasks }: Pick<McpDeps, 'tasks'>,
): AskedTask {
  const ref = tasks.open(bearerOf(asking), id);
  return { id, own: ref?.own ?? '', tool: ref === null ? null : toolOf(ref, asking.view, form) };
}

async function ask(
  method: TaskMethod,
  { id, own, tool }: AskedTask,
  asked: Asked,
): Promise<Result<Answer, Refused>> {
  const { exchange, params, client } = asked;
  const responses = method === 'tasks/update' ? { inputResponses: params.inputResponses } : {};
  const request = {
    kind: 'task',
    name: method,
    target: tool,
    unknown: unknownTask,
    method,
    params: { ...ownParams(params), ...responses, taskId: own },
  } as const;
  const answer = await relay({ ...asked, client: withIds(client, own, id) }, request);
  if (!answer.ok) return err(toldUnderId(answer.error, own, id));
  if (tool === null || !isText(answer.value)) return err(noAnswer);
  const bytes = underId(own, id)(Buffer.from(answer.value));
  return ok(renamedUris(exchange.view, tool.sourceId, method, bytes));
}

/** What keeps this client from asking anything about tasks here; `null`: nothing. */
function whyNot(
  { exchange, client: { capabilities }, deps, manners: { tasks } }: Asked,
  method: string,
): Refused | null {
  const { view } = exchange;
  const isOurs = tasks === 'extension' && hasExecutionTasks(exchange, deps);
  if (!isOurs && !view.sourceIds.some((id) => runsTasks(view.capabilitiesOf(id), tasks)))
    return unknownMethod(method);
  return tasks === 'extension' && !runsTasks(capabilities, tasks) ? undeclared : null;
}

function problemOf({ taskId }: Members): Refused | null {
  const isId = typeof taskId === 'string' && taskId !== '';
  return isId ? null : invalid('taskId', 'must be the id of a task');
}

function invalid(member: string, problem: string): Refused {
  return { ...refused(paramsInvalid(`params.${member}`, problem)), kind: 'task' };
}

function startOf(cursor: unknown, tasks: readonly GivenTask[]): number | null {
  if (cursor === undefined) return 0;
  const last = tasks.findIndex(({ id }) => id === cursor);
  return last < 0 ? null : last + 1;
}

const undeclared: Refused = {
  ...refused(refusal('client.capability_missing', `the client must declare the extension ${taskExtension}`), {
    requiredCapabilities: { extensions: { [taskExtension]: {} } },
  }),
  kind: 'task',
};

const noAnswer: Refused = {
  refusal: refusal('source.answer_invalid', 'the source answered a request about a task with a question'),
  recorded: true,
};

/** The tool that the task runs, if this gateway still shows it and its source still runs such tasks. */
function toolOf({ toolId }: TaskRef, view: GatewayView, form: TaskForm): Tool | null {
  const tool = view.tools.find((shown) => shown.tool.id === toolId)?.tool ?? null;
  return tool !== null && runsTasks(view.capabilitiesOf(tool.sourceId), form) ? tool : null;
}

/** A source's own error speaks of its own id, which the client never saw. */
function toldUnderId(refused: Refused, own: string, id: string): Refused {
  const { relayed } = refused;
  // A shorter one could be any word of the message.
  if (relayed === undefined || own.length < 8) return refused;
  return { ...refused, relayed: { ...relayed, message: relayed.message.replaceAll(own, id) } };
}

function isText(answer: Answer): answer is string | Buffer {
  return typeof answer === 'string' || Buffer.isBuffer(answer);
}
