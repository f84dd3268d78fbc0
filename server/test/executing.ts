import assert from 'node:assert/strict';
import { silentClient } from '#domain';
import type { Clock } from '#foundation';
import { type Asking, createExecutions, type ExecuteRequest, type Executions } from '#hub';
import type { Db } from '#storage';
import { createMetrics, type Metrics, silentLog, unsampledTracer } from '#telemetry';
import type { TestApp } from './start-app.ts';

/** For the app on whose rooms they are: it has none of its own then. */
export const withoutHub = { SALLYPORT_ROLES: 'gateway,admin' };

/** The database as a process of several has it. */
export const sharedDb = ({ app }: TestApp): Db => ({ ...app.rooms.db, kind: 'remote' });

/** What executions came to, as `sallyport_executions_total` counts it: how often, by status. */
export async function countedIn(metrics: Metrics): Promise<{ readonly [status: string]: number }> {
  const counted = (await metrics.read()).find(({ name }) => name === 'sallyport_executions_total');
  const byStatus: Record<string, number> = {};
  for (const { values, value } of counted?.series ?? []) {
    const status = values[2] ?? '';
    byStatus[status] = (byStatus[status] ?? 0) + value;
  }
  return byStatus;
}

/** Executions as the server has them, on the rooms of an app; with `sharedDb`, several are as several processes are. */
export async function executionsOf(
  { app: { rooms } }: TestApp,
  clock: Clock,
  more: Partial<Pick<Parameters<typeof createExecutions>[0], 'db' | 'onEnded' | 'metrics'>> = {},
): Promise<Executions> {
  const executions = createExecutions({
    ...rooms,
    governance: { standing: () => 'open' },
    clock,
    log: silentLog,
    metrics: createMetrics(),
    tracer: unsampledTracer,
    ...more,
  });
  await executions.begin();
  return executions;
}

/** Somebody with the key of the administrator, or another, at a gateway; `null`: at the API. */
export function askingAs(test: TestApp, user: string, slug: string | null, key = test.key): Asking {
  const { identity, pipeline, catalog } = test.app.rooms;
  const principal = identity.authenticateKey(`Bearer ${key}`);
  assert.ok(principal.ok);
  const caller = pipeline.actAs(principal.value, user);
  assert.ok(caller.ok);
  return {
    caller: caller.value,
    gateway: slug === null ? null : (catalog.view(slug)?.gateway ?? assert.fail(`there is no ${slug}`)),
    span: unsampledTracer.server('test', { traceparent: undefined, tracestate: undefined }),
    startedAt: 0,
    signal: null,
    notify: null,
    client: silentClient,
    meta: null,
  };
}

export function requestOf(
  { app }: TestApp,
  { gateway }: Asking,
  name: string,
  input: Record<string, unknown>,
  more: Partial<Pick<ExecuteRequest, 'mode' | 'wait_ms' | 'idempotency_key' | 'query'>> = {},
): ExecuteRequest {
  const { catalog } = app.rooms;
  const tool = gateway === null ? catalog.findTool('default', name) : null;
  const shown = gateway === null ? tool && catalog.shown(tool) : catalog.view(gateway.slug)?.find(name);
  if (shown == null) assert.fail(`there is no tool ${name}`);
  return { shown, ref: `worker://${shown.tool.ruleName}`, input, mode: 'sync', query: null, ...more };
}
