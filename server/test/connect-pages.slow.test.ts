import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noChromium, startChromium } from './chromium.ts';
import { addIssuer, type Connecting, startConnecting } from './connecting.ts';
import type { Json } from './start-app.ts';

/** Where pictures of the pages go, for people who want to look at them. */
const shots = process.env.SALLYPORT_TEST_SCREENSHOTS;

describe('accounts at other systems, in a real browser', { skip: noChromium }, () => {
  let at: Connecting;
  let browser: Browser;
  /** The application that the agent belongs to. */
  let app: Server;
  let origin: string;
  let visits: URL[] = [];

  before(async () => {
    at = await startConnecting();
    browser = await startChromium();
    app = createServer((request, response) => {
      const url = new URL(request.url ?? '/', origin);
      if (url.pathname !== '/favicon.ico') visits.push(url);
      response.setHeader('content-type', 'text/html').end('The application');
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    await at.provider({
      id: 'keyed',
      type: 'api_key',
      description: 'Tickets',
      entry: { instructions: 'You find the key in your profile there.' },
    });
  });
  after(async () => {
    await browser.close();
    app.close();
    await at.close();
  });

  async function newPage(
    options: { readonly dark?: true; readonly phone?: true; readonly script?: false } = {},
  ) {
    const context = await browser.newContext({
      colorScheme: options.dark === true ? 'dark' : 'light',
      viewport: options.phone === true ? { width: 375, height: 740 } : { width: 1100, height: 800 },
      javaScriptEnabled: options.script !== false,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // A page that says what went wrong has the status of a mistake, and browsers ask for icons by themselves.
      const isExpected = /favicon\.ico/.test(message.location().url) || /status of 40/.test(message.text());
      if (message.type() === 'error' && !isExpected) complaints.push(message.text());
    });
    return { page, context, complaints };
  }

  async function look(page: Page, name: string): Promise<void> {
    const isWithin = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
    assert.ok(await page.evaluate(isWithin), `${name} is wider than its window`);
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  }

  async function signIn(page: Page, login: string): Promise<void> {
    await page.goto(`${at.url}/connect`);
    await page.getByRole('link', { name: 'Continue with Company corp' }).click();
    await page.getByRole('button', { name: login }).click();
    await page.getByRole('heading', { name: 'Your connections' }).waitFor();
  }

  async function allow(page: Page, login: string): Promise<void> {
    await page.getByLabel('Who are you?').fill(login);
    await page.getByRole('button', { name: 'Allow' }).click();
  }

  for (const script of [true, false]) {
    test(`who is nobody here is asked once, allows it there, and it is connected, ${script ? 'with' : 'without'} scripts`, async () => {
      const user = `visitor-${script}`;
      const { id, url } = await at.authorize(user, { scopes: ['repo', 'read:user'] });
      const { page, context, complaints } = await newPage(script ? {} : { script, phone: true, dark: true });
      await page.goto(url);
      await page.getByRole('heading', { name: /^Connect / }).waitFor();
      if (script) await look(page, 'connect-ask');
      await page.getByRole('button', { name: /^Go on to/ }).click();
      await allow(page, 'ann');
      await page.getByRole('heading', { name: /is connected/ }).waitFor();
      if (script) await look(page, 'connect-done');
      assert.equal(page.url(), `${at.url}/connect/done/${id}`);
      assert.equal((await at.status(id)).status, 'completed');
      await page.goto(url);
      await page.getByRole('heading', { name: /is connected/ }).waitFor();
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }

  test('a person sees, connects, mends, names and ends their accounts', async () => {
    const { page, context, complaints } = await newPage();
    await page.goto(`${at.url}/connect`);
    await page.getByRole('heading', { name: 'Sign in to see your connections' }).waitFor();
    await look(page, 'connections-sign-in');
    await signIn(page, 'alice');
    await look(page, 'connections-empty');
    await page.getByRole('button', { name: /^Connect: .*github/i }).click();
    await allow(page, 'work');
    await page.getByRole('link', { name: 'your connections' }).click();
    await page.getByRole('button', { name: /^Connect another account: .*github/i }).click();
    await allow(page, 'home');
    await page.getByRole('heading', { name: /is connected/ }).waitFor();
    await page.goto(`${at.url}/connect`);
    await page.getByText('Name, gateways and tools').first().click();
    await look(page, 'connections');
    await page.getByText('Name, gateways and tools').first().click();
    const home = page.getByRole('region', { name: /home/ });
    const work = page.getByRole('region', { name: /work/ });
    await home.getByText('used unless another one is chosen').waitFor();
    await work.getByRole('button', { name: /Use by default/ }).click();
    await work.getByText('used unless another one is chosen').waitFor();
    await home.getByText('Name, gateways and tools').click();
    await home.getByLabel('What you call it').fill('Private');
    await home.getByLabel('Use it at these gateways').fill('evenings, weekends');
    await home.getByRole('button', { name: 'Save' }).click();
    const named = page.getByRole('region', { name: /Private/ });
    await named.getByText('gateways: evenings, weekends').waitFor();
    await look(page, 'connections-changed');
    await named.getByRole('button', { name: /^Disconnect/ }).click();
    await page.getByText(/Private is disconnected/).waitFor();
    await look(page, 'connections-disconnected');
    assert.equal(await named.count(), 0);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('what was not allowed is told at once, on the page of one’s own, and to who asked', async () => {
    const { page, context } = await newPage({ phone: true, dark: true });
    await signIn(page, 'bob');
    const { id, url } = await at.authorize('bob@example.com');
    await page.goto(url);
    await page.getByLabel('Who are you?').fill('bob');
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'It could not be connected' }).waitFor();
    await look(page, 'connect-failed-phone-dark');
    assert.equal(new URL(page.url()).search, '');
    const told: Json = await at.status(id);
    assert.deepEqual([told.status, told.error.code], ['failed', 'access_denied']);
    await page.getByRole('link', { name: 'Your connections' }).click();
    await page.getByRole('heading', { name: 'What did not work lately' }).waitFor();
    await page.getByText('access_denied').waitFor();
    await look(page, 'connections-phone-dark');
    await context.close();
  });

  test('a link for somebody else leads to the right sign-in', async () => {
    const { page, context } = await newPage();
    await signIn(page, 'alice');
    const idp = await addIssuer(at, 'dora');
    const { url } = await at.authorize('dora@example.com');
    await page.goto(url);
    await page.getByRole('heading', { name: 'This link is for somebody else' }).waitFor();
    await look(page, 'connect-somebody-else');
    await page.getByRole('link', { name: 'Continue with Company of dora' }).click();
    await page.getByRole('button', { name: 'dora' }).click();
    await page.getByLabel('Who are you?').waitFor();
    await idp.close();
    await context.close();
  });

  test('what users enter is entered once, hidden', async () => {
    const { id, url } = await at.authorize('visitor-with-a-key', { provider: 'keyed', scopes: [] });
    const { page, context, complaints } = await newPage({ phone: true });
    await page.goto(url);
    await page.getByText('You find the key in your profile there.').waitFor();
    await look(page, 'connect-entry-phone');
    await page.getByRole('textbox').fill('key-of-the-visitor');
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: /is connected/ }).waitFor();
    assert.equal((await at.status(id)).status, 'completed');
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('a project with a verifier of its own has the browser sent there, and on from there', async () => {
    const settings = '/v1/admin/settings/session_verification';
    const { api } = at.signing.server;
    assert.ok((await api('PUT', settings, { verifier_url: `${origin}/verify` })).ok);
    visits = [];
    const { id, url } = await at.authorize('user-of-the-app');
    const { page, context } = await newPage();
    await page.goto(url);
    await allow(page, 'ann');
    await page.getByText('The application').waitFor();
    const flowId = visits[0]?.searchParams.get('flow_id');
    assert.ok(flowId);
    assert.notEqual((await at.status(id)).status, 'completed');
    await page.goto(`${at.url}/connect/done/${id}`);
    await page.getByRole('heading', { name: 'Almost done' }).waitFor();
    const confirmed = await api('POST', '/v1/auth/confirm_user', {
      flow_id: flowId,
      user_id: 'user-of-the-app',
    });
    assert.deepEqual(await confirmed.json(), { auth_id: id });
    await page.goto(`${at.url}/connect/done/${id}`);
    await page.getByRole('heading', { name: /is connected/ }).waitFor();
    await api('PUT', settings, { verifier_url: null });
    await context.close();
  });
});
