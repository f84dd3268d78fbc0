import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
before(async () => {
  server = await startRestServer();
});
after(() => server?.close());
afterEach(async () => {
  for (const binding of ['project', 'tenant']) {
    const { body: hooks } = await server.ask('GET', `/v1/hooks?binding_type=${binding}&limit=1000`);
    for (const { id } of hooks.items) await server.ask('DELETE', `/v1/hooks/${id}`);
    const { body: plugins } = await server.ask('GET', `/v1/plugins?binding_type=${binding}&limit=1000`);
    for (const { id } of plugins.items) await server.ask('DELETE', `/v1/plugins/${id}`);
  }
});

const url = 'http://hooks.internal:8888';
const endpoint = { url: `${url}/pre`, failure_mode: 'fail_closed', phase: 'before' };
const webhook = {
  name: 'Checks',
  plugin_type: 'webhook',
  webhook_config: {
    endpoints: {
      access: {
        ...endpoint,
        url: `${url}/access`,
        failure_mode: 'fail_open',
        priority: 7,
        cache_enabled: true,
        cache_ttl_ms: 5000,
      },
      pre: { ...endpoint, timeout_ms: 60_000 },
    },
    auth: { type: 'bearer', token: 'sesame-open' },
  },
  retry: { max_attempts: 2 },
};

async function make(body: object = webhook, query = '') {
  const made = await server.ask('POST', `/v1/plugins${query}`, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

describe('POST /v1/plugins', () => {
  it('answers with the plugin and a hook for each endpoint, and shows no secret', async () => {
    const { id, hooks, created_at, updated_at, created_by, updated_by, health_status, ...plugin } =
      await make();
    assert.match(id, /^plg_/);
    assert.ok(created_at && updated_at && health_status);
    assert.match(created_by, /^key_/);
    assert.equal(updated_by, created_by);
    assert.deepEqual(plugin, {
      name: 'Checks',
      plugin_type: 'webhook',
      status: 'active',
      binding: { type: 'project', id: 'default' },
      version: 1,
      webhook_config: {
        endpoints: {
          access: { url: `${url}/access`, timeout_ms: 5000, cache_enabled: true, cache_ttl_ms: 5000 },
          pre: { url: `${url}/pre`, timeout_ms: 60_000, cache_enabled: false },
        },
        auth: { type: 'bearer', token: { exists: true, editable: true, value: '', binding: 'project' } },
        health_check_path: '/health',
      },
      retry: {
        enabled: true,
        max_attempts: 2,
        base_delay_ms: 100,
        backoff: 'exponential',
        retry_on: ['timeout', 'connection_error', '5xx'],
      },
    });
    const { id: hookId, created_at: made, updated_at: changed, ...hook } = hooks[0];
    assert.ok(made && changed && /^hook_/.test(hookId));
    assert.deepEqual(hook, {
      name: 'Checks tool.access',
      plugin_id: id,
      hook_point: 'tool.access',
      phase: 'before',
      priority: 7,
      failure_mode: 'fail_open',
      status: 'active',
      timeout_ms: 5000,
      cache_enabled: true,
      cache_ttl_ms: 5000,
      version: 1,
    });
    assert.deepEqual((await server.ask('GET', `/v1/hooks/${hookId}`)).body, hooks[0]);
    const shown = (await server.ask('GET', `/v1/plugins/${id}`)).body;
    const { body: records } = await server.ask('GET', '/v1/audit_events?limit=5');
    assert.equal(records.items[0].tool, 'plugins.create');
    assert.doesNotMatch(JSON.stringify([shown, records, hooks]), /sesame/);
  });

  it('takes the built-in types, whose credentials are not shown either', async () => {
    const rules = [{ match: 'Slack.*', required_groups: ['Sales'] }];
    const groups = {
      name: 'Groups',
      plugin_type: 'group_access',
      group_access_config: {
        backend: 'okta',
        okta: { org_url: 'https://acme.okta.test', api_token: 'sesame-open' },
        rules,
      },
    };
    const made = await make(groups);
    assert.deepEqual(made.group_access_config, {
      backend: 'okta',
      okta: {
        org_url: 'https://acme.okta.test',
        api_token: { exists: true, editable: true, value: '', binding: 'project' },
      },
      rules,
    });
    assert.deepEqual(made.hooks, []);
    const again = await server.ask('POST', '/v1/plugins', { body: groups });
    assert.deepEqual([again.status, again.body.name], [409, 'resource.conflict']);
    const limits = { rules: [{ match: '*', limit: 1, time_unit: 'm' }] };
    const limited = await make({ name: 'Limits', plugin_type: 'rate_limit', rate_limit_config: limits });
    assert.deepEqual(limited.rate_limit_config, limits);
  });

  it('refuses what is wrong, and names it', async () => {
    const { webhook_config: config, ...rest } = webhook;
    const withConfig = (change: object) => ({ ...rest, webhook_config: { ...config, ...change } });
    const withPre = (change: object) => withConfig({ endpoints: { pre: { ...endpoint, ...change } } });
    const cases: [object, string][] = [
      [{ ...webhook, nmae: 'x' }, 'nmae'],
      [{ ...webhook, name: 'x'.repeat(257) }, 'name'],
      [{ ...webhook, description: 'x'.repeat(1001) }, 'description'],
      [{ ...webhook, plugin_type: 'magic' }, 'plugin_type'],
      [rest, 'webhook_config'],
      [
        { ...webhook, rate_limit_config: { rules: [{ match: '*', limit: 1, time_unit: 'm' }] } },
        'rate_limit_config',
      ],
      [withConfig({ endpoints: {} }), 'webhook_config.endpoints'],
      [withPre({ url: 'ftp://x' }), 'webhook_config.endpoints.pre.url'],
      [withPre({ url: 'http://u:p@x' }), 'webhook_config.endpoints.pre.url'],
      [withPre({ url: 'http://x:0' }), 'webhook_config.endpoints.pre.url'],
      [withPre({ phase: undefined }), 'webhook_config.endpoints.pre.phase'],
      [withPre({ priority: 1001 }), 'webhook_config.endpoints.pre.priority'],
      [withPre({ timeout_ms: 99 }), 'webhook_config.endpoints.pre.timeout_ms'],
      [withPre({ timeout_ms: 120_001 }), 'webhook_config.endpoints.pre.timeout_ms'],
      [withPre({ cache_ttl_ms: 999 }), 'webhook_config.endpoints.pre.cache_ttl_ms'],
      [withPre({ cache_ttl_ms: 604_800_001 }), 'webhook_config.endpoints.pre.cache_ttl_ms'],
      [withConfig({ auth: { type: 'bearer' } }), 'webhook_config.auth.token'],
      [withConfig({ auth: { token: 'a b' } }), 'webhook_config.auth.token'],
      [withConfig({ auth: { type: 'none', token: 'x' } }), 'webhook_config.auth.token'],
      [withConfig({ auth: { type: 'mtls' } }), 'webhook_config.auth.client_cert'],
      [
        withConfig({ auth: { ca_cert: '-----BEGIN CERTIFICATE-----' } }),
        'webhook_config.endpoints.access.url',
      ],
      [withConfig({ health_check_path: 'health' }), 'webhook_config.health_check_path'],
      [{ ...webhook, retry: { max_attempts: 11 } }, 'retry.max_attempts'],
      [{ ...webhook, retry: { base_delay_ms: 9 } }, 'retry.base_delay_ms'],
      [{ ...webhook, retry: { retry_on: ['404'] } }, 'retry.retry_on.0'],
    ];
    for (const [body, field] of cases) {
      const refused = await server.ask('POST', '/v1/plugins', { body });
      assert.deepEqual(
        [refused.status, refused.body.name, refused.body.field],
        [400, 'request.params_invalid', field],
        JSON.stringify(refused.body),
      );
    }
    const bad = {
      ...rest,
      webhook_config: {
        endpoints: { pre: { ...endpoint, url: 'https://x' } },
        auth: { ca_cert: '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----' },
      },
    };
    const refused = await server.ask('POST', '/v1/plugins', { body: bad });
    assert.deepEqual([refused.status, refused.body.field], [400, 'webhook_config.auth']);
    assert.equal((await server.ask('GET', '/v1/plugins')).body.total_count, 0);
  });
});

describe('PATCH /v1/plugins/{id}', () => {
  it('changes what it says, keeps the rest and its secrets, and counts versions', async () => {
    const { id } = await make();
    const change = {
      name: 'Renamed',
      retry: { backoff: 'fixed' },
      webhook_config: {
        endpoints: { pre: { timeout_ms: 200, priority: 3 }, post: { ...endpoint, url: `${url}/post` } },
      },
    };
    const { status, body } = await server.ask('PATCH', `/v1/plugins/${id}`, { body: change });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      [
        body.name,
        body.version,
        body.retry.backoff,
        body.retry.max_attempts,
        body.webhook_config.auth.token.exists,
      ],
      ['Renamed', 2, 'fixed', 2, true],
    );
    assert.deepEqual(body.webhook_config.endpoints.pre, {
      url: `${url}/pre`,
      timeout_ms: 200,
      cache_enabled: false,
    });
    const { body: hooks } = await server.ask('GET', `/v1/hooks?plugin_id=${id}`);
    assert.deepEqual(
      hooks.items.map((hook: Record<string, unknown>) => [hook.hook_point, hook.priority, hook.version]),
      [
        ['tool.access', 7, 1],
        ['tool.pre', 3, 2],
        ['tool.post', 0, 1],
      ],
    );
  });

  it('drops credentials of another kind, and refuses what would leave none', async () => {
    const { id } = await make();
    const patch = (auth: object) =>
      server.ask('PATCH', `/v1/plugins/${id}`, { body: { webhook_config: { auth } } });
    const refused = await patch({ type: 'mtls' });
    assert.deepEqual([refused.status, refused.body.field], [400, 'webhook_config.auth.client_cert']);
    const { body } = await patch({ type: 'none' });
    assert.deepEqual(body.webhook_config.auth, { type: 'none' });
    assert.equal((await patch({ type: 'bearer' })).status, 400);
  });

  it('refuses a new endpoint that does not say what its hook does', async () => {
    const { id } = await make();
    const body = { webhook_config: { endpoints: { post: { url: `${url}/post`, phase: 'before' } } } };
    const refused = await server.ask('PATCH', `/v1/plugins/${id}`, { body });
    assert.deepEqual(
      [refused.status, refused.body.field],
      [400, 'webhook_config.endpoints.post.failure_mode'],
    );
  });

  it("keeps a directory's token where only the rules change, and not for another directory", async () => {
    const okta = { org_url: 'https://acme.okta.test', api_token: 'sesame' };
    const rules = [{ match: '*', required_groups: ['a'] }];
    const { id } = await make({
      name: 'Groups',
      plugin_type: 'group_access',
      group_access_config: { backend: 'okta', okta, rules },
    });
    const patch = (group_access_config: object) =>
      server.ask('PATCH', `/v1/plugins/${id}`, { body: { group_access_config } });
    const changed = await patch({ rules: [{ match: '*', required_groups: ['b'] }] });
    assert.equal(changed.body.group_access_config.okta.api_token.exists, true);
    assert.deepEqual(changed.body.group_access_config.rules[0].required_groups, ['b']);
    const entra = { tenant_id: 't', client_id: 'c' };
    const refused = await patch({ backend: 'entra', entra });
    assert.deepEqual([refused.status, refused.body.field], [400, 'group_access_config.entra.client_secret']);
    const moved = await patch({ backend: 'entra', entra: { ...entra, client_secret: 's' } });
    assert.deepEqual([moved.body.group_access_config.okta, moved.status], [undefined, 200]);
  });
});

describe('plugins', () => {
  it('of the organisation and of the project are listed apart', async () => {
    const own = await make();
    const shared = await make({ ...webhook, name: 'Shared' }, '?binding_type=tenant');
    assert.deepEqual(shared.binding, { type: 'tenant', id: 'default' });
    for (const [query, id] of [
      ['', own.id],
      ['?binding_type=project', own.id],
      ['?binding_type=tenant', shared.id],
    ]) {
      const { body: plugins } = await server.ask('GET', `/v1/plugins${query}`);
      assert.deepEqual(
        plugins.items.map((plugin: { id: string }) => plugin.id),
        [id],
      );
      const { body: hooks } = await server.ask('GET', `/v1/hooks${query}`);
      assert.deepEqual(
        new Set(hooks.items.map((hook: { plugin_id: string }) => hook.plugin_id)),
        new Set([id]),
      );
    }
    const hook = shared.hooks[0].id;
    assert.equal((await server.ask('GET', `/v1/hooks/${hook}?binding_type=tenant`)).status, 200);
    assert.equal((await server.ask('GET', `/v1/hooks/${hook}?binding_type=project`)).status, 404);
    assert.equal((await server.ask('GET', '/v1/plugins?binding_type=moon')).status, 400);
  });

  it('are not deleted while they have hooks', async () => {
    const { id, hooks } = await make();
    const refused = await server.ask('DELETE', `/v1/plugins/${id}`);
    assert.deepEqual([refused.status, refused.body.name], [409, 'resource.conflict']);
    for (const hook of hooks) assert.equal((await server.ask('DELETE', `/v1/hooks/${hook.id}`)).status, 204);
    assert.equal((await server.ask('DELETE', `/v1/plugins/${id}`)).status, 204);
    assert.equal((await server.ask('GET', `/v1/plugins/${id}`)).status, 404);
  });
});

describe('hooks', () => {
  const hookOf = (plugin_id: string, hook_point = 'tool.pre') => ({
    name: 'mine',
    plugin_id,
    hook_point,
    failure_mode: 'fail_closed',
    phase: 'after',
  });

  it('are made, changed and found by what they do; one of a plugin at each point', async () => {
    const { id, hooks } = await make();
    const pre = hooks.find((hook: { hook_point: string }) => hook.hook_point === 'tool.pre');
    const twice = await server.ask('POST', '/v1/hooks', { body: hookOf(id) });
    assert.deepEqual([twice.status, twice.body.name], [409, 'resource.conflict']);
    await server.ask('DELETE', `/v1/hooks/${pre.id}`);
    const made = await server.ask('POST', '/v1/hooks', { body: { ...hookOf(id), timeout_ms: 300 } });
    assert.deepEqual([made.status, made.body.timeout_ms, made.body.phase], [201, 300, 'after']);
    const changed = await server.ask('PATCH', `/v1/hooks/${made.body.id}`, { body: { status: 'inactive' } });
    assert.deepEqual(
      [changed.body.status, changed.body.version, changed.body.timeout_ms],
      ['inactive', 2, 300],
    );
    for (const [query, count] of [
      ['status=inactive', 1],
      ['status=active', 1],
      ['hook_point=tool.pre', 1],
      ['hook_point=tool.post', 0],
      [`plugin_id=${id}`, 2],
      ['plugin_id=other', 0],
    ] as const) {
      assert.equal((await server.ask('GET', `/v1/hooks?${query}`)).body.total_count, count, query);
    }
  });

  it('are refused where nobody could be asked', async () => {
    const { id } = await make();
    const limits = { rules: [{ match: '*', limit: 1, time_unit: 'm' }] };
    const builtIn = await make({ name: 'Limits', plugin_type: 'rate_limit', rate_limit_config: limits });
    for (const [body, status, field] of [
      [hookOf('plg_none'), 404, 'plugin_id'],
      [hookOf(id, 'tool.post'), 400, 'hook_point'],
      [hookOf(builtIn.id), 400, 'hook_point'],
      [{ ...hookOf(id), timeout_ms: 30_001 }, 400, 'timeout_ms'],
      [{ ...hookOf(id), hook_point: 'tool.during' }, 400, 'hook_point'],
    ] as const) {
      const refused = await server.ask('POST', '/v1/hooks', { body });
      assert.deepEqual([refused.status, refused.body.field], [status, field], JSON.stringify(refused.body));
    }
  });

  it('are written in bulk: all, or none and every reason told', async () => {
    const { id, hooks } = await make();
    const [access, pre] = hooks;
    await server.ask('DELETE', `/v1/hooks/${pre.id}`);
    const bulk = async (configs: object[]) =>
      (await server.ask('PATCH', '/v1/hooks/bulk', { body: { configs } })).body;
    const change = { plugin_id: id, hook_point: 'tool.access', priority: 9 };
    const failed = await bulk([change, { plugin_id: 'plg_none', hook_point: 'tool.pre' }, change]);
    assert.deepEqual([failed.success, failed.failed], [0, 3]);
    assert.match(failed.results[0].error, /not written/);
    assert.match(failed.results[1].error, /no plugin plg_none/);
    assert.match(failed.results[2].error, /twice/);
    assert.equal((await server.ask('GET', `/v1/hooks/${access.id}`)).body.priority, 7);
    const done = await bulk([change, { plugin_id: id, hook_point: 'tool.pre', phase: 'after' }]);
    assert.deepEqual([done.success, done.failed], [2, 0]);
    assert.deepEqual(
      done.results.map(({ action }: { action: string }) => action),
      ['updated', 'created'],
    );
    assert.equal((await server.ask('GET', `/v1/hooks/${access.id}`)).body.priority, 9);
    const made = (await server.ask('GET', `/v1/hooks/${done.results[1].hook_id}`)).body;
    assert.deepEqual([made.phase, made.failure_mode], ['after', 'fail_closed']);
  });
});

describe('what the file declares', () => {
  it('is shown as static, with the hooks of its endpoints and those beside, and read-only', async () => {
    const { plugins, hooks } = server.app.rooms.policy;
    const declared = {
      id: 'acme',
      name: 'Acme',
      plugin_type: 'webhook' as const,
      binding_type: 'tenant' as const,
      webhook_config: {
        endpoints: {
          pre: { url: `${url}/pre`, failure_mode: 'fail_closed' as const, phase: 'before' as const },
          post: { url: `${url}/post` },
        },
        auth: { token: 'sesame-open' },
      },
    };
    plugins.applyFile('default', [declared]);
    const beside = { ...hookOf('acme', 'tool.post'), hook_point: 'tool.post' as const };
    hooks.applyFile('default', [{ ...beside, failure_mode: 'fail_open', phase: 'after' }]);
    const { body: plugin } = await server.ask('GET', '/v1/plugins/acme');
    assert.deepEqual(plugin.binding, { type: 'static', id: 'default' });
    assert.equal(plugin.webhook_config.auth.token.editable, false);
    const { body: list } = await server.ask('GET', '/v1/hooks?plugin_id=acme&binding_type=tenant');
    assert.deepEqual(
      list.items.map((hook: { hook_point: string; name: string }) => [hook.hook_point, hook.name]),
      [
        ['tool.pre', 'Acme tool.pre'],
        ['tool.post', 'mine'],
      ],
    );
    for (const path of ['/v1/plugins/acme', `/v1/hooks/${list.items[0].id}`]) {
      const refused = await server.ask('PATCH', path, { body: { status: 'inactive' } });
      assert.deepEqual([refused.status, refused.body.name], [403, 'resource.read_only'], path);
    }
    const { body: bulk } = await server.ask('PATCH', '/v1/hooks/bulk', {
      body: { configs: [{ plugin_id: 'acme', hook_point: 'tool.pre', priority: 1 }] },
    });
    assert.match(bulk.results[0].error, /config file/);
    plugins.applyFile('default', [{ ...declared, name: 'Acme again' }]);
    assert.equal((await server.ask('GET', '/v1/plugins/acme')).body.name, 'Acme again');
    plugins.applyFile('default', []);
    hooks.applyFile('default', []);
    assert.equal((await server.ask('GET', '/v1/plugins/acme')).status, 404);
    assert.equal((await server.ask('GET', '/v1/hooks?binding_type=tenant')).body.total_count, 0);
  });

  const hookOf = (plugin_id: string, hook_point: string) => ({ name: 'mine', plugin_id, hook_point });
});
