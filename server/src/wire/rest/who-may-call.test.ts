import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Permission, type Role, roles } from '#domain';
import { saidByLink, signIn, tokenFor } from '../../../test/access-token.ts';
import { adminKey, type RestServer, startRestServer } from './fixtures/rest-server.ts';

/** For every route: what it takes to call it. A route that is missing here fails the last test. */

interface Entry {
  readonly call: string;
  readonly needs: Permission | 'nothing';
  /** Keys restricted to users or tools, or only to users, may call it too. */
  readonly restricted?: true | 'users';
  /** Its path names the organisation itself. */
  readonly ofOrganization?: true;
  readonly body?: object;
}

const table: readonly Entry[] = [
  { call: 'GET /health', needs: 'nothing' },
  { call: 'GET /config', needs: 'nothing' },
  { call: 'GET /swagger', needs: 'nothing' },
  { call: 'GET /tools', needs: 'read', restricted: true },
  { call: 'GET /tools/{name}', needs: 'read', restricted: true },
  { call: 'POST /tools/requirements', needs: 'read', restricted: true, body: {} },
  {
    call: 'POST /tools/execute',
    needs: 'call',
    restricted: true,
    body: { tool_name: 'No.Such', user_id: 'alice' },
  },
  {
    call: 'POST /tools/authorize',
    needs: 'call',
    restricted: true,
    body: { tool_name: 'No.Such', user_id: 'alice' },
  },
  { call: 'POST /hub/search_tools', needs: 'call', restricted: true, body: { query: 'x', user_id: 'alice' } },
  {
    call: 'POST /hub/get_tool_details',
    needs: 'call',
    restricted: true,
    body: { tools: ['No.Such'], user_id: 'alice' },
  },
  { call: 'POST /hub/list_namespaces', needs: 'call', restricted: true, body: { user_id: 'alice' } },
  {
    call: 'POST /hub/execute_tool',
    needs: 'call',
    restricted: true,
    body: { tool: 'No.Such', user_id: 'alice' },
  },
  {
    call: 'POST /hub/resume_execution',
    needs: 'call',
    restricted: true,
    body: { execution_id: 'no.such', user_id: 'alice' },
  },
  {
    call: 'POST /hub/cancel_execution',
    needs: 'call',
    restricted: true,
    body: { execution_id: 'no.such', user_id: 'alice' },
  },
  {
    call: 'POST /hub/report_missing',
    needs: 'call',
    restricted: true,
    body: { need: 'x', user_id: 'alice' },
  },
  { call: 'GET /executions', needs: 'call', restricted: true },
  { call: 'GET /executions/{id}', needs: 'call', restricted: true },
  {
    call: 'POST /auth/authorize',
    needs: 'call',
    restricted: 'users',
    body: { auth_requirement: { id: 'no.such' }, user_id: 'alice' },
  },
  { call: 'GET /auth/status', needs: 'call', restricted: true },
  {
    call: 'POST /auth/confirm_user',
    needs: 'call',
    restricted: 'users',
    body: { flow_id: 'no.such', user_id: 'alice' },
  },
  { call: 'POST /auth/validate_custom_verifier', needs: 'administer', body: {} },
  { call: 'GET /connections', needs: 'call', restricted: 'users' },
  { call: 'PATCH /connections/{id}', needs: 'call', restricted: 'users', body: {} },
  { call: 'DELETE /connections/{id}', needs: 'call', restricted: 'users' },
  { call: 'GET /admin/user_connections', needs: 'administer' },
  { call: 'DELETE /admin/user_connections/{id}', needs: 'administer' },
  { call: 'GET /admin/settings/session_verification', needs: 'inspect' },
  { call: 'PUT /admin/settings/session_verification', needs: 'administer', body: {} },
  { call: 'GET /formatted_tools', needs: 'read', restricted: true },
  { call: 'GET /formatted_tools/{name}', needs: 'read', restricted: true },
  { call: 'GET /workers', needs: 'read' },
  { call: 'POST /workers', needs: 'configure', body: {} },
  { call: 'POST /workers/test', needs: 'configure', body: {} },
  { call: 'GET /workers/{id}', needs: 'read' },
  { call: 'PATCH /workers/{id}', needs: 'configure', body: {} },
  { call: 'DELETE /workers/{id}', needs: 'configure' },
  { call: 'GET /workers/{id}/health', needs: 'read' },
  { call: 'GET /workers/{id}/tools', needs: 'read' },
  { call: 'GET /workers/{id}/authorize', needs: 'configure' },
  { call: 'POST /workers/{id}/authorize', needs: 'configure', body: {} },
  { call: 'GET /workers/{id}/changes', needs: 'inspect' },
  { call: 'POST /workers/{id}/changes/approve', needs: 'configure', body: {} },
  { call: 'GET /gateways', needs: 'read' },
  { call: 'POST /gateways', needs: 'configure', body: {} },
  { call: 'POST /gateways/slug', needs: 'configure', body: {} },
  { call: 'GET /gateways/{gateway_id}', needs: 'read' },
  { call: 'PUT /gateways/{gateway_id}', needs: 'configure', body: {} },
  { call: 'PATCH /gateways/{gateway_id}', needs: 'configure', body: {} },
  { call: 'DELETE /gateways/{gateway_id}', needs: 'configure' },
  { call: 'GET /people', needs: 'administer' },
  { call: 'GET /people/{id}', needs: 'administer' },
  { call: 'PATCH /people/{id}', needs: 'administer', body: {} },
  { call: 'PUT /people/{id}/role', needs: 'administer', body: { role: null } },
  { call: 'GET /people/{id}/sign_ins', needs: 'administer' },
  { call: 'DELETE /people/{id}/sign_ins', needs: 'administer' },
  { call: 'DELETE /people/{id}/sign_ins/{sign_in_id}', needs: 'administer' },
  { call: 'GET /invitations', needs: 'administer' },
  { call: 'POST /invitations', needs: 'administer', body: {} },
  { call: 'DELETE /invitations/{id}', needs: 'administer' },
  { call: 'GET /orgs', needs: 'own', ofOrganization: true },
  { call: 'POST /orgs', needs: 'own', ofOrganization: true, body: {} },
  { call: 'PATCH /orgs/{org}', needs: 'own', ofOrganization: true, body: {} },
  { call: 'GET /orgs/{org}/projects', needs: 'own', ofOrganization: true },
  { call: 'POST /orgs/{org}/projects', needs: 'own', ofOrganization: true, body: {} },
  { call: 'PATCH /orgs/{org}/projects/{project}', needs: 'own', ofOrganization: true, body: {} },
  { call: 'GET /orgs/{org}/people', needs: 'own', ofOrganization: true },
  { call: 'PUT /orgs/{org}/people/{id}/role', needs: 'own', ofOrganization: true, body: { role: null } },
  { call: 'GET /api_keys', needs: 'administer' },
  { call: 'POST /api_keys', needs: 'administer', body: {} },
  { call: 'GET /api_keys/{id}', needs: 'administer' },
  { call: 'PATCH /api_keys/{id}', needs: 'administer', body: {} },
  { call: 'DELETE /api_keys/{id}', needs: 'administer' },
  { call: 'GET /service_accounts', needs: 'administer' },
  { call: 'POST /service_accounts', needs: 'administer', body: {} },
  { call: 'GET /service_accounts/{id}', needs: 'administer' },
  { call: 'PATCH /service_accounts/{id}', needs: 'administer', body: {} },
  { call: 'DELETE /service_accounts/{id}', needs: 'administer' },
  { call: 'POST /service_accounts/{id}/secret', needs: 'administer' },
  { call: 'GET /grants', needs: 'inspect' },
  { call: 'POST /grants', needs: 'configure', body: {} },
  { call: 'GET /grants/{id}', needs: 'inspect' },
  { call: 'PUT /grants/{id}', needs: 'configure', body: {} },
  { call: 'PATCH /grants/{id}', needs: 'configure', body: {} },
  { call: 'DELETE /grants/{id}', needs: 'configure' },
  { call: 'GET /rules', needs: 'inspect' },
  { call: 'POST /rules', needs: 'configure', body: {} },
  { call: 'GET /rules/{id}', needs: 'inspect' },
  { call: 'PUT /rules/{id}', needs: 'configure', body: {} },
  { call: 'PATCH /rules/{id}', needs: 'configure', body: {} },
  { call: 'DELETE /rules/{id}', needs: 'configure' },
  { call: 'GET /limits', needs: 'inspect' },
  { call: 'POST /limits', needs: 'configure', body: {} },
  { call: 'GET /limits/{id}', needs: 'inspect' },
  { call: 'PUT /limits/{id}', needs: 'configure', body: {} },
  { call: 'PATCH /limits/{id}', needs: 'configure', body: {} },
  { call: 'DELETE /limits/{id}', needs: 'configure' },
  { call: 'GET /approvals', needs: 'approve', restricted: 'users' },
  { call: 'GET /approvals/{id}', needs: 'approve', restricted: 'users' },
  {
    call: 'POST /approvals/{id}/approve',
    needs: 'approve',
    restricted: 'users',
    body: { user_id: 'alice' },
  },
  { call: 'POST /approvals/{id}/deny', needs: 'approve', restricted: 'users', body: { user_id: 'alice' } },
  { call: 'GET /plugins', needs: 'inspect' },
  { call: 'POST /plugins', needs: 'configure', body: {} },
  { call: 'GET /plugins/{plugin_id}', needs: 'inspect' },
  { call: 'PATCH /plugins/{plugin_id}', needs: 'configure', body: {} },
  { call: 'DELETE /plugins/{plugin_id}', needs: 'configure' },
  { call: 'GET /hooks', needs: 'inspect' },
  { call: 'POST /hooks', needs: 'configure', body: {} },
  { call: 'PATCH /hooks/bulk', needs: 'configure', body: {} },
  { call: 'GET /hooks/{hook_id}', needs: 'inspect' },
  { call: 'PATCH /hooks/{hook_id}', needs: 'configure', body: {} },
  { call: 'DELETE /hooks/{hook_id}', needs: 'configure' },
  { call: 'GET /user_sources', needs: 'inspect' },
  { call: 'POST /user_sources', needs: 'administer', body: {} },
  { call: 'GET /user_sources/{id}', needs: 'inspect' },
  { call: 'PUT /user_sources/{id}', needs: 'administer', body: {} },
  { call: 'PATCH /user_sources/{id}', needs: 'administer', body: {} },
  { call: 'DELETE /user_sources/{id}', needs: 'administer' },
  { call: 'POST /user_sources/{id}/test', needs: 'administer' },
  { call: 'POST /user_sources/{id}/preview', needs: 'administer', body: {} },
  { call: 'GET /admin/auth_providers', needs: 'inspect' },
  { call: 'GET /admin/auth_providers/known', needs: 'inspect' },
  { call: 'GET /admin/auth_providers/{id}', needs: 'inspect' },
  { call: 'POST /admin/auth_providers', needs: 'administer', body: {} },
  { call: 'PATCH /admin/auth_providers/{id}', needs: 'administer', body: {} },
  { call: 'DELETE /admin/auth_providers/{id}', needs: 'administer' },
  { call: 'GET /admin/secrets', needs: 'administer' },
  { call: 'POST /admin/secrets/{secret_key}', needs: 'administer', body: {} },
  { call: 'DELETE /admin/secrets/{secret_id}', needs: 'administer' },
  { call: 'GET /secrets', needs: 'administer' },
  { call: 'PUT /secrets/{secret_key}', needs: 'administer', body: {} },
  { call: 'DELETE /secrets/{secret_id}', needs: 'administer' },
  { call: 'GET /status', needs: 'read' },
  { call: 'GET /hub/tools', needs: 'inspect' },
  { call: 'GET /hub/tools/{tool}', needs: 'inspect' },
  { call: 'PATCH /hub/tools/{tool}', needs: 'configure', body: {} },
  { call: 'DELETE /hub/tools/{tool}', needs: 'configure' },
  { call: 'GET /hub/review', needs: 'inspect' },
  { call: 'POST /hub/review/{id}/dismiss', needs: 'configure' },
  { call: 'GET /hub/missing', needs: 'inspect' },
  { call: 'DELETE /hub/missing/{id}', needs: 'configure' },
  { call: 'GET /hub/learned', needs: 'inspect' },
  { call: 'DELETE /hub/learned', needs: 'configure' },
  { call: 'GET /hub/usage', needs: 'inspect' },
  { call: 'GET /audit_events', needs: 'audit' },
  { call: 'GET /audit_events/verify', needs: 'audit' },
  { call: 'GET /audit_events/{id}', needs: 'audit' },
  {
    call: 'POST /policy/simulate',
    needs: 'audit',
    body: { remove_grants: ['no.such'] },
  },
  {
    call: 'POST /policy/explain',
    needs: 'inspect',
    body: { user_id: 'alice', tool: 'No.Such' },
  },
];

let server: RestServer;
const keys = new Map<string, string>();
const roleTokens = new Map<Role, string>();
let stranger: string;

before(async () => {
  server = await startRestServer();
  const all = ['admin', 'read', 'call', 'approve', 'provision'];
  const gateway = { name: 'G', slug: 'g' };
  assert.equal((await server.ask('POST', '/v1/gateways', { body: gateway })).status, 201);
  const wanted: Record<string, object> = {
    ...Object.fromEntries(all.map((scope) => [scope, { scopes: [scope] }])),
    ofUsers: { scopes: all, users: ['alice'] },
    ofTools: { scopes: all, tools: ['A.*'] },
    ofGateways: { scopes: all, gateways: ['g'] },
    revoked: { scopes: all },
  };
  for (const [name, request] of Object.entries(wanted)) {
    keys.set(name, await server.newKey({ name, ...request }));
  }
  keys.set('owner', adminKey);
  const { body } = await server.ask('GET', '/v1/api_keys');
  const { id } = body.items.find(({ name }: { name: string }) => name === 'revoked');
  assert.equal((await server.ask('DELETE', `/v1/api_keys/${id}`)).status, 204);
  const { identity } = server.app.rooms;
  for (const role of roles) {
    const who = await signIn(identity, saidByLink(`${role}@example.com`), role);
    roleTokens.set(role, await tokenFor(identity, who, null, { issuer: server.url }));
  }
  const nobody = await signIn(identity, saidByLink('nobody@example.com'));
  stranger = await tokenFor(identity, nobody, null, { issuer: server.url });
});
after(() => server?.close());

/** Whether this credential gets beyond the door; what it finds there is not the question. */
async function enters({ call, body }: Entry, key: string | null, prefix = '/v1', org = 'default') {
  const [method = '', path = ''] = call.split(' ');
  const address = path.replace('{org}', org).replace(/\{\w+\}/g, 'no.such');
  const asked = await server.ask(method, prefix + address, { key, body });
  const name = String(asked.body?.name ?? '');
  return {
    // Who only has to name the user yet is in, and so is who may not act as another user.
    in: !/^identity\.(?!user_missing|user_refused)/.test(name),
    status: asked.status,
    name,
    message: String(asked.body?.message ?? ''),
    challenge: asked.headers.get('www-authenticate'),
  };
}

const keyOf = (name: string) => keys.get(name) as string;
const tokenOf = (role: Role) => `Bearer ${roleTokens.get(role)}`;

/** The scopes of keys that are enough. */
function scopesFor(needs: Permission): readonly string[] {
  if (needs === 'own') return [];
  return ['call', 'read', 'approve'].includes(needs) ? [needs, 'admin'] : ['admin'];
}

/** The roles that are enough: what each may do is written here once more. */
const enough: Readonly<Record<Permission, readonly Role[]>> = {
  call: ['owner', 'admin', 'editor', 'member'],
  read: ['owner', 'admin', 'editor', 'auditor', 'member'],
  approve: ['owner', 'admin', 'editor'],
  inspect: ['owner', 'admin', 'editor', 'auditor'],
  audit: ['owner', 'admin', 'auditor'],
  configure: ['owner', 'admin', 'editor'],
  administer: ['owner', 'admin'],
  provision: ['owner'],
  own: ['owner'],
};

const open = table.filter(({ needs }) => needs === 'nothing');
/** What takes a credential, by what it needs. */
const guarded = table.filter(
  (entry): entry is Entry & { readonly needs: Permission } => entry.needs !== 'nothing',
);

describe('of every route', () => {
  it('that needs nothing, it is called without a credential', async () => {
    for (const entry of open) assert.equal((await enters(entry, null)).status, 200, entry.call);
  });

  it('no key, an unknown one, a revoked one and a bad token are refused, and told where to sign in', async () => {
    const metadata = `Bearer resource_metadata="${server.url}/.well-known/oauth-protected-resource/v1"`;
    for (const entry of guarded) {
      for (const [key, code] of [
        [null, 'identity.missing'],
        ['sp_unknown_key_0123456789', 'identity.invalid'],
        [keyOf('revoked'), 'identity.invalid'],
        [`${tokenOf('owner').slice(0, -6)}AAAAAA`, 'identity.token_invalid'],
      ] as const) {
        const { status, name, challenge } = await enters(entry, key);
        assert.deepEqual({ status, name }, { status: 401, name: code }, entry.call);
        assert.equal(challenge, key === null ? metadata : `${metadata}, error="invalid_token"`, entry.call);
      }
    }
  });

  it('a key without the scope is refused and told which one it takes', async () => {
    for (const entry of guarded) {
      const { call, needs } = entry;
      for (const scope of ['read', 'call', 'approve', 'provision', 'admin', 'owner']) {
        const answer = await enters(entry, keyOf(scope));
        const isEnough: boolean = scope === 'owner' || scopesFor(needs).includes(scope);
        assert.equal(answer.in, isEnough, `${call}: ${scope}: ${answer.name} ${answer.message}`);
        if (answer.in) continue;
        assert.deepEqual([answer.status, answer.name], [403, 'identity.scope_missing'], call);
        const wanted = needs === 'own' ? /needs an owner/ : new RegExp(`"${scopesFor(needs)[0]}"`);
        assert.match(answer.message, wanted, call);
      }
    }
  });

  it('a restricted key gets in only where its restriction holds', async () => {
    for (const entry of guarded) {
      const { call, restricted = false } = entry;
      assert.equal((await enters(entry, keyOf('ofUsers'))).in, restricted !== false, call);
      assert.equal((await enters(entry, keyOf('ofTools'))).in, restricted === true, call);
      assert.equal((await enters(entry, keyOf('ofGateways'))).in, false, call);
    }
  });

  it('a person gets in with a role that has it, and a member only where it is about themselves', async () => {
    for (const entry of guarded) {
      const { call, needs, restricted = false } = entry;
      for (const role of roles) {
        const answer = await enters(entry, tokenOf(role));
        const isEnough: boolean = enough[needs].includes(role) && (role !== 'member' || restricted !== false);
        assert.equal(answer.in, isEnough, `${call}: ${role}: ${answer.name} ${answer.message}`);
        if (!answer.in) assert.deepEqual([answer.status, answer.name], [403, 'identity.scope_missing'], call);
      }
    }
  });

  it('who has no role gets in nowhere', async () => {
    for (const entry of guarded)
      assert.equal((await enters(entry, `Bearer ${stranger}`)).in, false, entry.call);
  });

  it('that names its organisation, others do not exist', async () => {
    for (const entry of guarded.filter(({ call }) => call.includes('{org}'))) {
      for (const key of [adminKey, tokenOf('owner')]) {
        const { status, name } = await enters(entry, key, '/v1', 'other');
        assert.deepEqual([status, name], [404, 'resource.unknown'], entry.call);
      }
    }
  });

  it('of projects, the same holds below the project, and other projects do not exist', async () => {
    const own = '/v1/orgs/default/projects/default';
    for (const entry of guarded.filter(({ ofOrganization }) => ofOrganization !== true)) {
      const { call, needs } = entry;
      const key = needs === 'own' ? adminKey : keyOf(scopesFor(needs)[0] as string);
      assert.equal((await enters(entry, null, own)).status, 401, call);
      for (const credential of [key, tokenOf('owner')]) {
        assert.equal((await enters(entry, credential, own)).in, true, call);
        for (const prefix of ['/v1/orgs/default/projects/other', '/v1/orgs/other/projects/default']) {
          const { status, name } = await enters(entry, credential, prefix);
          assert.deepEqual([status, name], [404, 'resource.unknown'], call);
        }
      }
      const { status, name } = await enters(entry, `Bearer ${stranger}`, own);
      assert.deepEqual([status, name], [404, 'resource.unknown'], call);
    }
  });
});

it('the table holds every route that is served', async () => {
  const { body } = await server.ask('GET', '/v1/swagger', { key: null });
  const served = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace('/v1', '')}`),
  );
  assert.deepEqual(served.toSorted(), table.map(({ call }) => call).toSorted());
});
