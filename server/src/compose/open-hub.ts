import type { ConfigFile, Settings } from '#config';
import type { Clock } from '#foundation';
import {
  bearerOf,
  createExecutions,
  createGovernance,
  createHub,
  createModels,
  type Hub,
  type KeptIndexes,
  type Models,
} from '#hub';
import type { Log, Metrics } from '#telemetry';
import { projectIds } from './project-ids.ts';
import type { Rooms } from './rooms.ts';

export interface OpenHub extends Hub {
  /** From now on it is configured so. */
  use(settings: ConfigFile['hub']): void;
  failingModels: Models['failing'];
}

type Below = Omit<Rooms, 'hub' | 'close' | 'telemetry'> & {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** `null`: this process has no part in it. It loads what is known of tools and executions, and starts nothing. */
export async function openHub(
  { roles }: Settings,
  first: ConfigFile['hub'],
  indexes: KeptIndexes | null,
  rooms: Below,
): Promise<OpenHub | null> {
  if (indexes === null) return null;
  let settings = first;
  const governance = await createGovernance(rooms);
  governance.learn(settings.learning === 'on');
  const models = createModels({
    ...rooms,
    isMaker: roles.has('jobs'),
    projectIds: () => projectIds(rooms.identity.people),
  });
  const executions = createExecutions({
    ...rooms,
    governance,
    onEnded({ caller, tool, succeeded }) {
      governance.executed(bearerOf(caller), tool.projectId, tool.id, succeeded);
    },
  });
  models.use(settings);
  const hub = createHub({
    ...rooms,
    governance,
    models,
    executions,
    projectIds: () => projectIds(rooms.identity.people),
    auto: () => settings.auto,
    ...indexes,
  });
  return {
    ...hub,
    async close() {
      await hub.close();
      await indexes.close();
    },
    failingModels: models.failing,
    use(next) {
      settings = next;
      models.use(next);
      governance.learn(next.learning === 'on');
    },
  };
}
