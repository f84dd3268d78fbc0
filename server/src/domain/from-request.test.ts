import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createGatewayRequest,
  createWorkerRequest,
  updateGatewayRequest,
  updateWorkerRequest,
} from '@sallyport/contracts';
import {
  gatewayEditFromRequest,
  gatewayReplacementFromRequest,
  headersAsWritten,
  newGatewayFromRequest,
  newSourceFromRequest,
  sourceEditFromRequest,
} from './from-request.ts';
import type { Gateway } from './gateway.ts';
import { type Source, timeoutMsOf } from './source.ts';

const place = { projectId: 'default' };
const stamps = {
  origin: 'api',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
} as const;

function mcpSource(): Source {
  const request = createWorkerRequest.parse({
    id: 'render',
    mcp: {
      uri: 'https://mcp.example/mcp',
      headers: { authorization: `Bearer \${secret:TOKEN}` },
      secrets: { TOKEN: 'first', OTHER: 'x' },
      oauth2: { client_id: 'c', client_secret: 's' },
    },
  });
  return { ...newSourceFromRequest(request, place), ...stamps };
}

function gateway(request: object): Gateway {
  return { ...newGatewayFromRequest(createGatewayRequest.parse(request), place), id: 'gw_1', ...stamps };
}

describe('a worker request', () => {
  it('needs only one block; type, time-out and retry have defaults', () => {
    const request = createWorkerRequest.parse({ id: 'w', http: { uri: 'http://w.example', secret: 'abc' } });
    const source = newSourceFromRequest(request, place);
    assert.equal(source.kind, 'worker');
    assert.equal(source.timeoutMs, 30_000);
    assert.equal(source.retry, 3);
    assert.equal(source.enabled, true);
  });

  it('is refused by name for a field that is not known', () => {
    const checked = createWorkerRequest.safeParse({
      id: 'w',
      http: { uri: 'http://w', secret: 's', verify: false },
    });
    assert.equal(checked.success, false);
    assert.match(checked.error.message, /verify/);
  });

  it('puts secrets into headers, and can show the headers without them', () => {
    const source = mcpSource();
    assert.deepEqual(source.headers, { authorization: 'Bearer first' });
    assert.deepEqual(headersAsWritten(source), { authorization: `Bearer \${secret:TOKEN}` });
  });

  it('leaves to the project what is no secret of its own, by a name that a secret can have', () => {
    for (const name of ['NOPE', 'constructor']) {
      const headers = { a: `\${secret:${name}}` };
      const request = createWorkerRequest.parse({ id: 'm', mcp: { uri: 'http://m', headers } });
      assert.deepEqual(newSourceFromRequest(request, place).headers, headers);
    }
    const mcp = { uri: 'http://m', headers: { a: `\${secret:no name}` } };
    assert.equal(createWorkerRequest.safeParse({ id: 'm', mcp }).success, false);
  });

  it('is refused when a header would end the line', () => {
    const mcp = { uri: 'http://m', headers: { a: 'b\r\nhost: evil' } };
    assert.equal(createWorkerRequest.safeParse({ id: 'm', mcp }).success, false);
    const hidden = { uri: 'http://m', headers: { a: `\${secret:S}` }, secrets: { S: 'b\r\nc: d' } };
    assert.equal(createWorkerRequest.safeParse({ id: 'm', mcp: hidden }).success, false);
  });
});

describe('a worker edit', () => {
  it('of one secret renews the headers that use it and leaves the others', () => {
    const edit = sourceEditFromRequest(
      updateWorkerRequest.parse({ mcp: { secrets: { TOKEN: 'second' } } }),
      mcpSource(),
    );
    assert.ok(edit.ok);
    assert.deepEqual(edit.value.headers, { authorization: 'Bearer second' });
    assert.deepEqual(edit.value.secrets, { TOKEN: 'second', OTHER: 'x' });
    assert.deepEqual(edit.value.kept?.oauth2, { client_id: 'c', client_secret: 's' });
  });

  it('that removes a secret still in use leaves it to the project', () => {
    const edit = sourceEditFromRequest(
      updateWorkerRequest.parse({ mcp: { secrets: { TOKEN: null } } }),
      mcpSource(),
    );
    assert.ok(edit.ok);
    assert.deepEqual(edit.value.headers, { authorization: `Bearer \${secret:TOKEN}` });
  });

  it('says whose token calls carry, and takes that back', () => {
    const change = (auth_provider: object | null) =>
      sourceEditFromRequest(updateWorkerRequest.parse({ mcp: { auth_provider } }), mcpSource());
    assert.deepEqual(change({ id: 'github' }), {
      ok: true,
      value: { authProvider: { id: 'github', scopes: [] } },
    });
    assert.deepEqual(change(null), { ok: true, value: { authProvider: null } });
  });

  it('that speaks of the other type is refused, naming the block', () => {
    const edit = sourceEditFromRequest(updateWorkerRequest.parse({ http: { timeout: 1 } }), mcpSource());
    assert.ok(!edit.ok);
    assert.equal(edit.error.field, 'http');
  });

  it('changes nothing that it does not name', () => {
    const edit = sourceEditFromRequest(updateWorkerRequest.parse({ mcp: { timeout: 5 } }), mcpSource());
    assert.deepEqual(edit, { ok: true, value: { timeoutMs: 5000 } });
  });
});

describe('time-outs of single tools', () => {
  it('hold for these tools, whatever their names, and are replaced as a whole', () => {
    const request = {
      id: 'w',
      http: { uri: 'http://w.example', secret: 'abc', tool_timeouts: { Build: 900 } },
    };
    const source = { ...newSourceFromRequest(createWorkerRequest.parse(request), place), ...stamps };
    const timeouts = (given: Source) =>
      ['Build', 'Other', 'constructor'].map((tool) => timeoutMsOf(given, tool));
    assert.deepEqual(timeouts(source), [900_000, 30_000, 30_000]);
    const change = updateWorkerRequest.parse({ http: { tool_timeouts: { Other: 5 } } });
    const edit = sourceEditFromRequest(change, source);
    assert.ok(edit.ok);
    assert.deepEqual(timeouts({ ...source, ...edit.value }), [30_000, 5000, 30_000]);
  });
});

describe('a gateway request', () => {
  it('with only a name is open to every tool, by API key, under a slug made of the name', () => {
    const made = gateway({ name: 'Équipe Données 2' });
    assert.equal(made.slug, 'equipe-donnees-2');
    assert.equal(made.allowedTools, null);
    assert.deepEqual(made.authTypes, ['arcade_header']);
    assert.equal(made.access, 'open');
  });

  it('is refused for a presentation that there is not, naming the field', () => {
    const checked = createGatewayRequest.safeParse({ name: 'g', presentation: 'shelf' });
    assert.ok(!checked.success);
    assert.deepEqual(checked.error.issues[0]?.path, ['presentation']);
  });

  it('keeps the fields that do not act yet', () => {
    const made = gateway({
      name: 'g',
      tool_filter: { discovery: { enabled: true } },
      consent_skip_client_ids: ['a'],
    });
    assert.deepEqual(made.kept, { discovery: { enabled: true } });
    assert.deepEqual(made.consentSkipClientIds, ['a']);
  });
});

describe('a gateway edit', () => {
  const before = gateway({
    name: 'g',
    slug: 's',
    tool_filter: { allowed_tools: ['A.*'] },
    consent_skip_client_ids: ['a'],
  });

  it('changes nothing that it does not name', () => {
    const edit = gatewayEditFromRequest(updateGatewayRequest.parse({ description: 'd' }), before);
    assert.deepEqual(edit, { description: 'd', kept: before.kept });
  });

  it('can open the gateway to every tool again, and to none', () => {
    const edit = (allowed_tools: string[] | null) =>
      gatewayEditFromRequest(updateGatewayRequest.parse({ tool_filter: { allowed_tools } }), before)
        .allowedTools;
    assert.equal(edit(null), null);
    assert.deepEqual(edit([]), []);
  });

  it('as a replacement keeps only the slug', () => {
    const edit = gatewayReplacementFromRequest({ name: 'new' }, before);
    assert.equal(edit.slug, 's');
    assert.equal(edit.allowedTools, null);
    assert.deepEqual(edit.kept, {});
    assert.ok(!('projectId' in edit));
  });
});
