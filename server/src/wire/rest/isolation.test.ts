import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Scope } from '#domain';
import type { Identity } from '#identity';
import { saidByLink, signIn, tokenFor } from '../../../test/access-token.ts';
import { consentAt, type StandIn, startGitHub } from '../../../test/oauth-providers/index.ts';
import { addProvider } from './fixtures/mail-world.ts';
import {
  type Asked,
  type RestServer,
  startRestServer,
  startTestWorker,
  workerSecret,
} from './fixtures/rest-server.ts';

/** Two projects of one organisation, and one of another, asked for everything of a project that is full. */

const mark = 'zebra';
let server: RestServer;
let identity: Identity;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
let github: StandIn;
/** An authorization of the full project that is pending, and one that completed. */
const authorizations: string[] = [];
/** Of the full project. */
let inside: string;
/** Credentials of the others. */
const outside = new Map<string, string>();
/** What the names in a path stand for in the full project. */
let ids: Readonly<Record<string, string>>;
let paths: readonly { readonly method: string; readonly path: string }[];

before(async () => {
  worker = await startTestWorker();
  github = await startGitHub();
  server = await startRestServer();
  ({ identity } = server.app.rooms);
  const { people } = identity;
  inside = await keyOf('default');
  const beside = await people.createProject('default', 'Beside');
  const elsewhere = await people.createOrganization('Elsewhere');
  const foreign = await people.createProject(elsewhere.id, 'Foreign');
  outside.set('a key of another project', await keyOf(beside.id));
  outside.set('a key of another organisation', await keyOf(foreign.id));
  outside.set('an administrator of another project', await adminOf('default', beside.id));
  outside.set('an owner of another organisation', await adminOf(elsewhere.id, ''));
  ids = await fill();
  paths = await served();
});
after(async () => {
  await server?.close();
  await worker?.stop();
  await github?.close();
});

async function keyOf(projectId: string): Promise<string> {
  const scopes: Scope[] = ['admin', 'read', 'call', 'approve', 'provision'];
  const unrestricted = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
  return (await identity.createKey({ projectId, name: 'k', scopes, ...unrestricted })).plaintext;
}

async function adminOf(organizationId: string, projectId: string): Promise<string> {
  const said = { ...saidByLink(`admin-of-${projectId}@example.com`), organizationId };
  const who = await signIn(identity, said);
  const role = projectId === '' ? 'owner' : 'admin';
  assert.ok((await identity.people.setRole(who.person.id, { organizationId, projectId }, role)).ok);
  return `Bearer ${await tokenFor(identity, who, null, { issuer: server.url })}`;
}

async function made(path: string, body: object): Promise<Record<string, string>> {
  const asked = await server.ask('POST', path, { body });
  assert.equal(asked.status, 201, `${path} ${JSON.stringify(asked.body)}`);
  return asked.body;
}

const webhook = {
  name: mark,
  plugin_type: 'webhook',
  webhook_config: {
    endpoints: { pre: { url: 'http://127.0.0.1:1/pre', failure_mode: 'fail_open', phase: 'before' } },
    auth: { type: 'bearer', token: 'sesame-open' },
  },
};
const hold = {
  name: mark,
  direction: 'input',
  tools: ['Test.Join'],
  match: { pattern: 'hold' },
  action: 'approve',
  approvers: [{ user: 'boss' }],
};
const issuer = {
  name: mark,
  issuer: 'https://idp.example',
  client_id: 'c',
  client_secret: 'a-secret-of-the-issuer',
  skip_validation: true,
};
const grant = { subject: { user: mark }, tools: ['A.*'], effect: 'allow' };
const limit = { name: mark, tools: ['A.*'], per: ['user'], rate: { limit: 1000, per_seconds: 1 } };

/** An account that a user connected, and a consent under way. */
async function connect(): Promise<string> {
  await addProvider(server, mark, github);
  const asked = async (user_id: string) => {
    const body = { auth_requirement: { id: mark }, user_id };
    const { body: authorization } = await server.ask('POST', '/v1/auth/authorize', { body });
    authorizations.push(authorization.id);
    return authorization;
  };
  const { url } = await asked(mark);
  await consentAt(url, { as: 'ann', allow: true });
  await asked(`${mark}-waits`);
  const { body } = await server.ask('GET', '/v1/connections');
  return body.items[0].id;
}

async function secret(): Promise<string> {
  const body = { value: 'sesame-open', description: mark };
  const made = await server.ask('POST', '/v1/admin/secrets/ZEBRA_KEY', { body });
  assert.ok(made.status < 300, JSON.stringify(made.body));
  return made.body.id;
}

/** What people, and use, say of a tool; the ids of what there is to mend. */
async function govern(): Promise<Record<string, string>> {
  const said = await server.ask('PATCH', '/v1/hub/tools/Test.Join', { body: { owner: mark } });
  assert.equal(said.status, 200, JSON.stringify(said.body));
  const { governance } = server.app.rooms.hub ?? assert.fail('there is no hub');
  governance.searched(mark, 'default', [{ query: mark, hits: [{ id: said.body.id, alike: [] }] }]);
  governance.executed(mark, 'default', said.body.id, true);
  await governance.close();
  await governance.missing(mark, 'default', mark);
  const { body: missing } = await server.ask('GET', '/v1/hub/missing');
  const { body: review } = await server.ask('GET', '/v1/hub/review?kind=missing_tool');
  const { body: learned } = await server.ask('GET', '/v1/hub/learned');
  assert.equal(learned.items[0].query, mark);
  return { '/missing/{id}': missing.items[0].id, '/review/{id}': review.items[0].id };
}

/** One that has ended. */
async function execution(): Promise<string> {
  const body = { tool: 'Test.Join', input: { words: ['a'] }, idempotency_key: mark };
  const { body: ended } = await server.ask('POST', '/v1/hub/execute_tool', {
    body: { ...body, user_id: mark },
  });
  assert.equal(ended.status, 'succeeded', JSON.stringify(ended));
  return ended.execution_id;
}

/** One of each kind; by the beginning of the path that names it. */
async function fill(): Promise<Record<string, string>> {
  const http = { uri: worker.url, secret: workerSecret, timeout: 10, retry: 0 };
  await made('/v1/workers', { id: mark, type: 'http', http });
  const gateway = await made('/v1/gateways', { name: mark, slug: mark });
  const plugin = await made('/v1/plugins', webhook);
  const who = await signIn(identity, saidByLink(`${mark}@example.com`), 'member');
  const rule = await made('/v1/rules', hold);
  const held = await server.ask('POST', '/v1/tools/execute', {
    body: { tool_name: 'Test.Join', user_id: mark, input: { words: ['hold'] } },
  });
  const { body: approvals } = await server.ask('GET', '/v1/approvals');
  const { body: events } = await server.ask('GET', '/v1/audit_events?limit=1');
  assert.ok(approvals.items.length > 0, JSON.stringify(held.body));
  const connection = await connect();
  const { body: hooks } = await server.ask('GET', `/v1/hooks?plugin_id=${plugin.id}`);
  const create = async (path: string, body: object) => (await made(path, body)).id as string;
  return {
    ...(await govern()),
    '/tools/{name}': 'Test.Join',
    '/tools/{tool}': 'Test.Join',
    '/formatted_tools/{name}': 'Test.Join',
    '/executions/{id}': await execution(),
    '/workers/{id}': mark,
    '/gateways/{gateway_id}': gateway.id as string,
    '/auth_providers/{id}': mark,
    '/secrets/{secret_id}': await secret(),
    '/connections/{id}': connection,
    '/user_connections/{id}': connection,
    '/api_keys/{id}': await create('/v1/api_keys', { name: mark }),
    '/service_accounts/{id}': await create('/v1/service_accounts', { name: mark }),
    '/user_sources/{id}': await create('/v1/user_sources', issuer),
    '/grants/{id}': await create('/v1/grants', grant),
    '/rules/{id}': rule.id as string,
    '/limits/{id}': await create('/v1/limits', limit),
    '/plugins/{plugin_id}': plugin.id as string,
    '/hooks/{hook_id}': hooks.items[0].id,
    '/approvals/{id}': approvals.items[0].id,
    '/audit_events/{id}': events.items[0].id,
    '/people/{id}': who.person.id,
    '/sign_ins/{sign_in_id}': who.signIn.id,
    '/invitations/{id}': await create('/v1/invitations', { email: `${mark}@guest.example`, role: 'member' }),
    '/orgs/{org}': 'default',
    '/projects/{project}': 'default',
  };
}

/** Of what the server says of itself: no route is left out. */
async function served() {
  const { body } = await server.ask('GET', '/v1/swagger', { key: null });
  return Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

/** What gets a request past the schema of its body. */
const bodies: Readonly<Record<string, object>> = {
  'PUT /v1/people/{id}/role': { role: 'member' },
  'PUT /v1/orgs/{org}/people/{id}/role': { role: 'member' },
  'PATCH /v1/orgs/{org}': { name: 'Mine' },
  'POST /v1/orgs/{org}/projects': { name: 'Mine' },
  'PATCH /v1/orgs/{org}/projects/{project}': { name: 'Mine' },
  'PUT /v1/gateways/{gateway_id}': { name: 'Mine' },
  'PUT /v1/grants/{id}': grant,
  'PUT /v1/rules/{id}': hold,
  'PUT /v1/limits/{id}': limit,
  'PUT /v1/user_sources/{id}': issuer,
  'POST /v1/user_sources/{id}/preview': { user_claim: 'email' },
  'POST /v1/workers/{id}/changes/approve': { all: true },
};

const isFilled = (path: string) => !path.includes('{');
const withIds = (path: string, of: (name: string) => string) =>
  path.replace(/\/[a-z_]+\/\{\w+\}/g, (place) => place.replace(/\{\w+\}$/, of(place)));

async function asks(key: string, method: string, path: string, of: (name: string) => string): Promise<Asked> {
  const address = withIds(path, of);
  assert.ok(isFilled(address), `nothing is said of what stands in ${path}`);
  const isDecision = path.startsWith('/v1/approvals/') && !key.startsWith('Bearer');
  const asking = isDecision ? { user_id: 'boss' } : (bodies[`${method} ${path}`] ?? {});
  const body = ['GET', 'DELETE'].includes(method) ? undefined : asking;
  return await server.ask(method, address, { key, body });
}

const ofFull = (name: string) => ids[name] ?? assert.fail(`nothing is said of ${name}`);
const ofNothing = () => 'no.such';

describe('what another project has', () => {
  it('is in no list of theirs', async () => {
    const lists = paths.filter(({ method, path }) => method === 'GET' && isFilled(path));
    for (const { path } of lists) {
      for (const [who, key] of outside) {
        const { body } = await server.ask('GET', path, { key });
        const text = JSON.stringify(path === '/v1/swagger' ? {} : body);
        assert.ok(!text.includes(mark), `${who}: ${path}: ${text}`);
        for (const [name, id] of Object.entries(ids)) {
          if (/org|project/.test(name)) continue;
          assert.ok(!text.includes(id), `${who}: ${path} holds ${name}: ${text}`);
        }
      }
    }
  });

  it('is unknown on every route that names it, as if it were nowhere', async () => {
    // By its key a secret is made where there is none.
    const named = paths.filter(({ path }) => !isFilled(path) && !path.includes('{secret_key}'));
    assert.ok(named.length > 50);
    for (const { method, path } of named) {
      for (const [who, key] of outside) {
        if (isOfOwnOrganization(who, path)) continue;
        const asked = await asks(key, method, path, ofFull);
        const where = `${who}: ${method} ${path}: ${JSON.stringify(asked.body)}`;
        assert.equal(asked.status, 404, where);
        const nowhere = await asks(key, method, path, ofNothing);
        const nameless = (text: string) =>
          Object.values(ids).reduce((told, id) => told.replaceAll(id, 'no.such'), text);
        assert.deepEqual([nowhere.status, nowhere.body.name], [404, asked.body.name], where);
        assert.equal(nameless(asked.body.message), nameless(nowhere.body.message), where);
      }
    }
  });

  it('is in no sum of theirs either: the whole log is verified by who runs the installation', async () => {
    for (const [who, key] of outside) {
      const { status } = await server.ask('GET', '/v1/audit_events/verify', { key });
      assert.equal(status, who.includes('organisation') ? 403 : 200, who);
    }
  });

  it('is there all the same, for who belongs to it, and as it was', async () => {
    for (const { method, path } of paths) {
      if (method !== 'GET' || isFilled(path) || path.includes('{org}')) continue;
      // Nobody's but the user's for whom it was run.
      if (path.startsWith('/v1/executions/')) continue;
      const asked = await asks(inside, method, path, ofFull);
      assert.equal(asked.status, 200, `${path} ${JSON.stringify(asked.body)}`);
    }
    const { body } = await server.ask('GET', `/v1/gateways/${ids['/gateways/{gateway_id}']}`);
    assert.equal(body.name, mark);
  });

  it('cannot be named by theirs', async () => {
    const requests: [string, object][] = [
      ['/v1/api_keys', { name: 'x', gateways: [mark] }],
      ['/v1/api_keys', { name: 'x', service_account_id: ids['/service_accounts/{id}'] }],
      ['/v1/grants', { ...grant, gateway: mark }],
      ['/v1/limits', { ...limit, gateway: mark }],
      [
        '/v1/hooks',
        {
          name: 'x',
          plugin_id: ids['/plugins/{plugin_id}'],
          hook_point: 'pre',
          failure_mode: 'fail_open',
          phase: 'before',
        },
      ],
      [
        '/v1/gateways',
        { name: 'x', auth_types: ['user_source'], user_source_ids: [ids['/user_sources/{id}']] },
      ],
      ['/v1/auth/confirm_user', { flow_id: authorizations[1], user_id: mark }],
      ['/v1/tools/authorize', { tool_name: 'Test.Join', user_id: mark }],
      ['/v1/tools/requirements', { tool_names: ['Test.Join'], user_id: mark }],
      ['/v1/tools/execute', { tool_name: 'Test.Join', user_id: 'u', input: { words: ['a'] } }],
      ['/v1/hub/execute_tool', { tool: 'worker://Test.Join', user_id: 'u', input: { words: ['a'] } }],
      ['/v1/hub/resume_execution', { execution_id: ids['/executions/{id}'], user_id: mark }],
      ['/v1/hub/cancel_execution', { execution_id: ids['/executions/{id}'], user_id: mark }],
      ['/v1/hub/search_tools', { query: 'join', user_id: 'u', gateway: mark }],
      ['/v1/policy/simulate', { remove_grants: [ids['/grants/{id}']] }],
    ];
    for (const [path, body] of requests) {
      for (const key of [...outside.values()].slice(0, 2)) {
        const asked = await server.ask('POST', path, { key, body });
        assert.ok([400, 404].includes(asked.status), `${path} ${JSON.stringify(asked.body)}`);
      }
    }
  });

  it('is no provider of theirs', async () => {
    for (const key of [...outside.values()].slice(0, 2)) {
      const authorize = (id: string) =>
        server.ask('POST', '/v1/auth/authorize', {
          key,
          body: { auth_requirement: { id }, user_id: mark },
        });
      const [asked, nowhere] = [await authorize(mark), await authorize('no-such')];
      assert.deepEqual([asked.status, asked.body.name], [403, 'credentials.not_configured']);
      assert.equal(asked.body.message.replaceAll(mark, 'no-such'), nowhere.body.message);
    }
  });

  it('is no authorization that theirs can follow', async () => {
    for (const [who, key] of outside) {
      const follow = (id: string) => server.ask('GET', `/v1/auth/status?id=${id}&wait=59`, { key });
      const nowhere = await follow('ac_nowhere');
      for (const id of authorizations) {
        const { status, body } = await follow(id);
        assert.deepEqual([status, body.name], [404, 'resource.unknown'], who);
        assert.equal(body.message.replace(id, ''), nowhere.body.message.replace('ac_nowhere', ''), who);
      }
    }
  });

  it('is no gateway for their credentials', async () => {
    for (const [who, key] of outside) {
      const call = (slug: string) =>
        server.ask('POST', `/mcp/${slug}`, {
          key: key.startsWith('Bearer') ? key : `Bearer ${key}`,
          headers: { accept: 'application/json, text/event-stream', 'arcade-user-id': 'u' },
          body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
        });
      const asked = await call(mark);
      assert.ok([401, 404].includes(asked.status), `${who}: ${asked.status}`);
      if (asked.status === 404) {
        const nowhere = await call('no-such');
        const told = JSON.stringify(asked.body).replaceAll(mark, 'no-such');
        assert.equal(told, JSON.stringify(nowhere.body));
      }
    }
  });
});

/** People belong to the organisation: with the id of one, who administers another of its projects gives them a role there. */
function isOfOwnOrganization(who: string, path: string): boolean {
  if (!who.endsWith('another project')) return false;
  // These take owners of the organisation: who is none is refused at the door.
  return path === '/v1/people/{id}/role' || path.startsWith('/v1/orgs/');
}
