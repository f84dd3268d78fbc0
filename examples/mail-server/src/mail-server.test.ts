import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createMailServer } from './mail-server.ts';
import { signatureOf } from './mime-message.ts';
import { type StandIn, startStandIn } from './stand-in/stand-in.ts';

const client = { clientId: 'mail-story', clientSecret: 'a secret of the story' };
const readScope = 'https://www.googleapis.com/auth/gmail.readonly';
const sendScope = 'https://www.googleapis.com/auth/gmail.send';
const workerSecret = 'a worker secret of thirty-two bytes or more';
const [alice, bob] = ['alice@mail.example', 'bob@mail.example'];

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects; a wrong guess fails it.
type Json = any;

/** What a gateway does: one call, with what it gives to the tool. */
async function call(url: string, name: string, inputs: object, token?: string): Promise<Json> {
  const response = await fetch(`${url}/worker/tools/invoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${workerToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      tool: { name },
      inputs,
      context: {
        user_id: 'ann',
        ...(token !== undefined && { authorization: { token, user_info: {} } }),
        secrets: [{ key: 'MAIL_SIGNING_KEY', value: 'the signing key' }],
      },
    }),
  });
  return ((await response.json()) as Json).output;
}

function workerToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ aud: 'worker', ver: '1' })}`;
  return `${signed}.${createHmac('sha256', workerSecret).update(signed).digest('base64url')}`;
}

describe('the mail server', () => {
  let standIn: StandIn;
  let worker: { url: string; stop(): Promise<void> };

  before(async () => {
    standIn = await startStandIn({ port: 0, ...client });
    worker = await createMailServer({ apiUrl: standIn.url }).listen({ port: 0, workerSecret, env: {} });
  });
  after(async () => {
    await worker.stop();
    await standIn.stop();
  });

  async function tokensOf(account: string, scope: string): Promise<Json> {
    const redirect_uri = 'http://127.0.0.1/back';
    const consented = await fetch(`${standIn.url}/authorize`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({
        client_id: client.clientId,
        response_type: 'code',
        redirect_uri,
        scope,
        access_type: 'offline',
        account,
      }),
    });
    const code = new URL(consented.headers.get('location') ?? '').searchParams.get('code') ?? '';
    return ask({ grant_type: 'authorization_code', code, redirect_uri });
  }
  async function ask(form: Record<string, string>): Promise<Json> {
    const { clientId: client_id, clientSecret: client_secret } = client;
    const body = new URLSearchParams({ client_id, client_secret, ...form });
    return await (await fetch(`${standIn.url}/token`, { method: 'POST', body })).json();
  }
  const tokenOf = async (account: string, ...scopes: string[]) =>
    (await tokensOf(account, scopes.join(' '))).access_token as string;

  it('says whose mailbox it is, by the token and nothing else', async () => {
    for (const address of [alice, bob]) {
      const { value } = await call(worker.url, 'WhoAmI', {}, await tokenOf(address, readScope));
      assert.deepEqual(value, { userId: 'ann', address, messages: 1 });
    }
  });

  it('sends a message that is in both mailboxes afterwards, signed, in any script', async () => {
    const subject = `Lunch? ${randomUUID()} Žluťoučký kůň 🐎 and more words than one encoded word may hold`;
    const letter = { to: bob, subject, body: 'At noon.\n'.repeat(40) };
    const sent = await call(worker.url, 'SendMessage', letter, await tokenOf(alice, sendScope));
    assert.match(sent.value.id, /^msg-/);
    for (const address of [alice, bob]) {
      const token = await tokenOf(address, readScope);
      const { value } = await call(worker.url, 'ListMessages', { search: subject }, token);
      const [{ from, to, snippet }, ...others] = value;
      assert.deepEqual([from, to, snippet.slice(0, 8), others], [alice, bob, 'At noon.', []]);
      assert.equal(value[0].subject, subject);
      const url = `${standIn.url}/gmail/v1/users/me/messages/${value[0].id}`;
      const raw = (await (
        await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      ).json()) as Json;
      const signature = raw.payload.headers.find(({ name }: Json) => name === 'X-Agent-Signature').value;
      assert.equal(signature, signatureOf(letter, 'the signing key'));
    }
  });

  it('takes no subject that would add a header', async () => {
    const letter = { to: bob, subject: 'Hi\r\nBcc: eve@mail.example', body: '' };
    const { error } = await call(worker.url, 'SendMessage', letter, await tokenOf(alice, sendScope));
    assert.equal(error.kind, 'TOOL_RUNTIME_BAD_INPUT_VALUE');
    assert.match(error.message, /"subject": must be one line/);
  });

  it('says that the token is not taken any more, or does not suffice, or that there is none', async () => {
    const tokens = await tokensOf(alice, readScope);
    const refused = await call(
      worker.url,
      'SendMessage',
      { to: bob, subject: '', body: '' },
      tokens.access_token,
    );
    assert.deepEqual([refused.error.kind, refused.error.status_code], ['UPSTREAM_RUNTIME_AUTH_ERROR', 403]);
    const revoked = new URLSearchParams({ token: tokens.refresh_token });
    await fetch(`${standIn.url}/revoke`, { method: 'POST', body: revoked });
    const { error } = await call(worker.url, 'WhoAmI', {}, tokens.access_token);
    assert.deepEqual([error.kind, error.status_code], ['UPSTREAM_RUNTIME_AUTH_ERROR', 401]);
    assert.equal(
      (await ask({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).error,
      'invalid_grant',
    );
    const without = await call(worker.url, 'WhoAmI', {});
    assert.equal(without.error.kind, 'TOOL_REQUIREMENTS_NOT_MET');
  });

  it('gets a new access token for a refresh token, and none for another client', async () => {
    const { refresh_token } = await tokensOf(bob, readScope);
    const { access_token } = await ask({ grant_type: 'refresh_token', refresh_token });
    assert.equal((await call(worker.url, 'WhoAmI', {}, access_token)).value.address, bob);
    const foreign = { grant_type: 'refresh_token', refresh_token, client_secret: 'another' };
    assert.equal((await ask(foreign)).error, 'invalid_client');
  });
});

describe('the mail server before a mail service in trouble', () => {
  const answers: Record<string, [status: number, headers: Record<string, string>, kind: string]> = {
    'too many requests': [429, { 'retry-after': '7' }, 'UPSTREAM_RUNTIME_RATE_LIMIT'],
    'an error of its own': [503, {}, 'UPSTREAM_RUNTIME_SERVER_ERROR'],
    'something that is no JSON': [200, {}, 'UPSTREAM_RUNTIME_SERVER_ERROR'],
  };
  let status = 200;
  let headers = {};
  let service: Server;
  let worker: { url: string; stop(): Promise<void> };

  before(async () => {
    service = createServer((_request, response) => {
      response.writeHead(status, headers).end('<h1>the token was ya29.secret</h1>');
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const apiUrl = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    worker = await createMailServer({ apiUrl }).listen({ port: 0, workerSecret, env: {} });
  });
  after(() => worker.stop());

  for (const [name, [code, more, kind]] of Object.entries(answers)) {
    it(`tells ${name} in its own words`, async () => {
      [status, headers] = [code, more];
      const { error } = await call(worker.url, 'WhoAmI', {}, 'a token');
      assert.equal(error.kind, kind);
      assert.equal(error.retry_after_ms, code === 429 ? 7000 : null);
      assert.doesNotMatch(JSON.stringify(error), /ya29/);
    });
  }

  it('says that the service cannot be reached, and sends no message twice', async () => {
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    const read = await call(worker.url, 'WhoAmI', {}, 'a token');
    assert.deepEqual(
      [read.error.kind, read.error.can_retry],
      ['NETWORK_TRANSPORT_RUNTIME_UNREACHABLE', true],
    );
    const letter = { to: bob, subject: '', body: '' };
    assert.equal((await call(worker.url, 'SendMessage', letter, 'a token')).error.can_retry, false);
  });
});
