import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createSealer, manualClock } from '#foundation';
import { createAttemptLimit } from './attempt-limit.ts';
import { createAttempts } from './attempts.ts';
import { createCookies } from './cookies.ts';
import { createFormGuard } from './form-guard.ts';
import { createOnward, ownSessions } from './onward.ts';

const sealer = createSealer(Buffer.alloc(32, 7));
const issuer = 'https://mcp.example.com';

function requestOf(headers: Record<string, string>, body = '', method = 'POST'): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  request.headers = {
    host: 'mcp.example.com',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  };
  request.push(body);
  request.push(null);
  return request;
}

const cookiesSet = (response: ServerResponse) => [response.getHeader('set-cookie') ?? []].flat().map(String);
const pairOf = (line: string | undefined) => line?.split(';')[0] ?? '';

function shown(about: string, at = issuer) {
  const clock = manualClock();
  const cookies = createCookies(() => at);
  const forms = createFormGuard({ cookies, sealer, clock, issuer: () => at });
  const request = requestOf({}, '', 'GET');
  const response = new ServerResponse(request);
  const token = forms.token(request, response, about);
  const [cookie] = cookiesSet(response);
  const send = (changes: Record<string, string | undefined> = {}, fields: Record<string, string> = {}) => {
    const headers = {
      origin: at,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: pairOf(cookie),
      ...changes,
    };
    const said = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const body = new URLSearchParams({ form_token: token, answer: 'allow', ...fields }).toString();
    return forms.read(requestOf(said as Record<string, string>, body), about);
  };
  return { clock, forms, send, token, cookie };
}

test('a form that we showed to this browser is read', async () => {
  const { send } = shown('consent 1');
  assert.equal((await send())?.get('answer'), 'allow');
  assert.equal((await send({ 'sec-fetch-site': undefined }))?.get('answer'), 'allow');
});

test('a form from another site, another browser or of another thing is not read', async () => {
  const { send, forms, token, cookie, clock } = shown('consent 1');
  assert.equal(await send({ origin: 'https://evil.example' }), null);
  assert.equal(await send({ origin: 'null' }), null);
  assert.equal(await send({ origin: 'http://mcp.example.com' }), null);
  assert.equal(await send({ origin: undefined }), null);
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal(await send({ 'sec-fetch-site': site }), null);
  assert.equal(await send({ cookie: undefined }), null);
  assert.equal(await send({ cookie: `${pairOf(cookie)}0` }), null);
  assert.equal(await send({}, { form_token: '' }), null);
  assert.equal(await send({ 'content-type': 'text/plain' }), null);
  assert.equal(await send({ 'content-length': String(1 << 20) }), null);
  const headers = {
    origin: issuer,
    cookie: pairOf(cookie),
    'content-type': 'application/x-www-form-urlencoded',
  };
  const body = new URLSearchParams({ form_token: token }).toString();
  assert.equal(await forms.read(requestOf(headers, body), 'consent 2'), null);
  assert.equal(await forms.read(requestOf(headers, body, 'GET'), 'consent 1'), null);
  assert.notEqual(await forms.read(requestOf(headers, body), ['consent 2', 'consent 1']), null);
  clock.advance(2 * 60 * 60_000);
  assert.equal(await send(), null);
});

test('over https every cookie is one that no other host and no script can set or read', () => {
  const { cookie } = shown('x');
  assert.match(cookie ?? '', /^__Host-sallyport_form=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const { cookie: onLoopback } = shown('x', 'http://127.0.0.1:9099');
  assert.match(onLoopback ?? '', /^sallyport_form=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
});

test('over https a cookie without the prefix, which another host may have set, is not read', () => {
  const cookies = createCookies(() => issuer);
  assert.equal(cookies.read(requestOf({ cookie: 'sallyport_sign_in=evil' }), 'sallyport_sign_in'), null);
  const both = requestOf({ cookie: 'sallyport_sign_in=evil; __Host-sallyport_sign_in=ours' });
  assert.equal(cookies.read(both, 'sallyport_sign_in'), 'ours');
});

function attemptsOf() {
  const clock = manualClock();
  const attempts = createAttempts(
    createCookies(() => issuer),
    sealer,
    clock,
  );
  const begin = (state: string, cookie = '', sourceId = 'corp') => {
    const request = requestOf({ cookie });
    const response = new ServerResponse(request);
    const attempt = {
      sourceId,
      projectId: 'default',
      state,
      nonce: 'n',
      codeVerifier: 'SECRET',
      goOnAt: '/',
    };
    attempts.keep(request, response, { attempt, way: ownSessions, invitedEmail: null });
    return cookiesSet(response);
  };
  const take = (state: string, cookie: string, sourceId = 'corp') => {
    const request = requestOf({ cookie });
    return attempts.take(request, new ServerResponse(request), state, sourceId);
  };
  return { clock, begin, take };
}

test('two tabs sign in at the same time, each with its own attempt', () => {
  const { begin, take } = attemptsOf();
  const jar = `${pairOf(begin('one')[0])}; ${pairOf(begin('two')[0])}`;
  assert.equal(take('one', jar)?.attempt.state, 'one');
  assert.equal(take('two', jar)?.attempt.state, 'two');
});

test('an attempt opens for its own state and source, for ten minutes, and tells nothing', () => {
  const { begin, take, clock } = attemptsOf();
  const [line = ''] = begin('one');
  assert.match(
    line,
    /^__Host-sallyport_attempt_[0-9a-f]{24}=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
  );
  assert.ok(
    !line.includes('SECRET') && !Buffer.from(line.split('=')[1] ?? '', 'base64url').includes('SECRET'),
  );
  const other = pairOf(begin('two')[0]).split('=')[1];
  assert.equal(take('one', pairOf(line), 'other'), null);
  assert.equal(take('one', `${pairOf(line).split('=')[0]}=${other}`), null);
  assert.equal(take('', pairOf(line)), null);
  clock.advance(10 * 60_000);
  assert.equal(take('one', pairOf(line)), null);
});

test('a browser carries at most six attempts', () => {
  const { begin } = attemptsOf();
  const jar = Array.from({ length: 9 }, (_, at) => pairOf(begin(`state ${at}`)[0]));
  const lines = begin('one more', jar.join('; '));
  assert.equal(lines.filter((line) => line.includes('Max-Age=0')).length, 4);
});

test('where to go on is only what we wrote ourselves, and not long ago', () => {
  const clock = manualClock();
  const onward = createOnward(sealer, clock);
  const text = onward.seal(ownSessions);
  assert.deepEqual(onward.open(text), ownSessions);
  for (const forged of ['', 'https://evil.example', '//evil.example', text.slice(1), `${text}A`]) {
    assert.equal(onward.open(forged), null);
  }
  clock.advance(60 * 60_000);
  assert.equal(onward.open(text), null);
});

test('who fails too often waits a minute, and nobody else does', () => {
  const clock = manualClock();
  const limit = createAttemptLimit(clock);
  for (let at = 0; at < 20; at++) {
    assert.equal(limit.isOver('10.0.0.1'), false);
    limit.failed('10.0.0.1');
  }
  assert.equal(limit.isOver('10.0.0.1'), true);
  assert.equal(limit.isOver('10.0.0.2'), false);
  clock.advance(60_000);
  assert.equal(limit.isOver('10.0.0.1'), false);
});
