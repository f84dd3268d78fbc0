import { createHmac } from 'node:crypto';
import { notSupported, type ToolRef } from '../gateway-under-test.ts';
import type { Scenario, Stage } from '../scenario.ts';
import { type Captured, sendToWorker } from './worker-tap.ts';

const whoami: ToolRef = { toolkit: 'Github', tool: 'Whoami' };
const bruno = 'bruno@example.com';

/** Makes a call through the gateway, and gives what passed to the worker. */
async function captureCall({ gateway, upstreams, ...stage }: Stage): Promise<Captured> {
  if (typeof stage.worker === 'object') notSupported(stage.worker.notSupported);
  await stage.grant(bruno, [whoami]);
  const user = await stage.open('modern', bruno);
  const from = upstreams.tap.captured.length;
  const { isError, text } = await user.call(gateway.wireName(whoami));
  const captured = upstreams.tap.captured.slice(from).find(({ method }) => method === 'POST');
  if (isError || captured === undefined)
    throw new Error(`no call reached the worker through the gateway: ${text}`);
  return captured;
}

function tokenOf({ headers }: Captured): string {
  return headers.authorization?.replace(/^Bearer +/i, '') ?? '';
}

function claimsOf(request: Captured): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(tokenOf(request).split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return {};
  }
}

const tokens: Scenario = {
  title: 'the token of a request to a worker is short-lived and for that request alone',
  verifies: ['access.worker-bypass'],
  async run(stage) {
    const claims = claimsOf(await captureCall(stage));
    const life = Number(claims.exp) - Number(claims.iat);
    stage.check('it lives for 60 s at most', life <= 60, `exp - iat = ${life} s`);
    for (const name of ['jti', 'iss', 'digest']) {
      stage.check(
        `it carries ${name}`,
        typeof claims[name] === 'string' && claims[name] !== '',
        `${name}: ${claims[name]}`,
      );
    }
    const ids = stage.upstreams.tap.captured
      .filter((request) => tokenOf(request) !== '')
      .map((request) => claimsOf(request).jti);
    stage.check('no two requests carry the same', new Set(ids).size === ids.length, `${ids.length} requests`);
  },
};

const replay: Scenario = {
  title: 'a recorded request does not run at the worker again',
  verifies: ['access.worker-bypass'],
  async run(stage) {
    const captured = await captureCall(stage);
    await refusedAtWorker(stage, { 'sent again as it was': captured });
  },
};

const alteration: Scenario = {
  title: 'a request that never arrived does not run when it was altered',
  verifies: ['access.worker-bypass'],
  async run(stage) {
    const { gateway, upstreams, worker } = stage;
    if (typeof worker === 'object') notSupported(worker.notSupported);
    await stage.grant(bruno, [whoami]);
    const user = await stage.open('modern', bruno);
    const intercepted = upstreams.tap.interceptCall();
    await Promise.all([user.call(gateway.wireName(whoami)), intercepted]);
    const captured = await intercepted;
    const altered = (from: string, to: string): Captured => ({
      ...captured,
      body: Buffer.from(captured.body.toString().replaceAll(from, to)),
    });
    const claims = { ...claimsOf(captured), exp: Math.floor(Date.now() / 1000) + 3600 };
    const { authorization: _, ...withoutToken } = captured.headers;
    await refusedAtWorker(stage, {
      'with another user': altered(bruno, 'eve@example.com'),
      'with another tool': altered('Whoami', 'GetContributor'),
      'with one blank more': altered('{"', '{ "'),
      'with a query': { ...captured, path: `${captured.path}?a=1` },
      'as a request for the list': {
        ...captured,
        method: 'GET',
        path: '/worker/tools',
        body: Buffer.alloc(0),
      },
      'without its token': { ...captured, headers: withoutToken },
      'with a token signed with another secret': withToken(
        captured,
        signed(claims, 'not the secret of the worker'),
      ),
      'with a token that is not signed': withToken(captured, unsigned(claims)),
    });
  },
};

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (claims: object) => `${part({ alg: 'none' })}.${part(claims)}.`;

function signed(claims: object, secret: string): string {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function withToken(request: Captured, token: string): Captured {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

async function refusedAtWorker(
  { check, upstreams }: Stage,
  requests: Readonly<Record<string, Captured>>,
): Promise<void> {
  const ran = () =>
    ['Whoami', 'GetContributor'].reduce(
      (sum, tool) => sum + upstreams.desk.ran({ toolkit: 'Github', tool }),
      0,
    );
  for (const [how, request] of Object.entries(requests)) {
    const before = ran();
    const { status, body } = await sendToWorker(upstreams.workerUri, request);
    const more = ran() - before;
    check(
      `${how}, it is refused and nothing runs`,
      status === 401 && more === 0,
      `HTTP ${status}: ${body}; counter +${more}`,
    );
  }
}

export const bypass = [tokens, replay, alteration];
