import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type RestServer, startRestServer } from './fixtures/rest-server.ts';

/** For every route: what it takes to call it. A route that is missing here fails the last test. */

type Need = 'nothing' | 'read' | 'call' | 'approve' | 'admin';
interface Entry {
  readonly call: string;
  readonly needs: Need;
  /** Keys restricted to users or tools, or only to users, may call it too. */
  readonly restricted?: true | 'users';
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
  { call: 'GET /formatted_tools', needs: 'read', restricted: true },
  { call: 'GET /formatted_tools/{name}', needs: 'read', restricted: true },
  { call: 'GET /workers', needs: 'read' },
  { call: 'POST /workers', needs: 'admin', body: {} },
  { call: 'POST /workers/test', needs: 'admin', body: {} },
  { call: 'GET /workers/{id}', needs: 'read' },
  { call: 'PATCH /workers/{id}', needs: 'admin', body: {} },
  { call: 'DELETE /workers/{id}', needs: 'admin' },
  { call: 'GET /workers/{id}/health', needs: 'read' },
  { call: 'GET /workers/{id}/tools', needs: 'read' },
  { call: 'GET /workers/{id}/changes', needs: 'admin' },
  { call: 'POST /workers/{id}/changes/approve', needs: 'admin', body: {} },
  { call: 'GET /gateways', needs: 'read' },
  { call: 'POST /gateways', needs: 'admin', body: {} },
  { call: 'POST /gateways/slug', needs: 'admin', body: {} },
  { call: 'GET /gateways/{gateway_id}', needs: 'read' },
  { call: 'PUT /gateways/{gateway_id}', needs: 'admin', body: {} },
  { call: 'PATCH /gateways/{gateway_id}', needs: 'admin', body: {} },
  { call: 'DELETE /gateways/{gateway_id}', needs: 'admin' },
  { call: 'GET /api_keys', needs: 'admin' },
  { call: 'POST /api_keys', needs: 'admin', body: {} },
  { call: 'GET /api_keys/{id}', needs: 'admin' },
  { call: 'DELETE /api_keys/{id}', needs: 'admin' },
  { call: 'GET /service_accounts', needs: 'admin' },
  { call: 'POST /service_accounts', needs: 'admin', body: {} },
  { call: 'GET /service_accounts/{id}', needs: 'admin' },
  { call: 'PATCH /service_accounts/{id}', needs: 'admin', body: {} },
  { call: 'DELETE /service_accounts/{id}', needs: 'admin' },
  { call: 'POST /service_accounts/{id}/secret', needs: 'admin' },
  { call: 'GET /grants', needs: 'admin' },
  { call: 'POST /grants', needs: 'admin', body: {} },
  { call: 'GET /grants/{id}', needs: 'admin' },
  { call: 'PUT /grants/{id}', needs: 'admin', body: {} },
  { call: 'PATCH /grants/{id}', needs: 'admin', body: {} },
  { call: 'DELETE /grants/{id}', needs: 'admin' },
  { call: 'GET /rules', needs: 'admin' },
  { call: 'POST /rules', needs: 'admin', body: {} },
  { call: 'GET /rules/{id}', needs: 'admin' },
  { call: 'PUT /rules/{id}', needs: 'admin', body: {} },
  { call: 'PATCH /rules/{id}', needs: 'admin', body: {} },
  { call: 'DELETE /rules/{id}', needs: 'admin' },
  { call: 'GET /limits', needs: 'admin' },
  { call: 'POST /limits', needs: 'admin', body: {} },
  { call: 'GET /limits/{id}', needs: 'admin' },
  { call: 'PUT /limits/{id}', needs: 'admin', body: {} },
  { call: 'PATCH /limits/{id}', needs: 'admin', body: {} },
  { call: 'DELETE /limits/{id}', needs: 'admin' },
  { call: 'GET /approvals', needs: 'approve', restricted: 'users' },
  { call: 'GET /approvals/{id}', needs: 'approve', restricted: 'users' },
  {
    call: 'POST /approvals/{id}/approve',
    needs: 'approve',
    restricted: 'users',
    body: { user_id: 'alice' },
  },
  { call: 'POST /approvals/{id}/deny', needs: 'approve', restricted: 'users', body: { user_id: 'alice' } },
  { call: 'GET /plugins', needs: 'admin' },
  { call: 'POST /plugins', needs: 'admin', body: {} },
  { call: 'GET /plugins/{plugin_id}', needs: 'admin' },
  { call: 'PATCH /plugins/{plugin_id}', needs: 'admin', body: {} },
  { call: 'DELETE /plugins/{plugin_id}', needs: 'admin' },
  { call: 'GET /hooks', needs: 'admin' },
  { call: 'POST /hooks', needs: 'admin', body: {} },
  { call: 'PATCH /hooks/bulk', needs: 'admin', body: {} },
  { call: 'GET /hooks/{hook_id}', needs: 'admin' },
  { call: 'PATCH /hooks/{hook_id}', needs: 'admin', body: {} },
  { call: 'DELETE /hooks/{hook_id}', needs: 'admin' },
  { call: 'GET /audit_events', needs: 'admin' },
  { call: 'GET /audit_events/verify', needs: 'admin' },
  { call: 'GET /audit_events/{id}', needs: 'admin' },
  {
    call: 'POST /policy/simulate',
    needs: 'admin',
    body: { remove_grants: ['no.such'] },
  },
  {
    call: 'POST /policy/explain',
    needs: 'admin',
    body: { user_id: 'alice', tool: 'No.Such' },
  },
];

let server: RestServer;
const keys = new Map<string, string>();
before(async () => {
  server = await startRestServer();
  const all = ['admin', 'read', 'call', 'approve'];
  const wanted: Record<string, object> = {
    admin: { scopes: ['admin'] },
    read: { scopes: ['read'] },
    call: { scopes: ['call'] },
    approve: { scopes: ['approve'] },
    ofUsers: { scopes: all, users: ['alice'] },
    ofTools: { scopes: all, tools: ['A.*'] },
    ofGateways: { scopes: all, gateways: ['g'] },
    revoked: { scopes: all },
  };
  for (const [name, request] of Object.entries(wanted)) {
    keys.set(name, await server.newKey({ name, ...request }));
  }
  const { body } = await server.ask('GET', '/v1/api_keys');
  const { id } = body.items.find(({ name }: { name: string }) => name === 'revoked');
  assert.equal((await server.ask('DELETE', `/v1/api_keys/${id}`)).status, 204);
});
after(() => server?.close());

/** Whether this key gets beyond the door; what it finds there is not the question. */
async function enters({ call, body }: Entry, key: string | null, prefix = '/v1') {
  const [method = '', path = ''] = call.split(' ');
  const asked = await server.ask(method, prefix + path.replace(/\{\w+\}/, 'no.such'), { key, body });
  const name = String(asked.body?.name ?? '');
  return {
    // Who only has to name the user yet is in.
    in: !/^identity\.(?!user_missing)/.test(name),
    status: asked.status,
    name,
    message: String(asked.body?.message ?? ''),
  };
}

const keyOf = (name: string) => keys.get(name) as string;

for (const entry of table) {
  describe(`${entry.call} needs ${entry.needs}`, () => {
    if (entry.needs === 'nothing') {
      it('no key is asked for', async () => {
        assert.equal((await enters(entry, null)).status, 200);
      });
      return;
    }
    it('no key, an unknown one and a revoked one are refused', async () => {
      for (const [key, code] of [
        [null, 'identity.missing'],
        ['sp_unknown_key_0123456789', 'identity.invalid'],
        [keyOf('revoked'), 'identity.invalid'],
      ] as const) {
        const { status, name } = await enters(entry, key);
        assert.deepEqual({ status, name }, { status: 401, name: code });
      }
    });
    it('a key without the scope is refused and told which one it takes', async () => {
      for (const scope of ['read', 'call', 'approve', 'admin']) {
        const answer = await enters(entry, keyOf(scope));
        assert.equal(
          answer.in,
          [entry.needs, 'admin'].includes(scope),
          `${scope}: ${answer.name} ${answer.message}`,
        );
        if (answer.in) continue;
        assert.deepEqual(
          { status: answer.status, name: answer.name },
          { status: 403, name: 'identity.scope_missing' },
        );
        assert.match(answer.message, new RegExp(`"${entry.needs}"`));
      }
    });
    it('a restricted key gets in only where its restriction holds', async () => {
      const { restricted = false } = entry;
      assert.equal((await enters(entry, keyOf('ofUsers'))).in, restricted !== false);
      assert.equal((await enters(entry, keyOf('ofTools'))).in, restricted === true);
      assert.equal((await enters(entry, keyOf('ofGateways'))).in, false);
    });
    it('the same holds below the project, and other projects do not exist', async () => {
      const scope = entry.needs;
      const own = await enters(entry, keyOf(scope), '/v1/orgs/default/projects/default');
      assert.equal(own.in, true, own.message);
      assert.equal((await enters(entry, null, '/v1/orgs/default/projects/default')).status, 401);
      for (const prefix of ['/v1/orgs/default/projects/other', '/v1/orgs/other/projects/default']) {
        const { status, name } = await enters(entry, keyOf(scope), prefix);
        assert.deepEqual({ status, name }, { status: 404, name: 'resource.unknown' });
      }
    });
  });
}

it('the table holds every route that is served', async () => {
  const { body } = await server.ask('GET', '/v1/swagger', { key: null });
  const served = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace('/v1', '')}`),
  );
  assert.deepEqual(served.toSorted(), table.map(({ call }) => call).toSorted());
});
