import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceHeaders, traceMeta, withBaggage } from './trace.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';

test('a trace is told in the lines of a head; who has none tells nothing', () => {
  assert.equal(traceHeaders(null), '');
  assert.equal(traceHeaders(undefined), '');
  assert.equal(traceHeaders({ traceparent, tracestate: null }), `traceparent: ${traceparent}\r\n`);
  assert.equal(
    traceHeaders({ traceparent, tracestate: 'a=1', baggage: 'k=v' }),
    `traceparent: ${traceparent}\r\ntracestate: a=1\r\nbaggage: k=v\r\n`,
  );
});

test('in _meta it stands in place of what the client said, and everything else stays', () => {
  const said = { traceparent: 'theirs', tracestate: 'theirs=1', 'vendor/x': 1 };
  assert.deepEqual(traceMeta(said, { traceparent, tracestate: null }), { traceparent, 'vendor/x': 1 });
  assert.deepEqual(traceMeta({}, { traceparent, tracestate: 'a=1' }), { traceparent, tracestate: 'a=1' });
});

test('baggage goes along only where it is passed on, and only as a header can carry it', () => {
  const trace = { traceparent, tracestate: null, passesBaggage: true };
  assert.equal(withBaggage(trace, { baggage: 'k=v' })?.baggage, 'k=v');
  for (const baggage of ['', 'k=v\r\nx: y', 'k=ü', 'k'.repeat(8193), 7, undefined])
    assert.equal(withBaggage(trace, { baggage })?.baggage, undefined);
  assert.equal(withBaggage(trace, null)?.baggage, undefined);
  assert.equal(withBaggage({ ...trace, passesBaggage: false }, { baggage: 'k=v' })?.baggage, undefined);
  assert.equal(withBaggage(null, { baggage: 'k=v' }), null);
});
