import { isMembers, type Members } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { hearerNow } from '../hearing.ts';
import { runsTasks, unknownTask } from '../tasks/calls.ts';
import { aboutTask } from '../tasks/messages.ts';
import { taskOfId } from '../tasks/tasks.ts';
import { prefix } from './envelope.ts';
import { hearOf, type Subscriptions } from './subscriptions.ts';

/** Hears of these tasks until the client's stream closes; of none, where the client does not know what tasks are. */
export function followTasks(
  exchange: Exchange,
  asked: readonly string[],
  params: Members,
  subscription: Members,
  deps: McpDeps,
): Promise<Subscriptions> {
  const { caller, view, startedAt } = exchange;
  const declared = (params._meta as Members)[`${prefix}/clientCapabilities`];
  const follows = isMembers(declared) && runsTasks(declared, 'extension');
  const topic = {
    async subscribe(id: string, onUpdated: (params: Members) => void) {
      const { own, tool } = taskOfId(exchange, id, 'extension', deps);
      const outcome = await deps.pipeline.subscribe({
        caller,
        startedAt,
        gateway: view.gateway,
        name: 'subscriptions/listen',
        target: tool,
        unknown: unknownTask,
        taskId: own,
        conversation: null,
        onUpdated,
      });
      return outcome.ok ? outcome.value : null;
    },
    told(id: string, said: Members) {
      const now = hearerNow(exchange, deps);
      if (now === null) return null;
      const { own, tool } = taskOfId(now, id, 'extension', deps);
      if (tool === null || !deps.pipeline.permits(now.caller, now.view.gateway, tool)) return null;
      return { method: 'notifications/tasks', params: aboutTask(said, own, id) };
    },
  };
  return hearOf(exchange, follows ? asked : [], topic, subscription, deps);
}
