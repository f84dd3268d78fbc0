import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fill } from './template.ts';

const values = {
  client_id: 'id',
  client_secret: 'se{{client_id}}$&cret',
  scopes: ['c', 'a', 'b'],
  existing_scopes: ['b'],
  refresh_token: null,
};
const withSpace = { ...values, delimiter: ' ' } as const;
const withComma = { ...values, delimiter: ',' } as const;

describe('templates', () => {
  for (const [template, spaced, commas] of [
    ['{{scopes}}', 'c a b', 'c,a,b'],
    ['{{scopes}} {{existing_scopes}}', 'c a b', 'c,a,b'],
    ['{{scopes}},{{existing_scopes}}', 'c a b', 'c,a,b'],
    ['{{existing_scopes}} {{scopes}}', 'b c a', 'b,c,a'],
    ['openid {{ scopes }} offline_access', 'openid c a b offline_access', 'openid,c,a,b,offline_access'],
    ['a {{scopes}}', 'a c b', 'a,c,b'],
    ['api:{{scopes}}', 'api:c a b', 'api:c,a,b'],
    ['{{scopes}} for {{client_id}}', 'c a b for id', 'c,a,b for id'],
    ['{{client_secret}}', 'se{{client_id}}$&cret', 'se{{client_id}}$&cret'],
    ['x{{refresh_token}}y', 'xy', 'xy'],
    ['plain text, as it is', 'plain text, as it is', 'plain text, as it is'],
  ] as const) {
    it(`fills ${template}`, () => {
      assert.equal(fill(template, withSpace), spaced);
      assert.equal(fill(template, withComma), commas);
    });
  }

  it('leaves nothing of placeholders that have no value', () => {
    assert.equal(fill('{{scopes}} {{existing_scopes}}', { delimiter: ' ' }), '');
    assert.equal(fill('{{existing_scopes}} {{scopes}}', { ...withSpace, existing_scopes: [] }), 'c a b');
  });
});
