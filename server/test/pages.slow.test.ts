import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { ownerLink } from '#compose';
import { systemClock } from '#foundation';
import { noChromium, startChromium } from './chromium.ts';
import { type SigningIn, startSigningIn } from './signing-in.ts';

/** Where pictures of the pages go, for people who want to look at them. */
const shots = process.env.SALLYPORT_TEST_SCREENSHOTS;

describe('in a real browser', { skip: noChromium }, () => {
  let signing: SigningIn;
  let browser: Browser;
  /** The client that waits on another port, and a site of somebody else. */
  let client: Server;
  let origin: string;
  let received: URL[] = [];

  before(async () => {
    signing = await startSigningIn(`
gateways:
  - slug: members
    name: The members' gateway
    auth_types: [arcade_header, arcade]
    tool_filter: { allowed_tools: ['*'] }
`);
    browser = await startChromium();
    client = createServer((request, response) => {
      const url = new URL(request.url ?? '/', origin);
      if (url.pathname === '/callback') received.push(url);
      response.setHeader('content-type', 'text/html');
      response.end(
        url.pathname === '/frame' ? `<iframe src="${url.searchParams.get('of')}"></iframe>` : 'Connected',
      );
    });
    client.listen(0, '127.0.0.1');
    await once(client, 'listening');
    origin = `http://127.0.0.1:${(client.address() as AddressInfo).port}`;
  });
  after(async () => {
    await browser.close();
    client.close();
    await signing.close();
  });

  /** A page of a new browser, and what it complained of. */
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
      // Icons, for which browsers ask by themselves.
      const isIcon = message.location().url.endsWith('/favicon.ico');
      if (message.type() === 'error' && !isIcon) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    return { page, context, complaints };
  }

  async function look(page: Page, name: string): Promise<void> {
    assert.ok(await isWithinWidth(page), `${name} is wider than its window`);
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  }

  const isWithinWidth = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

  const authorization = (name = 'Claude Code') =>
    signing.authorization('members', { client_name: name, redirect_uris: [`${origin}/callback`] });

  for (const script of [true, false]) {
    test(`a person signs in, allows, and arrives at the client, ${script ? 'with' : 'without'} scripts`, async () => {
      received = [];
      const { page, context, complaints } = await newPage(script ? {} : { script });
      await page.goto((await authorization()).url);
      await page.getByRole('button', { name: 'alice' }).click();
      await page.getByRole('heading', { name: 'Allow Claude Code to act as you?' }).waitFor();
      if (script) await look(page, 'consent');
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      await page.waitForURL(`${origin}/callback**`);
      assert.equal(await page.textContent('body'), 'Connected');
      assert.ok(received[0]?.searchParams.get('code'));
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }

  test('who does not allow it arrives there, too, and going back shows nothing to press', async () => {
    received = [];
    const { page, context } = await newPage();
    await page.goto((await authorization()).url);
    await page.getByRole('button', { name: 'alice' }).click();
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await page.waitForURL(`${origin}/callback**`);
    assert.equal(received[0]?.searchParams.get('error'), 'access_denied');
    await page.goBack();
    await page.getByRole('heading', { name: 'This sign-in is over' }).waitFor();
    await context.close();
  });

  test('the one-time link fills itself in, leaves the address, and signs in', async () => {
    await signing.server.app.rooms.identity.userSources.remove('default', 'corp');
    const link = (await ownerLink(signing.server.app, { atTerminal: true, clock: systemClock })) ?? '';
    const { page, context, complaints } = await newPage({ phone: true, dark: true });
    await page.goto(link);
    assert.equal(await page.inputValue('#link'), link.split('#')[1]);
    assert.equal(page.url(), link.split('#')[0]);
    await look(page, 'link-phone-dark');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail address').fill('owner@example.com');
    await look(page, 'email-phone-dark');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'You are signed in as owner@example.com' }).waitFor();
    await look(page, 'sessions-phone-dark');
    assert.deepEqual(complaints, []);
    await context.close();
    await signing.addSource('corp');
  });

  test('the page of a gateway copies commands, and its text can be taken without scripts', async () => {
    const { page, context, complaints } = await newPage();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${signing.server.url}/mcp/members`);
    await page.getByRole('button', { name: 'Copy: command for Claude Code' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    assert.equal(copied, `claude mcp add --transport http members ${signing.server.url}/mcp/members`);
    await look(page, 'gateway');
    assert.deepEqual(complaints, []);
    await context.close();
    const plain = await newPage({ script: false, phone: true, dark: true });
    await plain.page.goto(`${signing.server.url}/mcp/members`);
    assert.equal(await plain.page.getByRole('button').count(), 0);
    await look(plain.page, 'gateway-phone-dark');
    await plain.context.close();
  });

  test('no page of ours shows in a frame of somebody else', async () => {
    const { page, context } = await newPage();
    const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
    await page.goto(`${origin}/frame?of=${encodeURIComponent(`${signing.server.url}/oauth2/sessions`)}`);
    await refused;
    await context.close();
  });

  test('a form of somebody else ends no session', async () => {
    const { page, context } = await newPage();
    await page.goto(`${signing.server.url}/oauth2/sign_in/default/corp`);
    await page.getByRole('button', { name: 'alice' }).click();
    await page.getByRole('heading', { name: 'You are signed in as alice@example.com' }).waitFor();
    const token = await page.locator('input[name=form_token]').first().inputValue();
    // On loopback the server lets pages of other ports ask; its forms are its own all the same.
    await page.goto(origin);
    await page.setContent(
      `<form method="post" action="${signing.server.url}/oauth2/sign_out"><input name="form_token" value="${token}"><button>Win a prize</button></form>`,
    );
    await page.getByRole('button').click();
    await page.getByRole('heading', { name: 'This sign-in is over' }).waitFor();
    await page.goto(`${signing.server.url}/oauth2/sessions`);
    await page.getByRole('heading', { name: 'You are signed in as alice@example.com' }).waitFor();
    await look(page, 'sessions');
    await context.close();
  });

  test('what others call themselves runs nowhere', async () => {
    const { page, context } = await newPage();
    let ran = false;
    page.on('dialog', (dialog) => {
      ran = true;
      void dialog.dismiss();
    });
    await page.goto((await authorization('"><script>alert(1)</script><img src=x onerror=alert(1)>')).url);
    await page.getByRole('button', { name: 'alice' }).click();
    await page.getByRole('heading', { name: /^Allow "><script>/ }).waitFor();
    await look(page, 'hostile');
    assert.equal(ran, false);
    await context.close();
  });

  test('a device is connected, though its form leads to the issuer', async () => {
    const device = await fetch(`${signing.server.url}/oauth2/device_authorization`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: (
          await signing.authorization('members', {
            client_name: 'Build machine',
            grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
          })
        ).clientId,
        resource: `${signing.server.url}/mcp/members`,
        scope: 'openid mcp',
      }),
    });
    const { user_code: code, verification_uri: at } = (await device.json()) as Record<string, string>;
    const { page, context } = await newPage({ phone: true });
    await page.goto(at as string);
    await page.getByLabel('Code').fill(code as string);
    await look(page, 'device-code-phone');
    await page.getByRole('button', { name: 'Continue' }).click();
    await look(page, 'device-confirm-phone');
    await page.getByRole('button', { name: /same code/ }).click();
    await page.getByRole('button', { name: 'alice' }).click();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('heading', { name: 'The device is connected' }).waitFor();
    await context.close();
  });
});
