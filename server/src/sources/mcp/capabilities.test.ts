import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentClient } from '#domain';
import { ownerOf, undeclared } from './capabilities.ts';

describe('what a client may be asked', () => {
  const codeOf = (capabilities: object, method: string, params?: object) =>
    undeclared({ ...capabilities }, { method, params: params && { ...params } })?.code ?? null;

  it('is what it declared, and nothing that the gateway does not know', () => {
    assert.equal(codeOf({ roots: {} }, 'roots/list'), null);
    assert.equal(codeOf({}, 'roots/list'), -32601);
    assert.equal(codeOf({ elicitation: {} }, 'sampling/createMessage'), -32601);
    assert.equal(codeOf({ elicitation: {}, roots: {}, sampling: {} }, 'tools/list'), -32601);
  });

  it('are forms where it declared no mode, and otherwise the modes that it declared', () => {
    const url = { mode: 'url' };
    assert.equal(codeOf({ elicitation: {} }, 'elicitation/create'), null);
    assert.equal(codeOf({ elicitation: {} }, 'elicitation/create', url), -32602);
    assert.equal(codeOf({ elicitation: { url: {} } }, 'elicitation/create', url), null);
    assert.equal(codeOf({ elicitation: { url: {} } }, 'elicitation/create', { mode: 'form' }), -32602);
    assert.equal(codeOf({ elicitation: { form: {}, url: {} } }, 'elicitation/create'), null);
  });

  it('is sampling with tools only where it said so', () => {
    assert.equal(codeOf({ sampling: {} }, 'sampling/createMessage', { tools: [] }), -32602);
    assert.equal(codeOf({ sampling: {} }, 'sampling/createMessage', { toolChoice: {} }), -32602);
    assert.equal(codeOf({ sampling: { tools: {} } }, 'sampling/createMessage', { tools: [] }), null);
  });
});

describe('the owner of a session', () => {
  it('is the same for the same capabilities, however they are written, and another one for others', () => {
    const keyOf = (capabilities: object, userId = 'a') =>
      ownerOf({ ...silentClient, capabilities: { ...capabilities } }, { userId }).key;
    const one = keyOf({ roots: {}, elicitation: { url: {}, form: {} }, vendor: 1 });
    assert.equal(one, keyOf({ elicitation: { form: {}, url: {} }, roots: {} }));
    assert.notEqual(one, keyOf({ elicitation: { form: {} }, roots: {} }));
    assert.notEqual(one, keyOf({ roots: {}, elicitation: { url: {}, form: {} } }, 'b'));
  });

  it('is the conversation where there is one, and no user can have the name of one', () => {
    const client = { ...silentClient, conversation: 'c' };
    const keyOf = (userId: string | null, of = silentClient) => ownerOf(of, { userId }).key;
    assert.equal(keyOf('a', client), keyOf('b', client));
    assert.notEqual(keyOf(null, client), keyOf('conversation c'));
    assert.notEqual(keyOf(null), keyOf('nobody'));
  });

  it('is the person where they are known: two of one user id share nothing', () => {
    const keyOf = (userId: string, personId?: string) => ownerOf(silentClient, { userId, personId }).key;
    assert.notEqual(keyOf('1', 'usr_a'), keyOf('1', 'usr_b'));
    assert.notEqual(keyOf('1', 'usr_a'), keyOf('1'));
    assert.notEqual(keyOf('1', 'usr_a'), keyOf('ada@example.com', 'usr_a'));
    assert.notEqual(keyOf('usr_a'), keyOf('1', 'usr_a'));
  });
});
