import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ExecutionResponse } from '@sallyport/contracts';
import { type ClientSide, silentClient } from '#domain';
import type { Asked, InputRequired } from '../methods.ts';
import { broughtBy, executionAnswer, executionResult, requestsTo } from './execution-answer.ts';

const at = '2026-11-01T00:00:00.000Z';
const waiting: ExecutionResponse = {
  ...{ execution_id: 'te_1', status: 'waiting', tool: 'mcp://docs.Read', mode: 'interactive' },
  ...{ created_at: at, expires_at: at },
};
const asks = (elicitation: object): ClientSide => ({ ...silentClient, capabilities: { elicitation } });
const consent: ExecutionResponse = { ...waiting, waiting_for: 'consent', authorization_url: 'https://g/1' };
const question = {
  method: 'elicitation/create',
  params: { message: 'Which?', requestedSchema: { type: 'object', properties: {} } },
};
const asksByThatName: ExecutionResponse = {
  ...waiting,
  waiting_for: 'input',
  questions: { authorization: question },
};

it('every consent that is missing is asked for, of a client that opens links', () => {
  const several = { ...consent, authorization_urls: ['https://g/1', 'https://g/2'] };
  const urlsOf = (execution: ExecutionResponse) =>
    Object.values(requestsTo(asks({ url: {} }), execution) ?? {}).map(({ params }) => params?.url);
  assert.deepEqual(urlsOf(consent), ['https://g/1']);
  assert.deepEqual(urlsOf(several), ['https://g/1', 'https://g/2']);
  for (const client of [silentClient, asks({ form: {} })]) assert.equal(requestsTo(client, several), null);
});

it('an answer is one to what was asked, whatever a tool calls its question', () => {
  const responses = { authorization: { action: 'accept' } };
  const broughtTo = (execution: ExecutionResponse) => {
    const asked = { client: asks({ form: {}, url: {} }) } as unknown as Asked;
    const { state } = executionAnswer(asked, execution) as InputRequired;
    return broughtBy({ client: { ...silentClient, resume: { responses, state, continues: true } } });
  };
  assert.deepEqual(broughtTo(asksByThatName), { id: 'te_1', isInput: true, responses });
  assert.deepEqual(broughtTo(consent), { id: 'te_1', isInput: false, responses });
});

it('only what did not succeed for all that is known is an error to the model', () => {
  const asked = { exchange: { view: { find: () => null } } } as unknown as Asked;
  const errors = (
    ['pending', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'unknown'] as const
  ).filter((status) => JSON.parse(String(executionResult(asked, { ...waiting, status }))).isError);
  assert.deepEqual(errors, ['failed', 'unknown']);
});
