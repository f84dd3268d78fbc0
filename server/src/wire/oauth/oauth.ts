import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import { refusal } from '#domain';
import type { Egress } from '#egress';
import { type Clock, randomHex, type Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import { readBody } from '../http/body.ts';
import type { Front } from '../http/server.ts';
import { deviceDonePage } from '../pages/device-pages.ts';
import { documentOf, pageHeaders } from '../pages/page.ts';
import { problemPage } from '../pages/problem-page.ts';
import { createCookies } from '../sign-in/cookies.ts';
import { createFormGuard } from '../sign-in/form-guard.ts';
import { actingBody } from './acting-body.ts';
import { answerBy, requestFor } from './asked.ts';
import { actingParameters } from './asked-parameters.ts';
import { createAsking } from './asking.ts';
import { createAuthorizations } from './authorizations.ts';
import { createBrowserBinding } from './browser-binding.ts';
import { createClientDocuments } from './client-documents.ts';
import type { Authorizations } from './contract.ts';
import { createDevicePage } from './device.ts';
import { createGrants } from './grants/grants.ts';
import { createPeopleOfTokens } from './people.ts';
import { createProvider, interactionLifeS, resourceServerOf } from './provider.ts';
import { createRecords } from './records.ts';
import { createTargets } from './targets.ts';
import { answerPreflight, openToAll, wellKnown } from './well-known.ts';

export interface OAuthDeps {
  readonly identity: Identity;
  readonly catalog: Catalog;
  readonly audit: Audit;
  readonly db: Db;
  readonly changes: Changes;
  readonly egress: Egress;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
}

export interface OAuth {
  readonly fronts: readonly Front[];
  readonly authorizations: Authorizations;
}

/** The authorization server: gives clients tokens for what people let them use. */
export function createOAuth(deps: OAuthDeps): OAuth {
  const { identity, issuer, clock, sealer, log } = deps;
  const cookies = createCookies(issuer);
  const targets = createTargets(deps);
  const people = createPeopleOfTokens({ identity, cookies });
  const asking = createAsking({ identity, people, targets });
  const binding = createBrowserBinding(cookies, sealer);
  const records = createRecords({
    ...deps,
    gatewayIdOf: (resource) => targets.ofResource(resource)?.gateway?.id ?? '',
  });
  const grants = createGrants({
    ...deps,
    gatewayAt: (resource) => targets.ofResource(resource)?.gateway ?? null,
    resourceServer: async (_ctx, resource, { clientId }) =>
      resourceServerOf(resource, clientId, { targets, grants, keys: identity.signingKeys.current() }),
  });
  const documents = createClientDocuments(deps);
  const forms = createFormGuard({ cookies, sealer, clock, issuer });
  const device = createDevicePage({ clock, targets, forms });

  let making: Promise<Provider> | null = null;
  identity.signingKeys.onChange(() => {
    making = null;
  });

  function provider(): Promise<Provider> {
    making ??= make().catch((error) => {
      making = null;
      throw error;
    });
    return making;
  }

  async function make(): Promise<Provider> {
    const made = createProvider({
      issuer: issuer(),
      keys: await identity.signingKeys.ready(),
      clock,
      records,
      people,
      targets,
      asking,
      grants,
      ...documents,
      showError: async (ctx, out, error) => await showProblem(ctx, out, error, log),
      device: {
        asks: async (ctx, problem) => await device.ask(ctx.req, ctx.res, problem),
        done: async (ctx) =>
          await show(ctx, deviceDonePage({ clientName: ctx.oidc.client?.clientName ?? '' })),
      },
    });
    made.on('interaction.started', (ctx) => {
      const { uid } = ctx.oidc.entities.Interaction as { uid: string };
      binding.bind(ctx.req, ctx.res, uid, interactionLifeS);
    });
    made.on('interaction.ended', (ctx) => {
      const { uid } = ctx.oidc.entities.Interaction as { uid: string };
      binding.release(ctx.res, uid);
    });
    made.on('server_error', (_ctx, error) => log.error({ err: error }, 'the authorization server failed'));
    return made;
  }

  async function serveWellKnown(request: IncomingMessage, response: ServerResponse): Promise<void> {
    openToAll(response);
    if (request.method === 'OPTIONS') return answerPreflight(response, 'GET');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const found = isRead ? wellKnown(request, issuer(), targets) : null;
    if (found === null) return nothingHere(request, response);
    if (found.kind === 'resource') return json(response, 200, found.document);
    const asked = requestFor(issuer(), request, { method: 'GET', url: found.path });
    await answerBy(await provider(), asked, response);
  }

  /** Endpoints of clients: they carry all that counts, and no cookie is looked at. */
  async function serveClient(request: IncomingMessage, response: ServerResponse): Promise<void> {
    openToAll(response);
    if (request.method === 'OPTIONS') return answerPreflight(response, 'GET, POST');
    delete request.headers.cookie;
    const method = request.method ?? 'GET';
    const url = (request.url ?? '/').replace(/\?.*$/, '');
    let body: string | null = null;
    if (method === 'POST') {
      const read = await readBody(request);
      if (!read.ok || read.value.length > maxBodyBytes) {
        return json(response, 413, {
          error: 'invalid_request',
          error_description: 'the request is too large',
        });
      }
      body = await actingBody(url, request, read.value.toString('utf8'), {
        targets,
        provider: await provider(),
      });
    }
    await answerBy(await provider(), requestFor(issuer(), request, { method, url, body }), response);
  }

  async function serveBrowser(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '/').split('?', 2);
    const uid = binding.uidOf(request);
    const method = request.method ?? 'GET';
    const isBegun = path === '/oauth2/authorize';
    const acting = isBegun ? actingParameters(new URLSearchParams(query), targets).toString() : query;
    const url = acting === '' ? path : `${path}?${acting}`;
    await answerBy(await provider(), requestFor(issuer(), request, { method, url, uid }), response);
  }

  async function serveDevice(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (path !== '/oauth2/device') return await serveBrowser(request, response);
    const body = await device.serve(request, response, await provider());
    if (body === null) return;
    const asked = requestFor(issuer(), request, { method: 'POST', url: path, body });
    await answerBy(await provider(), asked, response);
  }

  const served =
    (serve: Front['serve']): Front['serve'] =>
    async (request, response) => {
      try {
        await serve(request, response);
      } catch (error) {
        log.error({ err: error }, 'the authorization server failed');
        if (response.headersSent) response.destroy();
        else json(response, 500, { error: 'server_error' });
      }
    };

  return {
    authorizations: createAuthorizations({ identity, clock, issuer, targets, people, binding, provider }),
    fronts: [
      { at: '/.well-known/', open: true, serve: served(serveWellKnown) },
      { at: '/mcp/', open: true, serve: served(serveWellKnown) },
      ...['token', 'register', 'revoke', 'jwks'].map(
        (name): Front => ({ at: `/oauth2/${name}`, open: true, serve: served(serveClient) }),
      ),
      { at: '/oauth2/device_authorization', serve: served(serveClient) },
      { at: '/oauth2/authorize', serve: served(serveBrowser) },
      { at: '/oauth2/device', serve: served(serveDevice) },
    ],
  };
}

/** More than any request of a client that has a purpose. */
const maxBodyBytes = 32 * 1024;

type Shown = Parameters<typeof documentOf>[0];

async function show(ctx: KoaContextWithOIDC, page: Shown): Promise<void> {
  ctx.set(pageHeaders(page.script));
  ctx.body = await documentOf(page);
}

/** For a person: what happened, what to do, and by which reference its cause is found in the log. */
async function showProblem(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error, log: Log): Promise<void> {
  const reference = `ref_${randomHex(6)}`;
  const detail = (error as { error_detail?: string }).error_detail;
  log.warn(
    { reference, error: out.error, reason: detail ?? out.error_description },
    'a client could not be served',
  );
  await show(
    ctx,
    problemPage({
      title: 'This application cannot be connected',
      words:
        out.error_description ?? 'The request of the application is not one that this server understands.',
      advice:
        'Go back to the application, and connect again. If it happens again, tell whoever runs this server the reference below.',
      reference,
    }),
  );
}

function nothingHere(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').replace(/\?.*$/, '').slice(0, 200);
  const { code, message } = refusal('resource.unknown', `there is nothing at ${path}`);
  json(response, 404, { name: code, message });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
