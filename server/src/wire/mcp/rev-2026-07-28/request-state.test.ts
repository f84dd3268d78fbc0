import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealer, manualClock } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { openState, sealState } from './request-state.ts';

const clock = manualClock();
const deps = { clock, sealer: createSealer(Buffer.alloc(32, 7)) } as unknown as McpDeps;

/** Of an exchange, only who asks, where, and whose things the names mean. */
function exchangeOf({
  key = 'k',
  user = 'alice' as string | null,
  gateway = 'g',
  source = 's',
} = {}): Exchange {
  return {
    caller: { principal: { id: key }, userId: user },
    view: {
      gateway: { id: gateway },
      find: () => ({ tool: { sourceId: source } }),
      findPrompt: () => ({ target: { sourceId: source } }),
      findResource: () => ({ target: { sourceId: source } }),
    },
  } as unknown as Exchange;
}

const params = { name: 'Ask', arguments: { a: 1, b: [{ c: 2, d: 3 }] } };
const seal = (state: string | null) => sealState(exchangeOf(), 'tools/call', params, state, deps);
const open = (exchange: Exchange, method: string, asked: object, sealed: unknown) =>
  openState(exchange, method, { ...asked }, sealed, deps);

test('a state comes back to the same request, however that orders its arguments, and whatever it answers', () => {
  for (const state of ['the state of the source', '', null]) {
    const sealed = seal(state);
    assert.ok(state === null || state === '' || !sealed.includes(state));
    const again = { arguments: { b: [{ d: 3, c: 2 }], a: 1 }, name: 'Ask', inputResponses: { x: {} } };
    assert.deepEqual(open(exchangeOf(), 'tools/call', again, sealed), { ok: true, value: state });
  }
});

test('it is worth nothing to another caller, on another gateway, for another source or another request', () => {
  const sealed = seal('x');
  const others: [Exchange, string, object, unknown][] = [
    [exchangeOf({ key: 'other' }), 'tools/call', params, sealed],
    [exchangeOf({ user: 'bob' }), 'tools/call', params, sealed],
    [exchangeOf({ user: null }), 'tools/call', params, sealed],
    [exchangeOf({ gateway: 'other' }), 'tools/call', params, sealed],
    [exchangeOf({ source: 'other' }), 'tools/call', params, sealed],
    [exchangeOf(), 'prompts/get', params, sealed],
    [exchangeOf(), 'tools/call', { ...params, name: 'Other' }, sealed],
    [exchangeOf(), 'tools/call', { ...params, arguments: { a: 1 } }, sealed],
    [exchangeOf(), 'tools/call', { ...params, arguments: { a: 1, b: [{ c: '2', d: 3 }] } }, sealed],
    [exchangeOf(), 'tools/call', params, `${sealed}x`],
    [exchangeOf(), 'tools/call', params, sealed.slice(1)],
    [exchangeOf(), 'tools/call', params, ''],
    [exchangeOf(), 'tools/call', params, null],
    [exchangeOf(), 'tools/call', params, 7],
    [exchangeOf(), 'tools/call', params, deps.sealer.seal('another purpose', { state: 'x' }, '')],
  ];
  for (const [exchange, method, asked, given] of others) {
    const opened = open(exchange, method, asked, given);
    assert.equal(opened.ok ? 'opened' : opened.error.code, 'request.state_invalid');
  }
});

test('it is good for ten minutes', () => {
  const sealed = seal('x');
  clock.advance(10 * 60_000 - 1);
  assert.ok(open(exchangeOf(), 'tools/call', params, sealed).ok);
  clock.advance(1);
  assert.ok(!open(exchangeOf(), 'tools/call', params, sealed).ok);
});
