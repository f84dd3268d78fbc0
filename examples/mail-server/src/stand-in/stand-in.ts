import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Accounts, createAccounts } from './accounts.ts';
import { consentPage } from './consent-page.ts';
import { createMailboxes, type Mailboxes } from './mailboxes.ts';

/** Google's sign-in and Gmail in small, on loopback: for whoever has no Google credentials at hand. It forgets all when it ends. */
export interface StandIn {
  readonly url: string;
  readonly accounts: Accounts;
  stop(): Promise<void>;
}

export interface StandInOptions {
  /** 0 takes any free port. */
  port: number;
  clientId: string;
  clientSecret: string;
  /** How long an access token is good for. */
  lifeS?: number;
}

export async function startStandIn({ port, clientId, clientSecret, lifeS = 3600 }: StandInOptions) {
  const accounts = createAccounts({ clientId, clientSecret, lifeS, nowMs: Date.now });
  const mailboxes = createMailboxes(['alice@mail.example', 'bob@mail.example']);
  const server = createServer((request, response) => {
    answer(request, response, accounts, mailboxes).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    accounts,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  } satisfies StandIn;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  accounts: Accounts,
  mailboxes: Mailboxes,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const body = await text(request);
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /authorize': {
      const problem = accounts.problemOf(url.searchParams);
      if (problem !== null) return html(response, 400, `<p>${problem}</p>`);
      return html(response, 200, consentPage(url.searchParams, mailboxes.addresses));
    }
    case 'POST /authorize': {
      const back = accounts.consent(new URLSearchParams(body));
      return void response
        .writeHead(back === null ? 400 : 303, back === null ? {} : { location: back })
        .end();
    }
    case 'POST /token': {
      const given = accounts.token(new URLSearchParams(body), request.headers.authorization);
      return json(response, 'error' in given ? 400 : 200, given);
    }
    case 'POST /revoke':
      accounts.revoke(new URLSearchParams(body).get('token') ?? '');
      return json(response, 200, {});
  }
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const grant = accounts.grantOf(token);
  if (grant === null) return json(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED' } });
  if (url.pathname === '/userinfo')
    return json(response, 200, { sub: `id-of-${grant.user}`, email: grant.user });
  const { status, body: told } = mailboxes.answer(`${request.method}`, url, body, grant);
  json(response, status, told);
}

function html(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><title>Stand-in for Google</title>${body}`);
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
