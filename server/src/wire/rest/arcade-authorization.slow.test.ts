import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Arcade from '@arcadeai/arcadejs';
import { executeOrAuthorizeZodTool, toZod } from '@arcadeai/arcadejs/lib/index';
import { consentAt } from '../../../test/oauth-providers/index.ts';
import { type MailWorld, readScope, sendScope, startMailWorld } from './fixtures/mail-world.ts';

/** The unchanged npm client of Arcade, and a tool that acts as the user elsewhere. */

let world: MailWorld;
let client: Arcade;
let admin: Arcade;

before(async () => {
  world = await startMailWorld();
  const { server } = world;
  const keyFor = async (scopes: string[]) => await server.newKey({ name: 'client', scopes });
  client = new Arcade({ baseURL: server.url, apiKey: await keyFor(['read', 'call']) });
  admin = new Arcade({ baseURL: server.url, apiKey: await keyFor(['admin']) });
});
after(() => world?.close());

/** A user id that nobody else in these tests has. */
let users = 0;
const newUser = () => `user-${++users}@example.com`;

interface Asked {
  readonly authorization_required: true;
  readonly url: string;
  readonly authorization_response: Arcade.AuthorizationResponse;
}

async function zodTool(name: string, userId: string) {
  const { items } = await client.tools.list({ toolkit: 'Mail', user_id: userId });
  const tools = toZod({ tools: items, client, userId, executeFactory: executeOrAuthorizeZodTool });
  const tool = tools.find((one) => one.name === name);
  return tool ?? assert.fail(`there is no ${name}`);
}

describe('arcadejs, of a tool that acts as the user,', () => {
  it('is asked to send the user to consent, waits, and calls again', async () => {
    const userId = newUser();
    const tool = await zodTool('Mail_Whoami', userId);
    const asked = (await tool.execute({})) as unknown as Asked;
    assert.equal(asked.authorization_required, true);
    assert.ok(asked.url.startsWith(`${world.server.url}/connect/`), asked.url);
    assert.equal(asked.authorization_response.status, 'pending');
    assert.equal(asked.authorization_response.provider_id, 'google');
    assert.deepEqual(asked.authorization_response.scopes, [readScope]);

    const waiting = client.auth.waitForCompletion(asked.authorization_response);
    await consentAt(asked.url, { as: 'ann', allow: true });
    const completed = await waiting;
    assert.equal(completed.status, 'completed');
    assert.equal(world.google.grantOf(completed.context?.token ?? '')?.user.login, 'ann');

    const ran = (await tool.execute({})) as unknown as Arcade.ExecuteToolResponse;
    assert.equal(ran.output?.value, 'ann');
  });

  it('is told by an exception that the user has to be asked, with the address beside the words', async () => {
    const user_id = newUser();
    await assert.rejects(client.tools.execute({ tool_name: 'Mail.Whoami', user_id }), (error) => {
      assert.ok(error instanceof Arcade.PermissionDeniedError);
      const body = error.error as Record<string, string>;
      assert.equal(body.name, 'credentials.consent_required');
      assert.ok(body.authorization_url?.startsWith(`${world.server.url}/connect/`));
      assert.match(body.authorization_id ?? '', /^ac_/);
      return true;
    });
  });

  it('starts an authorization without a tool, and gets the token with what the provider says of the user', async () => {
    const userId = newUser();
    const auth = await client.auth.start(userId, 'google', { scopes: [readScope] });
    assert.equal(auth.status, 'pending');
    await consentAt(auth.url ?? '', { as: 'bob', allow: true });
    const { context } = await client.auth.waitForCompletion(auth);
    assert.equal(world.google.grantOf(context?.token ?? '')?.user.login, 'bob');
    assert.equal(context?.user_info?.email, 'bob@example.com');
    const again = await client.auth.start(userId, 'google', { scopes: [readScope] });
    assert.equal(again.status, 'completed');
    assert.equal((await client.auth.waitForCompletion(again)).context?.token, context?.token);
  });

  it('gets the same address as long as it is pending, and another one for more scopes', async () => {
    const userId = newUser();
    const start = (scopes: string[]) => client.auth.start(userId, 'google', { scopes });
    const [first, second] = await Promise.all([start([readScope]), start([readScope])]);
    assert.deepEqual([first.id, first.url], [second.id, second.url]);
    assert.notEqual((await start([sendScope])).id, first.id);
  });

  it('asks for more scopes together with those that were given', async () => {
    const userId = newUser();
    const first = await client.auth.start(userId, 'google', { scopes: [readScope] });
    await consentAt(first.url ?? '', { as: 'cleo', allow: true });
    await client.auth.waitForCompletion(first);
    const more = await client.tools.authorize({ tool_name: 'Mail.Send', user_id: userId });
    assert.equal(more.status, 'pending');
    await consentAt(more.url ?? '', { as: 'cleo', allow: true });
    await client.auth.waitForCompletion(more);
    for (const tool_name of ['Mail.Send', 'Mail.Whoami']) {
      const { status } = await client.tools.authorize({ tool_name, user_id: userId });
      assert.equal(status, 'completed', tool_name);
    }
  });

  it('stops waiting where the user does not allow it', async () => {
    const auth = await client.tools.authorize({ tool_name: 'Mail.Whoami', user_id: newUser() });
    const waiting = client.auth.waitForCompletion(auth);
    await consentAt(auth.url ?? '', { as: 'dan', allow: false });
    await assert.rejects(waiting, (error) => {
      assert.ok(error instanceof Arcade.BadRequestError);
      assert.equal((error.error as { name: string }).name, 'credentials.authorization_failed');
      return true;
    });
  });

  it('goes on at once with a tool that needs nothing', async () => {
    const user_id = newUser();
    const auth = await client.tools.authorize({ tool_name: 'Mail.Free', user_id });
    assert.equal((await client.auth.waitForCompletion(auth)).status, 'completed');
  });

  it('sees in its lists what a user lacks, and that it is there once they consented', async () => {
    const user_id = newUser();
    const needs = async () => (await client.tools.get('Mail.Whoami', { user_id })).requirements;
    const { met, authorization } = (await needs()) ?? {};
    assert.deepEqual(
      [met, authorization?.status, authorization?.token_status],
      [false, 'active', 'not_started'],
    );
    const auth = await client.tools.authorize({ tool_name: 'Mail.Whoami', user_id });
    assert.equal((await needs())?.authorization?.token_status, 'pending');
    await consentAt(auth.url ?? '', { as: 'eve', allow: true });
    await client.auth.waitForCompletion(auth);
    assert.deepEqual(
      [(await needs())?.met, (await needs())?.authorization?.token_status],
      [true, 'completed'],
    );
    const { items } = await client.tools.list({ toolkit: 'Mail', user_id });
    assert.deepEqual(
      items.map(({ name, requirements }) => [
        name,
        requirements?.met,
        requirements?.authorization?.token_status,
      ]),
      [
        ['Whoami', true, 'completed'],
        ['Send', false, 'not_started'],
        ['Signed', false, 'completed'],
        ['Free', true, undefined],
      ],
    );
    const others = await client.tools.get('Mail.Whoami', { user_id: newUser() });
    assert.equal(others.requirements?.authorization?.token_status, 'not_started');
  });

  it('lists the connections of users, and ends them here and at the provider', async () => {
    const user_id = newUser();
    const auth = await client.auth.start(user_id, 'google', { scopes: [readScope] });
    await consentAt(auth.url ?? '', { as: 'fay', allow: true });
    const { context } = await client.auth.waitForCompletion(auth);
    const found = [];
    for await (const one of admin.admin.userConnections.list({ user: { id: user_id } } as object))
      found.push(one);
    const [own] = (await admin.admin.userConnections.list({ user_id })).items;
    assert.ok(found.some(({ id }) => id === own?.id));
    assert.match(own?.id ?? '', /^con_/);
    assert.deepEqual(
      [own?.connection_status, own?.provider_id, own?.provider_type, own?.provider_description, own?.scopes],
      ['active', 'google', 'oauth2', 'Accounts at google', [readScope]],
    );
    assert.equal((own?.provider_user_info as { email?: string } | undefined)?.email, 'fay@example.com');
    assert.deepEqual((await admin.admin.userConnections.list({ user_id, provider_id: 'slack' })).items, []);
    assert.doesNotMatch(JSON.stringify(found), new RegExp(context?.token as string));

    await admin.admin.userConnections.delete(own?.id ?? '');
    assert.equal(world.google.grantOf(context?.token ?? ''), null);
    assert.deepEqual((await admin.admin.userConnections.list({ user_id })).items, []);
    await assert.rejects(
      client.tools.execute({ tool_name: 'Mail.Whoami', user_id }),
      Arcade.PermissionDeniedError,
    );
    await assert.rejects(admin.admin.userConnections.delete(own?.id ?? ''), Arcade.NotFoundError);
  });
});
