import type { Catalog, ShownTool } from '#catalog';
import type { Caller, CallNotification, ClientSide, Gateway, Tool } from '#domain';
import type { Clock, Members } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import { type Log, type Metrics, type Span, spanName, type Tracer } from '#telemetry';
import type { Governance } from '../governance/contract.ts';
import { makeAttempt, type Outcome } from './attempt.ts';
import type { Execution, View, Wanted } from './execution.ts';
import { createRuns, type Run } from './runs.ts';
import type { Store } from './store.ts';

export interface StartingDeps {
  readonly pipeline: Pick<Pipeline, 'callTool' | 'told'>;
  readonly catalog: Pick<Catalog, 'view' | 'findTool' | 'shown'>;
  readonly governance: Pick<Governance, 'standing'>;
  readonly policy: Pick<Policy, 'version'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly onEnded?: (ended: Ended) => void;
}

/** A call that came to its end, whenever that was. */
export interface Ended {
  readonly caller: Caller;
  readonly tool: Tool;
  readonly succeeded: boolean;
  /** As in `ExecuteRequest`. */
  readonly query: string | null;
}

/** Who makes a call now, and from where. */
export interface Beginner {
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  readonly client: ClientSide;
  readonly meta: Members | null;
  /** `null`: no request is behind it. */
  readonly span: Span | null;
  readonly notify: ((notification: CallNotification) => void) | null;
}

interface Call {
  readonly wanted: Wanted;
  /** `null`: its caller has no such tool. */
  readonly shown: ShownTool | null;
  readonly args: Members;
}

/** As `Run` says them. */
export type Known = Pick<Run, 'isKept' | 'isTold'>;

/** Starts attempts in this process. */
export function createStarting(deps: StartingDeps, store: Store) {
  const { pipeline, catalog, governance, policy, clock, metrics, tracer, onEnded } = deps;
  const ends = metrics.counter({
    name: 'sallyport_executions_total',
    help: 'Executions of the hub that ended, or came to wait, here.',
    labels: ['project', 'mode', 'status'],
  });
  const begunBy = new WeakMap<Run, { readonly caller: Caller; readonly shown: ShownTool | null }>();
  const runs = createRuns({ ...deps, store, onSettled });

  function count({ projectId, mode }: Execution, status: Execution['status']): void {
    ends.of(projectId, mode, status).add();
  }

  function onSettled(run: Run, status: Execution['status'] | null, outcome: Outcome): void {
    if (status !== null) count(run.execution, status);
    const by = begunBy.get(run);
    const succeeded = outcome.kind === 'succeeded';
    const isEnd = succeeded || (outcome.kind === 'failed' && !outcome.isUndone);
    if (!isEnd || by == null || by.shown === null) return;
    onEnded?.({ caller: by.caller, tool: by.shown.tool, succeeded, query: run.wanted.query });
  }

  /** Of one that may be begun: its row says that it runs, or nobody can ask for it. */
  function start(execution: Execution, { wanted, shown, args }: Call, by: Beginner, known: Known): Run {
    const { id, ref } = execution;
    const { caller, gateway, client, meta, notify } = by;
    const run = runs.start(execution, wanted, known, async (signal) => {
      const span = by.span ?? tracer.server(spanName('execute_tool', ref), untraced);
      const startedAt = clock.monotonic();
      const attempt = { caller, gateway, ref, args, shown, client, meta, span, startedAt, signal, notify };
      try {
        const laidDown = policy.version();
        const version = shown?.tool.toolkit.version;
        const outcome = await makeAttempt({ ...attempt, executionId: id }, pipeline);
        const kept = { ...outcome.kept, policy: laidDown, ...(version == null ? {} : { version }) };
        return { ...outcome, kept };
      } finally {
        if (by.span === null) span.end();
      }
    });
    begunBy.set(run, { caller, shown });
    return run;
  }

  /** The tool as this caller has it now; `null`: they do not. */
  function find(
    { caller, gateway }: Beginner,
    { toolId }: Execution,
    { name, version }: Wanted,
  ): ShownTool | null {
    const tool =
      gateway === null ? catalog.findTool(caller.principal.projectId, name, version ?? undefined) : null;
    const shown = gateway === null ? tool && catalog.shown(tool) : viewOf(gateway)?.find(name);
    if (shown == null || shown.tool.id !== toolId) return null;
    return governance.standing(caller, shown.tool) === 'closed' ? null : shown;
  }

  function viewOf({ slug, id }: Gateway) {
    const view = catalog.view(slug);
    return view?.gateway.id === id ? view : null;
  }

  return {
    runs,
    count,
    start,

    /** Of one that was not begun, or only waits: it is over. `false`: it was begun, or is over, by now. */
    async end(view: View): Promise<boolean> {
      const isEnded = await store.end(view);
      if (isEnded) count(view.execution, view.execution.status);
      return isEnded;
    },

    /** The next attempt of one whose row says that it runs, as whoever is its caller now. */
    startAgain(execution: Execution, wanted: Wanted, by: Beginner): Run {
      const call = { wanted, shown: find(by, execution, wanted), args: wanted.args ?? {} };
      return start(execution, call, by, { isKept: true, isTold: true });
    },
  };
}

const untraced = { traceparent: undefined, tracestate: undefined };

export type Starting = ReturnType<typeof createStarting>;
