import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientSide, silentClient } from '#domain';
import { createSealer, manualClock } from '#foundation';
import { underId } from './calls.ts';
import { createTaskIds } from './ids.ts';
import { taskNotification, withIds } from './messages.ts';

const related = 'io.modelcontextprotocol/related-task';
const tasks = createTaskIds(createSealer(Buffer.alloc(32, 7)), manualClock());
const ref = { sourceId: 'docs', own: 'own-1', toolId: 'tool_1' };
const id = tasks.give('alice', ref, null);

test('a result tells of a task under the id of the client; every other byte stays', () => {
  const written = (taskId: string) =>
    ` {"taskId" : "${taskId}","task":{"taskId":"${taskId}","big":12345678901234567890},
      "structuredContent":{"taskId":"own-1"},"content":[{"_meta":{"${related}":{"taskId":"${taskId}", "a":1.0}}}],
      "_meta":{"${related}":{"taskId":"${taskId}"},"vendor/x":{"taskId":"own-1"}}}`;
  assert.equal(underId('own-1', id)(Buffer.from(written('own-1'))).toString(), written(id));
  const foreign = written('own-2');
  assert.equal(underId('own-1', id)(Buffer.from(foreign)).toString(), foreign);
});

test('the status of a task is told under the id of the one who has it, and to nobody else', () => {
  const method = 'notifications/tasks/status';
  const said = { method, params: { taskId: 'own-1', status: 'completed', _meta: { 'vendor/x': 1 } } };
  assert.deepEqual(taskNotification('alice', 'docs', said, { tasks }), {
    method,
    params: { ...said.params, taskId: id },
  });
  assert.equal(taskNotification('bob', 'docs', said, { tasks }), null);
  assert.equal(taskNotification('alice', 'other', said, { tasks }), null);
  assert.equal(taskNotification('alice', 'docs', { method }, { tasks }), null);
});

test('what else is said of a task names it as the client does', () => {
  const said = (taskId: string) => ({
    method: 'notifications/message',
    params: { level: 'info', _meta: { [related]: { taskId }, 'vendor/x': 1 } },
  });
  assert.deepEqual(taskNotification('alice', 'docs', said('own-1'), { tasks }), said(id));
  const plain = { method: 'notifications/message', params: { level: 'info' } };
  assert.equal(taskNotification('alice', 'docs', plain, { tasks }), plain);
});

test('a question about a task comes under the id of the client, and its answer goes back under that of the source', async () => {
  let heard: unknown;
  const asked: ClientSide = {
    ...silentClient,
    async ask({ params }) {
      heard = params;
      return { result: { action: 'accept', _meta: params?._meta as object } };
    },
  };
  const { ask } = withIds(asked, 'own-1', id);
  const params = { message: 'Your name?', _meta: { [related]: { taskId: 'own-1' } } };
  const answer = await ask?.({ method: 'elicitation/create', params }, new AbortController().signal);
  assert.deepEqual(heard, { message: 'Your name?', _meta: { [related]: { taskId: id } } });
  assert.deepEqual(answer, { result: { action: 'accept', _meta: params._meta } });
});
