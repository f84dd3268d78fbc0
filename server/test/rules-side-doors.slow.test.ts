import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import type { RuleRequest } from '@sallyport/contracts';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import type { Era, Heard } from './era-server.ts';
import { type Json, messageOf, modern, type TestApp } from './start-app.ts';

/** What passes beside the arguments and the answer of a call: rules are for that, too. */

const ssn = '123-45-6789';
type RulePart = Partial<RuleRequest> & Pick<RuleRequest, 'direction' | 'action'>;
const blocked: RulePart = { direction: 'input', action: 'block', match: { detector: 'ssn' } };
const redacted: RulePart = { direction: 'input', action: 'redact', match: { detector: 'ssn' } };

let both: BothEras;
let app: TestApp;
const clients: EraClient[] = [];
before(async () => {
  both = await startBothEras();
  ({ app } = both);
});
after(async () => {
  for (const client of clients) await client.close();
  await both?.close();
});
afterEach(async () => {
  const { rules, limits } = app.app.rooms.policy;
  for (const { id } of [...rules.list('default')]) await rules.remove('default', id);
  for (const { id } of [...limits.list('default')]) await limits.remove('default', id);
});

async function rule(part: RulePart): Promise<string> {
  const definition = { name: 'A rule', tools: ['*'], ...part };
  return (await app.app.rooms.policy.rules.create('default', definition)).id;
}

async function openClient(client: Era, slug: Era, answer?: (question: Json) => Json | null) {
  const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
  const opened = await openEraClient(client, `${app.url}/mcp/${slug}`, headers, answer);
  clients.push(opened);
  return opened;
}

/** All that a server of the era heard while `during` ran, as text. */
async function heardOf(era: Era, during: () => Promise<unknown>): Promise<string> {
  const count = both.servers[era].heard.length;
  await during();
  return JSON.stringify(both.servers[era].heard.slice(count));
}

const codeOf = ({ result, error }: { result?: Json; error?: Json }): string | undefined =>
  error?.data?.name ?? result?._meta?.['sallyport/refusal']?.code;

for (const client of eras) {
  for (const server of eras) {
    describe(`${client} client, ${server} server`, () => {
      let era: EraClient;
      before(async () => {
        era = await openClient(client, server);
      });
      const call = (name: string, args: Json = {}, meta: Record<string, unknown> = {}) =>
        era.request('tools/call', { name, arguments: args }, { meta });

      test('`_meta` of a request holds nothing that a rule blocks or redacts when it reaches the server', async () => {
        const asked = () =>
          call('Echo', { zulu: 'z' }, { 'vendor/note': { deep: [ssn] }, progressToken: 'p' });
        const prompt = () =>
          era.request(
            'prompts/get',
            { name: 'Greet', arguments: { who: 'Ann' } },
            { meta: { 'vendor/note': ssn } },
          );
        const id = await rule(blocked);
        let told: Json[] = [];
        const refused = await heardOf(server, async () => {
          told = [await asked(), await prompt()];
        });
        assert.deepEqual(told.map(codeOf), ['policy.input_blocked', 'policy.input_blocked']);
        assert.doesNotMatch(refused, /tools\/call|prompts\/get|123-45-6789/);
        for (const record of (await app.records('&code=policy.input_blocked')).slice(0, 2))
          assert.deepEqual([record.policy.rules[0].id, record.policy.rules[0].outcome], [id, 'blocked']);
        await app.app.rooms.policy.rules.remove('default', id);
        await rule(redacted);
        const heard = await heardOf(server, async () => {
          assert.equal(codeOf(await asked()), undefined);
        });
        assert.match(heard, /"vendor\/note":\{"deep":\["\[redacted\]"\]\}/);
      });

      test('an answer that somebody would have to approve does not reach the server', async () => {
        await rule({
          ...blocked,
          action: 'approve',
          approvers: [{ user: 'boss' }],
          match: { pattern: '^Bo$' },
        });
        assert.doesNotMatch(await heardOf(server, () => call('AskForm')), /"Bo"/);
      });

      test('an answer is looked at by path as it stands in what the client says', async () => {
        await rule({ ...blocked, match: { path: '$.name', pattern: 'Bo' } });
        assert.doesNotMatch(await heardOf(server, () => call('AskForm')), /"Bo"/);
      });

      test('conditions know the arguments of the call when its answers, progress and errors pass', async () => {
        await rule({ ...blocked, match: { pattern: '^Bo$' }, condition: 'arguments.zulu == "strict"' });
        await rule({
          direction: 'output',
          action: 'block',
          match: { pattern: 'step|disk' },
          condition: 'arguments.zulu == "strict"',
        });
        assert.match(await heardOf(server, () => call('AskForm', { zulu: 'free' })), /"Bo"/);
        assert.doesNotMatch(await heardOf(server, () => call('AskForm', { zulu: 'strict' })), /"Bo"/);
        const steps = (zulu: string) => call('Steps', { zulu }, { progressToken: 'mine' });
        assert.equal((await steps('free')).said.length, 2);
        assert.equal((await steps('strict')).said.length, 0);
        assert.match(JSON.stringify(await call('Fail', { zulu: 'free' })), /the disk is full/);
        assert.doesNotMatch(JSON.stringify(await call('Fail', { zulu: 'strict' })), /disk/);
      });

      test('a URI that a rule blocks is asked for by nobody, and is in no record', async () => {
        await rule(blocked);
        const uri = `test://item/${ssn}`;
        const heard = await heardOf(server, async () => {
          assert.equal(codeOf(await era.request('resources/read', { uri })), 'policy.input_blocked');
          if (client === 'legacy')
            assert.equal(codeOf(await era.request('resources/subscribe', { uri })), 'policy.input_blocked');
        });
        assert.doesNotMatch(heard, /123-45-6789/);
        const records = await app.records('&code=policy.input_blocked');
        assert.equal(records[0].source, server);
        assert.doesNotMatch(JSON.stringify(records), /123-45-6789/);
      });

      test('what a server says of itself is told without what a rule redacts', async () => {
        assert.equal(era.welcome.instructions, 'Ask nicely');
        await rule({ direction: 'output', action: 'redact', match: { pattern: 'nicely' } });
        const { welcome } = await openClient(client, server);
        assert.equal(welcome.instructions, 'Ask [redacted]');
      });
    });
  }
}

describe('what only one generation has', () => {
  test('an error as an answer does not bring to the server what a rule blocks', async () => {
    const error = { code: -32000, message: `no, ${ssn}`, data: { ssn } };
    const client = await openClient('legacy', 'legacy', () => ({ error }));
    const ask = () => client.request('tools/call', { name: 'AskForm', arguments: {} });
    assert.match(await heardOf('legacy', ask), /"message":"no, 123-45-6789"/);
    const id = await rule(blocked);
    const heard = await heardOf('legacy', ask);
    assert.match(heard, /"error":\{"code":-32000,/);
    assert.doesNotMatch(heard, /123-45-6789/);
    await app.app.rooms.policy.rules.remove('default', id);
    await rule(redacted);
    assert.match(await heardOf('legacy', ask), /"code":-32000,"message":"no, \[redacted\]"/);
  });

  test('capabilities, tasks and notifications bring no such value either', async () => {
    const client = await openClient('legacy', 'legacy');
    await client.request('tools/call', { name: 'Echo', arguments: {} });
    await rule(blocked);
    const { message, headers } = modern('tools/call', { name: 'Echo', arguments: {} });
    const declared = { experimental: { note: { ssn } } };
    Object.assign(message.params._meta, { 'io.modelcontextprotocol/clientCapabilities': declared });
    const heard = await heardOf('modern', async () => {
      assert.equal(
        codeOf(await messageOf(await app.rpc('modern', message, headers))),
        'policy.input_blocked',
      );
    });
    assert.doesNotMatch(heard, /123-45-6789/);
    const { legacy } = both.servers;
    const count = legacy.heard.length;
    const task = { ttl: 60_000, note: ssn };
    assert.equal(
      codeOf(await client.request('tools/call', { name: 'Job', arguments: {}, task })),
      'policy.input_blocked',
    );
    await client.notify('notifications/roots/list_changed', { _meta: { note: ssn }, ssn });
    const isIt = ({ message: { method } }: Heard) => method === 'notifications/roots/list_changed';
    while (!legacy.heard.slice(count).some(isIt)) await once(legacy.events, 'heard');
    assert.doesNotMatch(JSON.stringify(legacy.heard.slice(count)), /123-45-6789/);
  });
});

describe('tasks', () => {
  for (const era of eras) {
    const begin = async (client: EraClient) => {
      const task = era === 'legacy' ? { task: { ttl: 60_000 } } : {};
      return client.request('tools/call', { name: 'Job', arguments: {}, ...task });
    };
    const idOf = ({ result }: Json): string => result.task?.taskId ?? result.taskId;
    const resultOf = (client: EraClient, taskId: string) =>
      client.request(era === 'legacy' ? 'tasks/result' : 'tasks/get', { taskId });

    test(`the result of a task is without what a rule redacts at its path, ${era}`, async () => {
      const client = await openClient(era, era);
      await rule({ direction: 'output', action: 'redact', match: { path: '$.done' } });
      const { result } = await resultOf(client, idOf(await begin(client)));
      const { structuredContent } = era === 'legacy' ? result : result.result;
      assert.deepEqual(structuredContent, { done: '[redacted]' });
    });

    test(`a task whose call was approved needs no approval to be followed, and counts as that one call, ${era}`, async () => {
      const client = await openClient(era, era);
      await rule({ direction: 'input', action: 'approve', approvers: [{ user: 'boss' }] });
      await app.app.rooms.policy.limits.create('default', {
        name: 'Two',
        tools: ['*.Job'],
        per: ['user'],
        rate: { limit: 2, per_seconds: 3600 },
        concurrency: 1,
      });
      const { result } = await begin(client);
      const { id } = result._meta['sallyport/refusal'].details.approval;
      const verdict = await app.api('POST', `/v1/approvals/${id}/approve`, { user_id: 'boss' });
      assert.equal(verdict.status, 200);
      const taskId = idOf(await begin(client));
      for (let nth = 0; nth < 3; nth++) {
        const told = await resultOf(client, taskId);
        assert.equal(told.error, undefined, JSON.stringify(told));
      }
      if (era === 'legacy')
        assert.equal((await client.request('tasks/list')).result.tasks.at(-1).taskId, taskId);
    });
  }
});

describe('an approval', () => {
  test('given by who is no approver any more lets nothing through', async () => {
    const { rules } = app.app.rooms.policy;
    const part: RulePart = { direction: 'input', action: 'approve', approvers: [{ user: 'boss' }] };
    const id = await rule(part);
    const client = await openClient('modern', 'modern');
    const echo = () => client.request('tools/call', { name: 'Echo', arguments: {} });
    const held = (await echo()).result._meta['sallyport/refusal'].details.approval.id;
    await rules.replace('default', id, {
      name: 'A rule',
      tools: ['*'],
      ...part,
      approvers: [{ user: 'new boss' }],
    });
    await app.api('POST', `/v1/approvals/${held}/approve`, { user_id: 'boss' });
    assert.equal(codeOf(await echo()), 'policy.approval_required');
  });

  test('lets a call that asks its user something begin once, and go on', async () => {
    await rule({ direction: 'input', action: 'approve', approvers: [{ user: 'boss' }] });
    const client = await openClient('modern', 'modern');
    const params = { name: 'AskForm', arguments: { zulu: 'once' } };
    const begin = () => client.request('tools/call', params, { maxRounds: 0 });
    const { id } = (await begin()).result._meta['sallyport/refusal'].details.approval;
    await app.api('POST', `/v1/approvals/${id}/approve`, { user_id: 'boss' });
    const { requestState } = (await begin()).result;
    const again = await heardOf('modern', async () => {
      assert.equal(codeOf(await begin()), 'policy.approval_required');
      const knowing = { ...params, inputResponses: { name: { action: 'decline' } } };
      assert.equal(codeOf(await client.request('tools/call', knowing)), 'policy.approval_required');
    });
    assert.doesNotMatch(again, /tools\/call/);
    const inputResponses = { name: { action: 'accept', content: { name: 'Bo' } } };
    const goOn = () => client.request('tools/call', { ...params, inputResponses, requestState });
    assert.match((await goOn()).result.content[0].text, /"Bo"/);
    assert.equal(codeOf(await goOn()), 'policy.approval_required');
  });

  test('and a limit do not freeze an execution under its Idempotency-Key', async () => {
    await rule({ direction: 'input', action: 'approve', approvers: [{ user: 'boss' }] });
    const execute = async (): Promise<Json> =>
      (
        await fetch(`${app.url}/v1/tools/execute`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${app.key}`,
            'content-type': 'application/json',
            'idempotency-key': 'the same',
          },
          body: JSON.stringify({ tool_name: 'modern.Echo', input: { zulu: 'once' }, user_id: 'alice' }),
        })
      ).json();
    const held = await execute();
    assert.equal(held.output.error.extra.code, 'policy.approval_required');
    const { id } = held.output.error.extra.approval;
    await app.api('POST', `/v1/approvals/${id}/approve`, { user_id: 'boss' });
    const ran = await execute();
    assert.equal(ran.success, true);
    assert.deepEqual(await execute(), ran);
  });
});
