import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { DispatchedCall } from '#domain';
import type { Sources } from '#sources';
import { whileFresh } from './while-fresh.ts';

/** A source that says something and asks before its large result, and a lane that may not know what holds now. */
function started() {
  let becomesFresh: PromiseWithResolvers<void> | null = null;
  const begun: boolean[] = [];
  const heard: string[] = [];
  const sources = {
    async call({ large, notify, client: { ask } }: DispatchedCall) {
      notify?.({ method: 'said' });
      void ask?.({ method: 'roots/list' }, new AbortController().signal);
      begun.push(large?.begin() ?? false);
      return { ok: true };
    },
  } as unknown as Sources;
  const link = {
    isFresh: () => becomesFresh === null,
    fresh: () => becomesFresh?.promise ?? Promise.resolve(),
  };
  let mayPass = 0;
  const large = {
    anyStructure: false,
    begin() {
      mayPass++;
      return true;
    },
    write() {},
    writeOutput() {},
  };
  const notify = ({ method }: { method: string }) => void heard.push(method);
  const ask = async () => void heard.push('asked');
  const call = { large, notify, client: { ask } } as unknown as DispatchedCall;
  return {
    begun,
    heard,
    mayPass: () => mayPass,
    call: () => whileFresh(sources, link).call(call),
    setFresh(isFresh: boolean) {
      becomesFresh?.resolve();
      becomesFresh = isFresh ? null : Promise.withResolvers();
    },
  };
}

test('a large result goes on while it comes', async () => {
  const { call, begun, mayPass } = started();
  await call();
  assert.deepEqual([begun, mayPass()], [[true], 1]);
});

test('a large result is held where something changed meanwhile that is not known yet, and its call waits for that', async () => {
  const { call, begun, mayPass, setFresh } = started();
  setFresh(false);
  let isOver = false;
  const calling = call().then(() => {
    isOver = true;
  });
  await setImmediate();
  assert.deepEqual([begun, mayPass(), isOver], [[false], 0, false]);
  setFresh(true);
  await calling;
});

test('what a source says and asks meanwhile waits until it is known what holds now', async () => {
  const { call, heard, setFresh } = started();
  await call();
  assert.deepEqual(heard.splice(0), ['said', 'asked']);
  setFresh(false);
  const calling = call();
  await setImmediate();
  assert.deepEqual(heard, []);
  setFresh(true);
  await calling;
  assert.deepEqual(heard, ['said', 'asked']);
});
