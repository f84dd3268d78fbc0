import type { CallNotification, ClientSide } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { McpDeps } from '../front.ts';
import { relatedTask } from './calls.ts';

/** What is said about tasks outside of results: source and client each hear of it under the id that they know. */

/**
 * What a source says of a task, under the id that this client has for it; `null` where the client has none, and so nothing
 * to hear. Other notifications stay as they are.
 */
export function taskNotification(
  bearer: string,
  sourceId: string,
  notification: CallNotification,
  { tasks }: Pick<McpDeps, 'tasks'>,
): CallNotification | null {
  const { method, params } = notification;
  const isStatus = method === 'notifications/tasks/status' || method === 'notifications/tasks';
  const own = isStatus ? params?.taskId : relatedIdOf(params);
  if (params === undefined || own === undefined) return isStatus ? null : notification;
  const id = typeof own === 'string' ? tasks.given(bearer, sourceId, own) : null;
  if (id === null) return isStatus ? null : notification;
  return { method, params: aboutTask(params, own as string, id) };
}

/** What is said of a task, under another id. */
export function aboutTask(params: Members, from: string, to: string): Members {
  const renamed = withRelated(params, from, to);
  return params.taskId === from ? { ...renamed, taskId: to } : renamed;
}

/** The client, with each question about the task under the id that it knows, and its answers under the source's. */
export function withIds(client: ClientSide, own: string, id: string): ClientSide {
  const { ask } = client;
  if (ask === null) return { ...client, resume: null };
  return {
    ...client,
    resume: null,
    async ask(request, signal) {
      const { params } = request;
      const asked = params === undefined ? request : { ...request, params: withRelated(params, own, id) };
      const answer = await ask(asked, signal);
      return 'result' in answer ? { result: withRelated(answer.result, id, own) } : answer;
    },
  };
}

function relatedIdOf(params: Members | undefined): unknown {
  const meta = params?._meta;
  const related = isMembers(meta) ? meta[relatedTask] : undefined;
  return isMembers(related) ? related.taskId : undefined;
}

function withRelated(params: Members, from: string, to: string): Members {
  if (relatedIdOf(params) !== from) return params;
  const meta = params._meta as Members;
  return { ...params, _meta: { ...meta, [relatedTask]: { ...(meta[relatedTask] as Members), taskId: to } } };
}
