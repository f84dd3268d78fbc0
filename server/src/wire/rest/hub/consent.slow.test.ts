import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { consentAt } from '../../../../test/oauth-providers/index.ts';
import { type MailWorld, startMailWorld } from '../fixtures/mail-world.ts';

let world: MailWorld;
before(async () => {
  world = await startMailWorld();
  const rule = {
    name: 'somebody agrees',
    direction: 'input',
    tools: ['Mail.Free'],
    condition: 'true',
    action: 'approve',
    approvers: [{ user: 'boss' }],
  };
  const limit = { name: 'few', tools: ['Mail.Free'], per: ['user'], rate: { limit: 5, per_seconds: 60 } };
  for (const [path, body] of [
    ['/v1/rules', rule],
    ['/v1/limits', limit],
  ] as const)
    assert.equal((await world.server.ask('POST', path, { body })).status, 201);
});
after(() => world?.close());

async function six(name: string, body: object) {
  const asked = await world.server.ask('POST', `/v1/hub/${name}`, { body: { user_id: 'ann', ...body } });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  return asked.body;
}

interface Found {
  readonly tool: string;
  readonly requires?: readonly string[];
}
async function requiredOf(tool: string, query: string): Promise<readonly string[] | undefined> {
  const { tools } = await six('search_tools', { query });
  return (tools as Found[]).find((found) => found.tool === tool)?.requires;
}

const whoami = 'worker://Mail.Whoami';

describe('a tool that acts as the user elsewhere', () => {
  it('says that the user has to consent, and where; runs once they did, and says so no more', async () => {
    assert.deepEqual(await requiredOf(whoami, 'who the user is there'), ['consent']);
    const [details] = (await six('get_tool_details', { tools: [whoami] })).tools;
    assert.equal(details.requires[0].kind, 'consent');
    const waiting = await six('execute_tool', { tool: whoami });
    assert.deepEqual([waiting.status, waiting.waiting_for], ['waiting', 'consent']);
    assert.equal(waiting.authorization_url, details.requires[0].url);
    await consentAt(waiting.authorization_url, { as: 'ann', allow: true });
    const { execution_id } = waiting;
    const ended = await six('resume_execution', { execution_id, wait_ms: 10_000 });
    assert.deepEqual([ended.status, ended.output], ['succeeded', 'ann']);
    assert.equal(await requiredOf(whoami, 'who the user is there'), undefined);
    assert.equal((await six('get_tool_details', { tools: [whoami] })).tools[0].requires, undefined);
  });

  it('says what of the installation is missing', async () => {
    const [{ requires }] = (await six('get_tool_details', { tools: ['Mail.Signed'] })).tools;
    assert.deepEqual(
      requires.map(({ kind }: { kind: string }) => kind),
      ['secret'],
    );
  });
});

describe('a tool that policy has something to say about', () => {
  it('tells of approvals and limits before it is called', async () => {
    assert.deepEqual(await requiredOf('worker://Mail.Free', 'needs nothing'), ['approval']);
    const [{ requires, limits }] = (await six('get_tool_details', { tools: ['Mail.Free'] })).tools;
    assert.equal(requires[0].kind, 'approval');
    assert.ok(limits.includes('5 calls in 60 s, counted by user'));
    const waiting = await six('execute_tool', { tool: 'Mail.Free' });
    assert.deepEqual([waiting.status, waiting.waiting_for], ['waiting', 'approval']);
  });
});
