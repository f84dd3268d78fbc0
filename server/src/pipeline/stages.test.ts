import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '#foundation';
import { createMetrics, type Span } from '#telemetry';
import { createStages } from './stages.ts';

interface Told {
  readonly name: string;
  readonly startedAt: number | undefined;
  error?: string | null;
}

/** A span that keeps what it is told; not sampled, it must not be asked for children. */
function spanThatKeeps(children: Told[], sampled: boolean): Span {
  const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-0${sampled ? 1 : 0}`;
  const passedOn = { traceparent, tracestate: null, passesBaggage: false };
  const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceparent, passedOn, sampled };
  const span: Span = {
    ...ids,
    child(name, { startedAt } = {}) {
      assert.ok(sampled, 'a call that is not sampled makes no spans');
      const told: Told = { name, startedAt };
      children.push(told);
      const end = (error: string | null = null) => {
        told.error = error;
      };
      return { ...span, traceparent: `below ${name}`, end };
    },
    rename() {},
    set() {},
    fail() {},
    end() {
      assert.fail('whoever made the span of the request ends it');
    },
  };
  return span;
}

function staged(sampled: boolean) {
  const clock = manualClock();
  const metrics = createMetrics();
  const children: Told[] = [];
  const begin = createStages(clock, metrics);
  const startedAt = clock.monotonic();
  clock.advance(2);
  return { clock, metrics, children, stages: begin({ startedAt, span: spanThatKeeps(children, sampled) }) };
}

test('each stage is given the time from its beginning to the next, the first from when the request came', async () => {
  const { clock, metrics, stages } = staged(false);
  stages.enter('resolve');
  clock.advance(30);
  stages.enter('dispatch');
  clock.advance(400);
  stages.enter('record');
  stages.end();
  const [{ series } = { series: [] }] = await metrics.read();
  const seen = series.flatMap(({ values, counts = [], sum }) =>
    counts.some((count) => count > 0) ? [[values[0], sum]] : [],
  );
  assert.deepEqual(seen, [
    ['authenticate', 0.002],
    ['resolve', 0.03],
    ['dispatch', 0.4],
    ['record', 0],
  ]);
});

test('a sampled call has a span for each stage, which ends with the code that the stage failed with', () => {
  const { clock, children, stages } = staged(true);
  stages.enter('resolve');
  assert.equal(stages.span.traceparent, 'below resolve');
  clock.advance(5);
  stages.enter('record', 'catalog.tool_unknown');
  stages.end();
  assert.deepEqual(children, [
    { name: 'authenticate', startedAt: 0, error: null },
    { name: 'resolve', startedAt: 2, error: 'catalog.tool_unknown' },
    { name: 'record', startedAt: 7, error: null },
  ]);
});

test('a call that is not sampled makes no spans, and asks others from within its own', () => {
  const { stages } = staged(false);
  stages.enter('dispatch');
  assert.match(stages.span.traceparent, /-00$/);
  stages.end();
});
