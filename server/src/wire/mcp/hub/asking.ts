import type { HubAsking } from '#hub';
import type { Asked } from '../methods.ts';
import { incoming, ownNotifications } from '../relay.ts';

/** A client of a gateway, as the hub knows it; `what`: the tool that it called, or the request. */
export function askingOf(asked: Asked, method: string, what: string): HubAsking {
  const { exchange, client, manners } = asked;
  const { executionId: _, ...said } = incoming(asked, 'hb', { method, name: what, target: null });
  return {
    ...said,
    view: exchange.view,
    client: { ...client, resume: null },
    notify: exchange.acceptsStream
      ? (notification) => {
          const { method: told } = notification;
          const isOthers = ownNotifications.has(told) || told.startsWith('notifications/tasks/');
          if (!isOthers && !manners.unheard.has(told)) exchange.notify(notification);
        }
      : null,
  };
}
