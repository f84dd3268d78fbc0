import type { Clock, Sealer } from '#foundation';

/** A task that a source runs for a client. */
export interface TaskRef {
  readonly sourceId: string;
  /** The source's own id of it. */
  readonly own: string;
  /** The tool that runs. */
  readonly toolId: string;
}

/** A task and the id under which the client has it. */
export interface GivenTask extends TaskRef {
  readonly id: string;
}

const purpose = 'task';
const dayMs = 24 * 3_600_000;
/** How long the id of a task is good for whose source set no end to it. */
const defaultTtlMs = 7 * dayMs;

export interface TaskIdsLimits {
  /** Tasks remembered of one bearer. */
  readonly each: number;
  /** Bearers of whom tasks are remembered. */
  readonly bearers: number;
}

/**
 * The ids under which clients have their tasks: sealed, so that they are good for the one who got them, on the gateway where
 * they were given, and at every replica. Which were given is remembered too, within bounds and not beyond the process: a
 * source's list may hold the tasks of everybody, and what it says of a task by itself names only its own id.
 */
export interface TaskIds {
  /** The id for `bearer`; the same as before for the same task. */
  give(bearer: string, task: TaskRef, ttlMs: number | null): string;
  /** `null` for whatever was not given to this bearer, or is over. */
  open(bearer: string, id: string): TaskRef | null;
  /** The id that was given for a source's own one, where that is remembered. */
  given(bearer: string, sourceId: string, own: string): string | null;
  /** What is remembered of this bearer, the oldest first. */
  givenTo(bearer: string): readonly GivenTask[];
}

interface Remembered extends GivenTask {
  readonly untilMs: number;
}

export function createTaskIds(
  sealer: Sealer,
  clock: Clock,
  limits: TaskIdsLimits = { each: 50, bearers: 500 },
): TaskIds {
  // Both by when something was last begun, the oldest first.
  const byBearer = new Map<string, Map<string, Remembered>>();

  function remember(bearer: string, task: Remembered): void {
    const tasks = byBearer.get(bearer) ?? new Map<string, Remembered>();
    byBearer.delete(bearer);
    byBearer.set(bearer, tasks.set(keyOf(task.sourceId, task.own), task));
    if (tasks.size > limits.each) dropFirst(tasks);
    if (byBearer.size > limits.bearers) dropFirst(byBearer);
  }

  function recall(bearer: string, sourceId: string, own: string): Remembered | null {
    const task = byBearer.get(bearer)?.get(keyOf(sourceId, own));
    return task === undefined || task.untilMs <= clock.now() ? null : task;
  }

  return {
    give(bearer, { sourceId, own, toolId }, ttlMs) {
      const known = recall(bearer, sourceId, own);
      if (known?.toolId === toolId) return known.id;
      // A source may keep a task for longer than it said.
      const untilMs = clock.now() + Math.max(ttlMs ?? defaultTtlMs, dayMs);
      const id = sealer.seal(purpose, [sourceId, own, toolId, untilMs], bearer);
      remember(bearer, { sourceId, own, toolId, id, untilMs });
      return id;
    },
    open(bearer, id) {
      const opened = sealer.open(purpose, id, bearer);
      if (opened === null) return null;
      const [sourceId, own, toolId, untilMs] = opened as [string, string, string, number];
      return untilMs <= clock.now() ? null : { sourceId, own, toolId };
    },
    given: (bearer, sourceId, own) => recall(bearer, sourceId, own)?.id ?? null,
    givenTo: (bearer) =>
      [...(byBearer.get(bearer)?.values() ?? [])].filter(({ untilMs }) => untilMs > clock.now()),
  };
}

function keyOf(sourceId: string, own: string): string {
  return JSON.stringify([sourceId, own]);
}

function dropFirst(map: Map<string, unknown>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
