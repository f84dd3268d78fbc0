import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AuthProvider,
  Client,
  CrossAppAccessProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { type IdentityProvider, startIdentityProvider } from '../../../../test/identity-provider.ts';
import { type Answer, askGateway, claimsOf } from '../fixtures/oauth-server.ts';
import { basic, type ServerWithTools, startServerWithTools } from './fixtures/programs.ts';

let server: ServerWithTools;
let idp: IdentityProvider;
let sourceId: string;
/** The application that the company's issuer lets in. */
let app: { readonly id: string; readonly client_secret: string };
let gateway: string;

before(async () => {
  idp = await startIdentityProvider();
  server = await startServerWithTools();
  app = await server.newAccount({ name: 'An application' });
  sourceId = await newSource({});
  gateway = await server.newGateway('company', {
    auth_types: ['user_source'],
    user_source_ids: [sourceId],
    tool_scopes: [{ scope: 'count', tools: ['Test.Count'] }],
  });
});
after(async () => {
  await server?.close();
  await idp?.close();
});

async function newSource(fields: object): Promise<string> {
  const { status, body } = await server.ask('POST', '/v1/user_sources', {
    body: {
      name: 'Company',
      issuer: idp.issuer,
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
      user_claim: 'email',
      assertion_client_ids: [app.id],
      ...fields,
    },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const change = (fields: object) => server.ask('PATCH', `/v1/user_sources/${sourceId}`, { body: fields });

type Other = Parameters<IdentityProvider['assertion']>[2];
interface Wish {
  readonly login?: string;
  readonly resource?: string | undefined;
  readonly scope?: string;
  readonly clientId?: string;
  readonly audience?: string;
}

function assertion({ login = 'alice', ...wish }: Wish = {}, other?: Other): Promise<string> {
  const to = { audience: server.issuer, clientId: app.id, resource: gateway, scope: 'mcp', ...wish };
  return idp.assertion(login, to as Parameters<IdentityProvider['assertion']>[1], other);
}

function redeem(assertionText: string, fields: Record<string, string> = {}, by = app): Promise<Answer> {
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  return server.form(
    '/oauth2/token',
    { grant_type, assertion: assertionText, ...fields },
    basic(by.id, by.client_secret),
  );
}

function ask(token: string, name: string, at = gateway): Promise<Response> {
  return askGateway(at, token, 'tools/call', {
    name,
    arguments: name === 'Test_Join' ? { words: ['x'] } : {},
  });
}

const now = () => Math.floor(Date.now() / 1000);
const refused = { error: 'invalid_grant', error_description: 'grant request is invalid' };

describe('an identity assertion of the company', () => {
  it('signs the person in at the gateway: user id, groups and application are known there', async () => {
    const { status, body, headers } = await redeem(await assertion());
    assert.equal(status, 200, JSON.stringify(body));
    const { access_token, expires_in, ...rest } = body;
    assert.deepEqual(rest, { token_type: 'Bearer', scope: 'mcp' });
    assert.ok(expires_in > 3500 && expires_in <= 3600);
    assert.match(headers.get('cache-control') ?? '', /no-store/);
    const claims = claimsOf(access_token);
    assert.deepEqual(
      [claims.sub, claims.aud, claims.client_id, claims.scope, claims.grant],
      ['alice@example.com', gateway, app.id, 'mcp', undefined],
    );
    assert.match(String(claims.principal), /^usr_/);
    assert.match(String(claims.sid), /^sgn_/);
    assert.equal((await ask(access_token, 'Test_Join')).status, 200);
    const { body: log } = await server.ask('GET', '/v1/audit_events?limit=1&kind=tool_call');
    const [{ user_id, principal, client_id }] = log.items;
    assert.deepEqual([user_id, principal, client_id], ['alice@example.com', claims.principal, app.id]);
    const signIn = await server.app.rooms.identity.signIns.find(String(claims.sid));
    assert.deepEqual(signIn?.groups, ['engineering', 'everyone']);
    const { body: given } = await server.ask('GET', '/v1/audit_events?limit=1&kind=sign_in');
    const [event] = given.items;
    assert.deepEqual(
      [event.decision, event.user_id, event.principal, event.client_id, event.gateway],
      ['allowed', 'alice@example.com', claims.principal, app.id, 'company'],
    );
  });

  it('is used by the official MCP client, which finds all it needs', async () => {
    const provider = new CrossAppAccessProvider({
      clientId: app.id,
      clientSecret: app.client_secret,
      expectedIssuer: server.issuer,
      assertion: async ({ authorizationServerUrl, resourceUrl, scope }) =>
        await idp.assertion('bob', {
          audience: authorizationServerUrl,
          clientId: app.id,
          resource: resourceUrl,
          scope: scope ?? '',
        }),
    });
    const client = new Client({ name: 'an application', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(gateway), {
      authProvider: provider as unknown as AuthProvider,
    });
    await client.connect(transport);
    const { tools } = await client.listTools();
    assert.ok(tools.some(({ name }) => name === 'Test_Join'));
    await client.close();
  });

  it('is told of in the metadata', async () => {
    const { body } = await server.ask('GET', '/.well-known/oauth-authorization-server', { key: null });
    assert.ok(body.grant_types_supported.includes('urn:ietf:params:oauth:grant-type:jwt-bearer'));
    assert.ok(body.grant_types_supported.includes('client_credentials'));
    assert.deepEqual(body.authorization_grant_profiles_supported, [
      'urn:ietf:params:oauth:grant-profile:id-jag',
    ]);
  });

  it('gives the scopes that the issuer allows, the client wants, and the gateway knows', async () => {
    const scopeOf = async (allowed: string | undefined, asked: Record<string, string>) => {
      const wish = allowed === undefined ? {} : { scope: allowed };
      const { body } = await redeem(await assertion(wish), asked);
      return body.scope ?? body.error;
    };
    assert.equal(await scopeOf('mcp count unknown', {}), 'mcp count');
    assert.equal(await scopeOf('mcp count', { scope: 'mcp' }), 'mcp');
    assert.equal(await scopeOf('mcp', { scope: 'mcp count' }), 'mcp');
    assert.equal(await scopeOf('', { scope: 'openid mcp count' }), 'mcp');
    assert.equal(await scopeOf('unknown', {}), 'invalid_grant');
    const without = (await redeem(await assertion())).body.access_token;
    const withIt = (await redeem(await assertion({ scope: 'mcp count' }))).body.access_token;
    assert.equal((await ask(without, 'Test_Count')).status, 403);
    assert.equal((await ask(withIt, 'Test_Count')).status, 200);
  });

  it('that comes again and again keeps one sign-in, which ends all its tokens when it ends', async () => {
    const tokens: string[] = [];
    for (let count = 0; count < 3; count++) tokens.push((await redeem(await assertion())).body.access_token);
    const signIns = new Set(tokens.map((token) => claimsOf(token).sid));
    assert.equal(signIns.size, 1);
    const [signIn] = signIns;
    assert.equal(await server.app.rooms.identity.signIns.end(String(signIn)), true);
    for (const token of tokens) assert.equal((await ask(token, 'Test_Join')).status, 401);
    const later = (await redeem(await assertion())).body.access_token;
    assert.notEqual(claimsOf(later).sid, signIn);
    assert.equal((await ask(later, 'Test_Join')).status, 200);
  });

  it('with other groups makes another sign-in, and the groups are those of today', async () => {
    const groups = ['moved'];
    const first = (await redeem(await assertion())).body.access_token;
    const second = (await redeem(await assertion({}, { claims: { groups } }))).body.access_token;
    assert.notEqual(claimsOf(second).sid, claimsOf(first).sid);
    const signIn = await server.app.rooms.identity.signIns.find(String(claimsOf(second).sid));
    assert.deepEqual(signIn?.groups, groups);
  });

  it('makes people members of the project where the source says so, and else lets only members in', async () => {
    const members = await server.newGateway('members', { auth_types: ['arcade'] });
    const wish = { login: 'bob', resource: members };
    await change({ new_people: 'none' });
    assert.deepEqual((await redeem(await assertion(wish))).body, refused);
    await change({ new_people: 'member' });
    const { body } = await redeem(await assertion(wish));
    assert.equal(claimsOf(body.access_token).sub, 'bob@example.com');
    assert.equal((await ask(body.access_token, 'Test_Join', members)).status, 200);
  });
});

describe('an assertion that does not hold gives nothing, and says no more than that', () => {
  async function assertRefused(text: string, what: string, fields?: Record<string, string>, by = app) {
    const { status, body } = await redeem(text, fields, by);
    assert.deepEqual({ status, body }, { status: 400, body: refused }, what);
  }

  it('used once already, also at the same moment', async () => {
    const text = await assertion();
    const answers = await Promise.all(Array.from({ length: 6 }, () => redeem(text)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    await assertRefused(text, 'again');
  });

  it('signed by nobody, by another key, or with what everybody knows', async () => {
    for (const signing of ['none', 'secret', 'public_key_as_secret', 'foreign_key'] as const)
      await assertRefused(await assertion({}, { signing }), signing);
    for (const header of [
      { typ: 'JWT' },
      { typ: 'at+jwt' },
      { kid: 'unknown' },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/cert' },
      { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
    ])
      await assertRefused(await assertion({}, { header }), JSON.stringify(header));
    for (const text of ['', 'x', 'a.b.c', `${await assertion()}x`.slice(4)]) {
      const { status } = await redeem(text);
      assert.equal(status, 400, text);
    }
  });

  it('for another audience, by another issuer, of another time, or about nobody', async () => {
    for (const claims of [
      { aud: 'https://elsewhere.example' },
      { aud: gateway },
      { aud: [server.issuer, 'https://elsewhere.example'] },
      { iss: 'https://elsewhere.example' },
      { iss: undefined },
      { exp: now() - 120 },
      { exp: undefined },
      { nbf: now() + 300 },
      { iat: now() + 300 },
      { iat: now() - 7200, exp: now() + 300 },
      { jti: undefined },
      { sub: undefined },
      { email: undefined },
      { resource: undefined },
      { resource: `${server.issuer}/mcp/no-such-gateway` },
      { resource: `${server.issuer}/v1` },
    ])
      await assertRefused(await assertion({}, { claims }), JSON.stringify(claims));
    await assertRefused(await assertion(), 'another resource', { resource: server.gateway });
  });

  it('made for another client, or brought by one that the source does not take', async () => {
    const other = await server.newAccount();
    await assertRefused(await assertion(), 'brought by another', {}, other);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=1&kind=sign_in');
    const [{ decision, client_id, reason }] = body.items;
    assert.deepEqual([decision, client_id], ['refused', other.id]);
    assert.match(reason, /no user source of the project takes assertions of this issuer for this client/);
    await assertRefused(await assertion({ clientId: other.id }), 'made for another');
    await assertRefused(await assertion({ clientId: other.id }), 'not taken', {}, other);
  });

  it('brought by a service account of another project, whatever the source says', async () => {
    const { people, serviceAccounts } = server.app.rooms.identity;
    const project = await people.createProject('default', 'Another');
    const { account, secret } = await serviceAccounts.create(
      { projectId: project.id, name: 'elsewhere', description: '', jwks: null, role: 'admin' },
      { withSecret: true },
    );
    await change({ assertion_client_ids: [app.id, account.id] });
    const by = { id: account.id, client_secret: secret ?? '' };
    for (const resource of [gateway, `${server.issuer}/mcp/no-such-gateway`])
      await assertRefused(await assertion({ clientId: account.id, resource }), resource, {}, by);
  });

  it('brought by a client that cannot prove who it is', async () => {
    const registered = await server.register({
      client_name: 'public',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      token_endpoint_auth_method: 'none',
    });
    const { client_id } = registered.body;
    await change({ assertion_client_ids: [app.id, client_id] });
    const answer = await server.form('/oauth2/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id,
      assertion: await assertion({ clientId: client_id }),
    });
    assert.deepEqual([answer.status, answer.body.error], [400, 'unauthorized_client']);
    const named = await server.form('/oauth2/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id: app.id,
      assertion: await assertion(),
    });
    assert.deepEqual([named.status, named.body.error], [401, 'invalid_client']);
  });

  it('is brought by a client that registered itself with a secret, where the source takes it', async () => {
    const { body: client } = await server.register({
      client_name: 'confidential',
      grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const by = { id: client.client_id, client_secret: client.client_secret };
    await assertRefused(await assertion({ clientId: by.id }), 'not taken yet', {}, by);
    await change({ assertion_client_ids: [app.id, by.id] });
    const { status, body } = await redeem(await assertion({ clientId: by.id }), {}, by);
    assert.equal(status, 200, JSON.stringify(body));
  });

  it('of a source that is inactive, or takes no assertions, or other domains', async () => {
    await change({ assertion_client_ids: [app.id] });
    const { userSources } = server.app.rooms.identity;
    const source = userSources.get('default', sourceId);
    assert.ok(source !== null);
    for (const fields of [
      { status: 'inactive' },
      { assertionClients: [] },
      { allowedDomains: ['other.example'] },
      { issuer: `${idp.issuer}/other` },
    ] as const) {
      await userSources.replace('default', sourceId, { ...source, ...fields });
      await assertRefused(await assertion(), JSON.stringify(fields));
    }
    await userSources.replace('default', sourceId, source);
    assert.equal((await redeem(await assertion())).status, 200);
  });

  it('about somebody who is deactivated, whose tokens are refused on their next call', async () => {
    const { access_token } = (await redeem(await assertion())).body;
    const person = String(claimsOf(access_token).principal);
    const { people } = server.app.rooms.identity;
    await people.setActive('default', person, false);
    await assertRefused(await assertion(), 'deactivated');
    assert.equal((await ask(access_token, 'Test_Join')).status, 401);
    await people.setActive('default', person, true);
    assert.equal((await redeem(await assertion())).status, 200);
  });

  it('of an application that is deactivated or deleted since: its tokens are refused on their next call', async () => {
    const other = await server.newAccount();
    await change({ assertion_client_ids: [app.id, other.id] });
    const { access_token } = (await redeem(await assertion({ clientId: other.id }), {}, other)).body;
    const statuses = [(await ask(access_token, 'Test_Join')).status];
    for (const active of [false, true]) {
      await server.ask('PATCH', `/v1/service_accounts/${other.id}`, { body: { active } });
      statuses.push((await ask(access_token, 'Test_Join')).status);
    }
    await server.ask('DELETE', `/v1/service_accounts/${other.id}`);
    statuses.push((await ask(access_token, 'Test_Join')).status);
    assert.deepEqual(statuses, [200, 401, 200, 401]);
  });

  it('stands nowhere in the log book', async () => {
    const good = await assertion();
    const bad = await assertion({}, { claims: { aud: 'https://elsewhere.example' } });
    const { access_token } = (await redeem(good)).body;
    await redeem(bad);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=1000');
    const written = JSON.stringify(body);
    for (const secret of [good, bad, access_token]) assert.ok(!written.includes(secret.slice(-30)));
  });
});
