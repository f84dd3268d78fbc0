import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AuthProvider,
  Client,
  ClientCredentialsProvider,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { exportPKCS8 } from 'jose';
import { askGateway, claimsOf } from '../fixtures/oauth-server.ts';
import {
  basic,
  byAssertion,
  type KeyPair,
  newKeyPair,
  type ServerWithTools,
  startServerWithTools,
} from './fixtures/programs.ts';

let server: ServerWithTools;
let key: KeyPair;
before(async () => {
  server = await startServerWithTools();
  key = await newKeyPair('first');
});
after(() => server?.close());

const keyed = async (more: object = {}) => await server.newAccount({ jwks: { keys: [key.jwk] }, ...more });

/** What a gateway answers whoever presents this token: the HTTP status, and the names of the tools that it shows. */
async function shown(token: string, gateway = server.gateway) {
  const response = await ask(token, 'tools/list', {}, gateway);
  const tools = response.status === 200 ? ((await response.json()) as Listed).result.tools : [];
  return { status: response.status, tools: tools.map(({ name }) => name) };
}
interface Listed {
  readonly result: { readonly tools: readonly { readonly name: string }[] };
}

function ask(token: string, method: string, params: object, gateway = server.gateway): Promise<Response> {
  return askGateway(gateway, token, method, params);
}

describe('the official MCP client, as a program without a person', () => {
  async function use(provider: OAuthClientProvider) {
    const client = new Client({ name: 'a program', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(server.gateway), {
      authProvider: provider as AuthProvider & OAuthClientProvider,
    });
    await client.connect(transport);
    const { tools } = await client.listTools();
    const joined = await client.callTool({ name: 'Test_Join', arguments: { words: ['a', 'b'] } });
    await client.close();
    return {
      tools: tools.map(({ name }) => name).sort(),
      joined: joined.structuredContent ?? joined.content,
    };
  }

  it('signs in with a secret, lists and calls', async () => {
    const { id, client_secret } = await server.newAccount();
    const used = await use(
      new ClientCredentialsProvider({
        clientId: id,
        clientSecret: client_secret,
        expectedIssuer: server.issuer,
      }),
    );
    assert.ok(used.tools.includes('Test_Join'));
    assert.match(JSON.stringify(used.joined), /a b/);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=10&kind=tool_call');
    assert.deepEqual([body.items[0].user_id, body.items[0].principal], [id, id]);
  });

  it('signs in with a key of its own, lists and calls', async () => {
    const { id } = await keyed();
    const privateKey = await exportPKCS8(key.privateKey);
    const used = await use(
      new PrivateKeyJwtProvider({
        clientId: id,
        privateKey,
        algorithm: 'ES256',
        expectedIssuer: server.issuer,
      }),
    );
    assert.ok(used.tools.includes('Test_Join'));
  });
});

describe('a token of a service account', () => {
  it('is for one gateway, says whose it is, and comes with nothing to refresh it', async () => {
    const { id, client_secret } = await server.newAccount();
    const { status, body, headers } = await server.token({}, basic(id, client_secret));
    assert.equal(status, 200, JSON.stringify(body));
    const { access_token, ...rest } = body;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'mcp' });
    assert.match(headers.get('cache-control') ?? '', /no-store/);
    const { jti, iat, exp, gateway, ...claims } = claimsOf(access_token);
    assert.ok(jti !== undefined && Number(exp) - Number(iat) === 3600 && String(gateway).length > 0);
    assert.deepEqual(claims, {
      iss: server.issuer,
      aud: server.gateway,
      sub: id,
      principal: id,
      client_id: id,
      scope: 'mcp',
    });
    const { body: log } = await server.ask('GET', '/v1/audit_events?limit=1&kind=sign_in');
    const [{ decision, user_id, principal, client_id, gateway: at, reason }] = log.items;
    assert.deepEqual(
      { decision, user_id, principal, client_id, at, reason },
      {
        decision: 'allowed',
        user_id: id,
        principal: id,
        client_id: id,
        at: 'tools',
        reason: 'a token by client_credentials',
      },
    );
  });

  it('is got with the secret in the body, or in the header', async () => {
    const { id: client_id, client_secret } = await server.newAccount();
    for (const answer of [
      await server.token({ client_id, client_secret }),
      await server.token({}, basic(client_id, client_secret)),
    ])
      assert.deepEqual(await shown(answer.body.access_token).then(({ status }) => status), 200);
  });

  it('is got with a key, for the issuer and for the token endpoint as audience, whatever else it also has', async () => {
    for (const more of [{}, { with_secret: true }]) {
      const { id } = await keyed(more);
      for (const audience of [server.issuer, `${server.issuer}/oauth2/token`, [server.issuer]]) {
        const { status, body } = await server.token(await byAssertion(id, audience, key));
        assert.equal(status, 200, JSON.stringify(body));
      }
    }
  });

  it('has the scopes that are asked for and exist, and lets it call what takes them', async () => {
    const { id, client_secret } = await server.newAccount();
    const call = async (scope: string) => {
      const { body } = await server.token({ scope }, basic(id, client_secret));
      const params = { name: 'Test_Count', arguments: {} };
      const response = await ask(body.access_token, 'tools/call', params);
      return {
        scope: body.scope,
        status: response.status,
        challenge: response.headers.get('www-authenticate'),
      };
    };
    const without = await call('mcp nonsense');
    assert.deepEqual([without.scope, without.status], ['mcp', 403]);
    assert.match(without.challenge ?? '', /error="insufficient_scope".*scope="[^"]*\bcount\b/);
    const withIt = await call('mcp count');
    assert.deepEqual([withIt.scope, withIt.status], ['mcp count', 200]);
  });

  it('for the API does what its role allows, and nothing at a gateway', async () => {
    const { id, client_secret } = await server.newAccount({ role: 'auditor' });
    const { body } = await server.token({ resource: `${server.issuer}/v1` }, basic(id, client_secret));
    const asked = async (path: string) =>
      (await server.ask('GET', path, { key: `Bearer ${body.access_token}` })).status;
    assert.equal(await asked('/v1/audit_events'), 200);
    assert.equal(await asked('/v1/api_keys'), 403);
    assert.equal((await shown(body.access_token)).status, 401);
  });

  it('for one gateway opens no other', async () => {
    const other = await server.newGateway('other');
    const { id, client_secret } = await server.newAccount();
    const { body } = await server.token({}, basic(id, client_secret));
    assert.equal((await shown(body.access_token, other)).status, 401);
    assert.equal((await shown(body.access_token)).status, 200);
  });

  it('is refused on the next call once the account is deactivated, its key is, too, and no other is given', async () => {
    const { id, client_secret } = await server.newAccount();
    const { body } = await server.token({}, basic(id, client_secret));
    const apiKey = await server.newKey({ name: 'its key', service_account_id: id });
    const statuses = async () => [
      (await shown(body.access_token)).status,
      (await server.ask('GET', '/v1/tools', { key: apiKey })).status,
      (await server.token({}, basic(id, client_secret))).status,
    ];
    assert.deepEqual(await statuses(), [200, 200, 200]);
    await server.ask('PATCH', `/v1/service_accounts/${id}`, { body: { active: false } });
    assert.deepEqual(await statuses(), [401, 401, 401]);
    await server.ask('PATCH', `/v1/service_accounts/${id}`, { body: { active: true } });
    assert.deepEqual(await statuses(), [200, 200, 200]);
    await server.ask('DELETE', `/v1/service_accounts/${id}`);
    assert.deepEqual(await statuses(), [401, 401, 401]);
  });

  it('is not got with the secret before the last', async () => {
    const { id, client_secret } = await server.newAccount();
    const renewed = await server.ask('POST', `/v1/service_accounts/${id}/secret`);
    assert.equal((await server.token({}, basic(id, client_secret))).status, 401);
    assert.equal((await server.token({}, basic(id, renewed.body.client_secret))).status, 200);
  });
});

describe('an API key of a service account at a gateway', () => {
  it('is the account where it names nobody, and whom it names where it does', async () => {
    const gateway = await server.newGateway('keys', { auth_types: ['arcade_header'] });
    const { id } = await server.newAccount();
    const apiKey = await server.newKey({ name: 'its key', service_account_id: id });
    const nobodys = await server.newKey({ name: 'of nobody' });
    const status = async (headers: Record<string, string>) =>
      (
        await fetch(gateway, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...headers,
          },
          body: JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name: 'Test_Join', arguments: { words: ['x'] } },
          }),
        })
      ).status;
    assert.equal(await status({ authorization: `Bearer ${apiKey}` }), 200);
    assert.equal(await status({ authorization: `Bearer ${apiKey}`, 'arcade-user-id': 'alice' }), 200);
    assert.equal(await status({ authorization: `Bearer ${nobodys}` }), 400);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=2&kind=tool_call');
    assert.deepEqual(
      body.items.map(({ user_id }: { user_id: string }) => user_id),
      ['alice', id],
    );
  });
});
