import { randomUUID } from 'node:crypto';
import type { Era } from './era-server.ts';
import type { Json } from './start-app.ts';

const at = '2026-01-01T00:00:00.000Z';
const extension = 'io.modelcontextprotocol/tasks';
const done = { content: [{ type: 'text', text: 'Job done' }], structuredContent: { done: true } };

/** What a server of each era declares of tasks. */
export const taskCapabilities = {
  legacy: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
  modern: { extensions: { [extension]: {} } },
} as const;

/**
 * The tool Job, run as a task by a client that does tasks, and the requests about tasks. The SDK serves none of it, so it
 * answers before the SDK sees the message: a JSON-RPC outcome, or null for what is not about tasks. With the argument
 * `hold` a task works until it is cancelled, else it is complete when it is first asked for.
 */
export function createTaskDesk(era: Era): (message: Json) => object | null {
  const tasks = new Map<string, 'working' | 'completed' | 'cancelled'>();

  const described = (taskId: string) => ({
    taskId,
    status: tasks.get(taskId),
    createdAt: at,
    lastUpdatedAt: at,
    ...(era === 'legacy' ? { ttl: 60_000, pollInterval: 10 } : { ttlMs: 60_000, pollIntervalMs: 10 }),
  });
  function create(hold: boolean): object {
    const taskId = randomUUID();
    tasks.set(taskId, 'working');
    const created = described(taskId);
    if (!hold) tasks.set(taskId, 'completed');
    return era === 'legacy' ? { task: created } : { resultType: 'task', ...created };
  }
  const complete = era === 'legacy' ? {} : { resultType: 'complete' };
  const answers: Record<string, (taskId: string) => object> = {
    'tasks/get': (taskId) => ({
      ...complete,
      ...described(taskId),
      ...(era === 'modern' && tasks.get(taskId) === 'completed' ? { result: done } : {}),
    }),
    'tasks/cancel': (taskId) => {
      tasks.set(taskId, 'cancelled');
      return { ...complete, ...(era === 'legacy' ? described(taskId) : {}) };
    },
    ...(era === 'legacy'
      ? {
          'tasks/result': (taskId: string) => ({
            ...done,
            _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
          }),
        }
      : { 'tasks/update': () => complete }),
  };

  return ({ method, params }) => {
    if (method === 'tools/call' && params.name === 'Job') {
      const asked =
        era === 'legacy'
          ? params.task
          : params._meta?.['io.modelcontextprotocol/clientCapabilities']?.extensions?.[extension];
      return { result: asked ? create(params.arguments?.hold === true) : { ...complete, ...done } };
    }
    if (method === 'tasks/list' && era === 'legacy') {
      return { result: { tasks: [...tasks.keys()].map(described) } };
    }
    const answer = answers[method];
    if (answer === undefined) return null;
    if (tasks.has(params.taskId)) return { result: answer(params.taskId) };
    return { error: { code: -32602, message: `There is no task ${params.taskId}` } };
  };
}
