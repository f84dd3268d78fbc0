import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthProviderRequest, updateAuthProviderRequest } from '@sallyport/contracts';
import fc from 'fast-check';
import { changedRequest } from './change.ts';
import { checkAuthProvider, completed } from './complete.ts';
import { knownProviders } from './known/known-providers.ts';
import { layered } from './layered.ts';

const endpoints = {
  authorize_request: { endpoint: 'https://crm.example/authorize' },
  token_request: { endpoint: 'https://crm.example/token' },
};

describe('a complete provider', () => {
  it('has nothing in it that is switched off, or that the gateway sets itself', () => {
    const request = createAuthProviderRequest.parse({
      id: 'crm',
      oauth2: {
        client_id: 'a',
        client_secret: 'the-secret',
        ...endpoints,
        authorize_request: { ...endpoints.authorize_request, params: { state: '{{state}}', a: 'b' } },
        token_introspection_request: { endpoint: 'https://crm.example/introspect', enabled: false },
      },
    });
    const complete = completed(request);
    assert.ok(complete.ok);
    assert.deepEqual(complete.value.oauth2?.authorize_request.params, { a: 'b' });
    assert.equal('token_introspection_request' in (complete.value.oauth2 ?? {}), false);
    assert.doesNotMatch(JSON.stringify(complete.value), /the-secret/);
  });

  it('goes by its description where users are to know it, and by its id where that is long', () => {
    const labelOf = (description: string) => {
      const complete = completed({ id: 'crm', type: 'token', description });
      return complete.ok ? complete.value.label : null;
    };
    assert.equal(labelOf('The CRM'), 'The CRM');
    for (const description of ['', 'x'.repeat(61), 'a\nb']) assert.equal(labelOf(description), 'crm');
  });

  it('has only expressions that can be read, wherever they stand', () => {
    const oauth2 = { client_id: 'a', ...endpoints };
    const problem = checkAuthProvider({
      id: 'crm',
      type: 'oauth2',
      oauth2: { ...oauth2, account: { subject: '$.id', name: 'name' } },
    });
    assert.equal(problem?.field, 'oauth2.account.name');
    const entered = checkAuthProvider({ id: 'crm', type: 'token', entry: { account: { subject: 'join(' } } });
    assert.equal(entered?.field, 'entry.account.subject');
  });

  it('cannot lend its members to others', () => {
    const evil = JSON.parse(
      '{ "__proto__": { "polluted": 1 }, "constructor": { "prototype": { "polluted": 1 } } }',
    );
    const merged = layered({ a: 1 }, evil);
    assert.equal((merged as { polluted?: unknown }).polluted, undefined);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

it('whatever is asked for is taken or refused, and never fails', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '{{client_id}}',
      '{{',
      '$.a',
      'https://a.example',
      '__proto__',
      'zendesk',
      'oauth2',
      'entry',
    ),
  );
  const names = fc.oneof(
    text,
    fc.constantFrom(
      ...Object.keys(createAuthProviderRequest.shape),
      'client_id',
      'endpoint',
      'params',
      'response_map',
      'account',
      'token_request',
    ),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 6 }),
    ),
  }));
  const ids = knownProviders.map(({ id }) => id);
  const before = { id: 'a', type: 'oauth2', oauth2: { client_id: 'a', ...endpoints } } as const;
  fc.assert(
    fc.property(value, fc.constantFrom(...ids), (given, provider_id) => {
      for (const asked of [given, { id: 'a', provider_id, ...(Object(given) as object) }]) {
        const parsed = createAuthProviderRequest.safeParse(asked);
        if (parsed.success) completed(parsed.data);
        const update = updateAuthProviderRequest.safeParse(asked);
        if (!update.success) continue;
        const changed = changedRequest(before, update.data);
        if (changed.ok) assert.equal(changed.value.written.id, 'a');
      }
    }),
    { numRuns: 300 },
  );
});
