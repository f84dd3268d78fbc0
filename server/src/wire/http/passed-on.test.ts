import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type AnswerPart, PassedOnResponse } from './passed-on.ts';

function passed() {
  const sent: (readonly AnswerPart[])[] = [];
  const response = new PassedOnResponse((parts) => sent.push(parts));
  return { response, sent };
}

test('an answer that is there as a whole is said at once', () => {
  const { response, sent } = passed();
  response.setHeader('X-One', '1');
  response.writeHead(200, { 'content-length': 2 });
  response.end('{}');
  assert.deepEqual(sent, [
    [
      { kind: 'head', status: 200, headers: { 'x-one': '1', 'content-length': 2 } },
      { kind: 'part', bytes: Buffer.from('{}') },
      { kind: 'end' },
    ],
  ]);
  assert.equal(response.writableFinished, false);
  response.over(true);
  assert.equal(response.writableFinished, true);
});

test('who writes more than the client reads is told to wait, and when to go on', async () => {
  const { response } = passed();
  const left: string[] = [];
  assert.equal(
    response.write('a'.repeat(10), () => left.push('first')),
    true,
  );
  assert.equal(
    response.write(Buffer.alloc(64 * 1024), () => left.push('second')),
    false,
  );
  assert.equal(response.writableLength, 64 * 1024 + 10);
  const drained = once(response, 'drain');
  response.taken(10);
  assert.deepEqual(left, ['first']);
  response.taken(64 * 1024);
  await drained;
  assert.deepEqual(left, ['first', 'second']);
  assert.equal(response.writableLength, 0);
});

test('a client that is gone is gone, whatever was still to be said', async () => {
  const { response } = passed();
  const closed = once(response, 'close');
  let isLeft = false;
  response.write('begun', () => {
    isLeft = true;
  });
  response.over(false);
  await closed;
  assert.deepEqual([response.destroyed, response.writableFinished, isLeft], [true, false, true]);
  assert.equal(response.write('more'), true);
});

test('what is cut here is cut there', () => {
  const { response, sent } = passed();
  response.write('begun');
  response.destroy();
  assert.deepEqual(
    sent.flat().map(({ kind }) => kind),
    ['head', 'part', 'cut'],
  );
});

test('a head that cannot be sent is refused where it is made, and another may take its place', () => {
  const { response, sent } = passed();
  response.setHeader('x-one', '1');
  for (const bad of [{ 'x-two': 'a\r\nx-three: b' }, { 'x-two': '\u2192' }, { 'x two': 'a' }])
    assert.throws(() => response.writeHead(200, bad));
  response.writeHead(500, { 'content-length': 0 });
  response.end();
  const [head] = sent.flat();
  assert.deepEqual(head, { kind: 'head', status: 500, headers: { 'x-one': '1', 'content-length': 0 } });
});
