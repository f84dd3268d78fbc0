import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ChangingServer, startChangingServer, toolOf } from './changing-server.ts';
import { freePort } from './free-port.ts';
import { type HookServer, startHookServer } from './hook-server.ts';
import { type Replicas, startReplicas } from './replicas.ts';
import { type Json, messageOf, toolCall } from './start-app.ts';
import type { TestProcess } from './start-process.ts';

/**
 * Two replicas before one PostgreSQL server: what administrators change at one acts at the other. Each process of the other
 * hears of it by itself, so that what one of them knows another may know a little later.
 */

const database = process.env.SALLYPORT_TEST_DATABASE_URL;
const skip = database === undefined ? 'needs a PostgreSQL server (npm run test:postgres)' : false;
const admin = { authorization: 'Bearer sp_the_key_of_this_test', 'content-type': 'application/json' };
const user = { ...admin, 'arcade-user-id': 'ann', accept: 'application/json, text/event-stream' };

describe('what is changed at one replica', { skip }, () => {
  let server: ChangingServer;
  let hooks: HookServer;
  let both: Replicas;
  let first: TestProcess;
  let second: TestProcess;

  before(async () => {
    server = await startChangingServer();
    hooks = await startHookServer();
    const config =
      'egress: { allow: [127.0.0.0/8] }\ngateways: [{ slug: own, tool_filter: { allowed_tools: [] } }]';
    both = await startReplicas(database as string, `http://127.0.0.1:${await freePort()}`, config);
    [first, second] = both.replicas as [TestProcess, TestProcess];
    await api('POST', '/workers', {
      id: 'files',
      type: 'mcp',
      pin: 'quarantine',
      mcp: { uri: server.uri, headers: { Authorization: 'Bearer one' } },
    });
    await api('POST', '/gateways', { name: 'Team', slug: 'team' });
    await until(async () => (await names()).join() === 'files_Read,files_Write');
  });
  after(async () => {
    await both?.close();
    await hooks?.close();
    await server?.close();
  });

  async function api(method: string, path: string, body?: object, at = first): Promise<Json> {
    const answer = await fetch(`${at.url}/v1${path}`, {
      method,
      headers: admin,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
  async function rpc(slug: string, message: object, at = second): Promise<Json> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
    const answer = await fetch(`${at.url}/mcp/${slug}`, { method: 'POST', headers: user, body });
    return answer.ok ? messageOf(answer) : { status: answer.status, error: await answer.text() };
  }
  const names = async (at = second): Promise<string[]> =>
    ((await rpc('team', { method: 'tools/list' }, at)).result?.tools ?? []).map(({ name }: Json) => name);
  /** What came of a call: its text, or the code of its refusal. */
  const call = async (name = 'files_Write', at = second): Promise<string> => {
    const { result, error } = await rpc('team', toolCall(name), at);
    return result?._meta?.['sallyport/refusal']?.code ?? result?.content[0].text ?? JSON.stringify(error);
  };
  /** Only the time of the test bounds it. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds()));
  }
  const answers = (wanted: string, name?: string) => until(async () => (await call(name)).includes(wanted));

  it('a gateway: made, changed and deleted', async () => {
    const { id } = await api('POST', '/gateways', { name: 'New', slug: 'new' });
    await until(async () => (await rpc('new', { method: 'tools/list' })).result !== undefined);
    await api('PATCH', `/gateways/${id}`, { slug: 'newer', tool_filter: { allowed_tools: ['files.Read'] } });
    await until(async () => (await rpc('newer', { method: 'tools/list' })).result?.tools.length === 1);
    await until(async () => (await rpc('new', { method: 'tools/list' })).status === 404);
    await api('DELETE', `/gateways/${id}`);
    await until(async () => (await rpc('newer', { method: 'tools/list' })).status === 404);
    assert.notEqual((await rpc('own', { method: 'tools/list' })).result, undefined, 'the file has its own');
  });

  it('a grant and a rule: made, changed and deleted', async () => {
    const asked = { subject: { user: 'ann' }, tools: ['files.Write'], effect: 'deny' };
    const grant = await api('POST', '/grants', asked);
    await until(async () => (await names()).join() === 'files_Read');
    await api('PUT', `/grants/${grant.id}`, { ...asked, subject: { user: 'bob' } });
    await until(async () => (await names()).length === 2);
    await api('DELETE', `/grants/${grant.id}`);

    const block = { name: 'no runs', direction: 'output', tools: ['files.*'], action: 'block' };
    const rule = await api('POST', '/rules', { ...block, match: { pattern: 'ran' } });
    await answers('policy.output_blocked');
    await api('PUT', `/rules/${rule.id}`, { ...block, match: { pattern: 'walked' } });
    await answers('ran Write');
    await api('DELETE', `/rules/${rule.id}`);
  });

  it('a hook: it blocks, and no longer once it is switched off', async () => {
    const pre = { url: `${hooks.url}/pre`, failure_mode: 'fail_closed', phase: 'before' };
    const plugin = await api('POST', '/plugins', {
      name: 'Checks',
      plugin_type: 'webhook',
      webhook_config: { endpoints: { pre } },
    });
    hooks.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'not today' });
    await until(async () => /not today/.test(JSON.stringify(await rpc('team', toolCall('files_Write')))));
    await api('PATCH', `/plugins/${plugin.id}`, { status: 'inactive' });
    await answers('ran Write');
    assert.deepEqual(hooks.problems, []);
  });

  it('what a source is called with', async () => {
    server.token = 'Bearer two';
    await api('PATCH', '/workers/files', { mcp: { headers: { Authorization: 'Bearer two' } } });
    await answers('ran Write');
    await api('POST', '/admin/secrets/FILES', { value: 'three' });
    server.token = 'Bearer three';
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference as it is written.
    await api('PATCH', '/workers/files', { mcp: { headers: { Authorization: 'Bearer ${secret:FILES}' } } });
    await answers('ran Write');
    await api('POST', '/admin/secrets/FILES', { value: 'four' });
    server.token = 'Bearer four';
    await answers('ran Write');
    server.token = null;
  });

  it('a changed tool: held back at both, released at both, and clients of both hear of it', async () => {
    const opened = await fetch(`${second.url}/mcp/team`, {
      method: 'POST',
      headers: user,
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    });
    await opened.text();
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    const headers = { ...user, ...session, accept: 'text/event-stream' };
    const stream = await fetch(`${second.url}/mcp/team`, { headers });
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const hear = async () => {
      let said = '';
      while (!said.includes('tools/list_changed')) {
        const { value, done } = await reader.read();
        assert.ok(!done);
        said += new TextDecoder().decode(value);
      }
    };

    server.tools = [toolOf('Read', 'Reads a file, and sends it away'), toolOf('Write', 'Writes a file')];
    const held = hear();
    await api('GET', '/workers/files/health');
    await until(async () => (await names()).join() === 'files_Write');
    await held;
    assert.equal(await call('files_Read'), 'catalog.tool_quarantined');
    const released = hear();
    await api('POST', '/workers/files/changes/approve', { all: true });
    await released;
    await answers('ran Read', 'files_Read');
    assert.equal(await call('files_Read', first), 'ran Read');
    await reader.cancel();
  });

  it('a burst of grants, and a source that goes', async () => {
    const asked = { tools: ['files.Write'], effect: 'deny' };
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => api('POST', '/grants', { ...asked, subject: { user: `u${n}` } })),
    );
    await api('POST', '/grants', { ...asked, subject: { user: 'ann' } });
    await until(async () => (await names()).join() === 'files_Read');
    await api('DELETE', '/workers/files');
    await until(async () => (await names()).length === 0);
    await until(async () => (await api('GET', '/workers', undefined, second)).items.length === 0);
  });
});
