import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { requestClaims, signWorkerToken } from '../test/sign-worker-token.ts';
import { createServer } from './index.ts';

const secret = 'a worker secret of thirty-two bytes or more';
const app = createServer({ name: 'Kit', version: '1.0.0' });
let runs = 0;
app.tool({ name: 'Count', description: 'Count' }, () => ++runs);
app.tool({ name: 'Whoami', description: 'Whoami' }, (_input, { userId }) => userId);
const strict = await app.listen({ port: 0, workerSecret: secret, strict: true, env: {} });
after(() => strict.stop());

interface Sent {
  method: string;
  target: string;
  body?: string;
}
const call: Sent = {
  method: 'POST',
  target: '/worker/tools/invoke',
  body: JSON.stringify({ tool: { name: 'Count', toolkit: 'Kit' }, inputs: {} }),
};
const list: Sent = { method: 'GET', target: '/worker/tools' };
const seconds = () => Math.floor(Date.now() / 1000);
const tokenFor = (sent: Sent, more: object = {}) =>
  signWorkerToken(secret, { ...requestClaims(seconds(), sent), ...more });

/** Sends the request as it stands, with the token; gives the status and the answer. */
async function send(sent: Sent, token: string): Promise<[status: number | undefined, answer: unknown]> {
  return await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const request = httpRequest(strict.url + sent.target, { method: sent.method, headers }, (response) => {
      text(response).then((answer) => resolve([response.statusCode, JSON.parse(answer)]), reject);
    });
    request.on('error', reject).end(sent.body);
  });
}

const refusal = (problem: string) => [401, { detail: `Invalid token. Error: ${problem}` }];

describe('a strict worker', () => {
  it('takes a request with a token of its own', async () => {
    assert.equal((await send(list, tokenFor(list)))[0], 200);
    const before = runs;
    assert.equal((await send(call, tokenFor(call)))[0], 200);
    assert.equal(runs, before + 1);
  });

  it('runs a request that comes twice once', async () => {
    const before = runs;
    const token = tokenFor(call);
    const [first, second] = await Promise.all([send(call, token), send(call, token)]);
    const refused = first[0] === 200 ? second : first;
    assert.deepEqual(refused, refusal('The token was used before'));
    assert.equal(runs, before + 1);
  });

  it('does not run a request that was altered, whatever was altered', async () => {
    const before = runs;
    const whoami = call.body?.replace('Count', 'Whoami') ?? '';
    for (const altered of [
      { ...call, body: whoami },
      { ...call, body: `${call.body} ` },
      { ...call, body: '' },
      { ...call, target: '/worker/tools/invoke?x=1' },
    ]) {
      const answer = await send(altered, tokenFor(call));
      assert.deepEqual(answer, refusal('The digest is not that of this request'), JSON.stringify(altered));
    }
    assert.deepEqual(await send(call, tokenFor(list)), refusal('The digest is not that of this request'));
    assert.deepEqual(
      await send(list, tokenFor({ ...list, method: 'POST' })),
      refusal('The digest is not that of this request'),
    );
    assert.equal(runs, before);
  });

  it('refuses a token as stock gateways sign them, and says what it misses', async () => {
    assert.deepEqual(await send(list, signWorkerToken(secret)), refusal('Token is missing the "iat" claim'));
  });

  it('takes a token of a gateway whose clock is ten seconds off, as it dates tokens back', async () => {
    const ahead = { iat: seconds() - 10 + 9, exp: seconds() + 45 + 9 };
    const behind = { iat: seconds() - 10 - 40, exp: seconds() + 45 - 40 };
    for (const times of [ahead, behind]) assert.equal((await send(list, tokenFor(list, times)))[0], 200);
    const future = tokenFor(list, { iat: seconds() + 30 });
    assert.deepEqual(await send(list, future), refusal('The token is not yet valid (iat)'));
  });

  it('takes no worker token at /mcp, where a header names the user', async () => {
    const sent = { method: 'POST', target: '/mcp', body: '{}' };
    const [status, answer] = await send(sent, tokenFor(sent));
    assert.equal(status, 401);
    assert.match(JSON.stringify(answer), /on \/worker only/);
  });

  it('reads nothing of a request whose token is not good', async () => {
    const headers = { authorization: `Bearer ${signWorkerToken('other')}` };
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(strict.url + call.target, { method: 'POST', headers }, (response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      request.on('error', reject);
      request.write('{');
    });
    assert.equal(answer, 401);
  });
});
