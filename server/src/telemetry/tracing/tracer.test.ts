import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '#foundation';
import type { EndedSpan } from './contract.ts';
import { askedSpan, withinSpan } from './current-span.ts';
import { createTracer } from './tracer.ts';
import { unsampledTracer } from './unsampled.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = '00f067aa0ba902b7';
const carried = (flags: string, tracestate?: unknown) => ({
  traceparent: `00-${traceId}-${parentId}-${flags}`,
  tracestate,
});
const nothing = { traceparent: undefined, tracestate: undefined };
const propagation = { tracecontext: true, baggage: false };

function traced(samples = true, how: Partial<typeof propagation> = {}) {
  const ended: EndedSpan[] = [];
  const clock = manualClock();
  const tracer = createTracer({
    clock,
    sink: (span) => void ended.push(span),
    sampler: () => samples,
    propagation: { ...propagation, ...how },
  });
  return { ended, clock, tracer };
}

describe('a sampled request', () => {
  it('is kept once it ends, below its sender, with all that was said of it', () => {
    const { ended, clock, tracer } = traced();
    const startedAt = clock.monotonic();
    clock.advance(5);
    const span = tracer.server('first', carried('01', 'a=1'), { startedAt });
    span.rename('then');
    span.set({ one: 1 });
    clock.advance(7);
    assert.equal(ended.length, 0);
    span.end();
    span.end('too late');
    assert.deepEqual(ended, [
      {
        name: 'then',
        kind: 'server',
        traceId,
        spanId: span.spanId,
        parentId,
        isParentRemote: true,
        flags: 1,
        tracestate: 'a=1',
        startedMs: clock.now() - 12,
        endedMs: clock.now(),
        attributes: { one: 1 },
        error: null,
      },
    ]);
  });

  it('has children below it, on the same clock', () => {
    const { ended, clock, tracer } = traced();
    const span = tracer.server('whole', nothing);
    const child = span.child('part', { kind: 'client', attributes: { x: true } });
    clock.advance(3);
    child.end('source.timeout');
    const [kept] = ended;
    assert.deepEqual(
      [kept?.parentId, kept?.isParentRemote, kept?.kind, kept?.error, kept?.traceId],
      [span.spanId, false, 'client', 'source.timeout', span.traceId],
    );
    assert.deepEqual([kept?.startedMs, kept?.endedMs], [clock.now() - 3, clock.now()]);
    assert.equal(child.passedOn?.traceparent, `00-${span.traceId}-${child.spanId}-01`);
  });

  it('that failed says what was found first', () => {
    const { ended, tracer } = traced();
    const span = tracer.server('whole', nothing);
    span.fail('policy.not_granted');
    span.fail('catalog.tool_unknown');
    span.end();
    assert.equal(ended[0]?.error, 'policy.not_granted');
  });

  it('keeps no text of a client at any length', () => {
    const { ended, tracer } = traced();
    const span = tracer.server('n'.repeat(5000), nothing, { attributes: { a: 'x'.repeat(5000) } });
    span.end();
    assert.deepEqual([ended[0]?.name.length, String(ended[0]?.attributes.a).length], [1024, 1024]);
  });
});

describe('a request that is not sampled', () => {
  it('has ids of its own, and is its own child: nothing is made, nothing is kept', () => {
    const { ended, tracer } = traced(false);
    const span = tracer.server('whole', carried('01', 'a=1'));
    assert.equal(span.traceparent, `00-${traceId}-${span.spanId}-00`);
    assert.notEqual(span.spanId, parentId);
    assert.deepEqual(span.passedOn, {
      traceparent: span.traceparent,
      tracestate: 'a=1',
      passesBaggage: false,
    });
    assert.equal(span.child('part', { kind: 'client' }), span);
    span.end('whatever');
    assert.deepEqual(ended, []);
  });

  it('keeps the flag that says that the trace id is random', () => {
    const { tracer } = traced(false);
    assert.match(tracer.server('whole', carried('03')).traceparent, /-02$/);
  });
});

describe('what others are told', () => {
  it('is nothing where nothing is to be propagated, and nothing of theirs is taken', () => {
    for (const samples of [true, false]) {
      const { tracer } = traced(samples, { tracecontext: false });
      const span = tracer.server('whole', carried('01'));
      assert.notEqual(span.traceId, traceId);
      assert.equal(span.passedOn, null);
      assert.equal(span.child('part').passedOn, null);
    }
  });

  it('is what came, where nobody here keeps traces, and nothing where nothing came', () => {
    const came = unsampledTracer.server('whole', carried('01', 'a=1'));
    const { traceparent } = carried('01');
    assert.deepEqual(came.passedOn, { traceparent, tracestate: 'a=1', passesBaggage: false });
    assert.equal(came.traceId, traceId);
    const own = unsampledTracer.server('whole', nothing);
    assert.match(own.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(own.passedOn, null);
  });

  it('is told of the span under way wherever something is asked meanwhile', async () => {
    const { ended, tracer } = traced();
    const whole = tracer.server('whole', nothing);
    const holder = { span: whole };
    const url = new URL('https://idp.example/token');
    assert.equal(askedSpan('POST', url), null);
    await withinSpan(holder, async () => {
      holder.span = whole.child('stage');
      await Promise.resolve();
      const asked = askedSpan('POST', url);
      assert.match(asked?.passedOn?.traceparent ?? '', new RegExp(whole.traceId));
      asked?.answered(503);
    });
    const [kept] = ended;
    assert.deepEqual(
      [kept?.name, kept?.parentId, kept?.error],
      ['POST idp.example', holder.span.spanId, '503'],
    );
    assert.deepEqual(kept?.attributes, {
      'http.request.method': 'POST',
      'http.response.status_code': 503,
      'server.address': 'idp.example',
      'server.port': 443,
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
    });
  });
});
