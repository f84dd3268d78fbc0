import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Log } from '#telemetry';
import { readBody } from '../http/body.ts';
import type { Front } from '../http/server.ts';
import { actingBody } from './acting-body.ts';
import { json, nothingHere } from './answers.ts';
import { answerBy, requestFor } from './asked.ts';
import { actingParameters } from './asked-parameters.ts';
import type { BrowserBinding } from './browser-binding.ts';
import type { DevicePage } from './device.ts';
import type { Targets } from './targets.ts';
import { answerPreflight, openToAll, wellKnown } from './well-known.ts';

/** More than any request of a client that has a purpose. */
const maxBodyBytes = 32 * 1024;
/** What a client asks of a browser is kept until somebody answers. */
const maxAddressLength = 8 * 1024;

export interface EndpointsDeps {
  readonly issuer: () => string;
  readonly log: Log;
  readonly targets: Targets;
  readonly binding: BrowserBinding;
  readonly device: DevicePage;
  readonly provider: () => Promise<Provider>;
}

/** What is served where, and what of a request the library gets to see. */
export function createEndpoints(deps: EndpointsDeps): readonly Front[] {
  const front = (at: string, serve: Served, open: boolean): Front => ({
    at,
    ...(open ? { open: true } : {}),
    async serve(request, response) {
      try {
        await serve(request, response, deps);
      } catch (error) {
        deps.log.error({ err: error }, 'the authorization server failed');
        if (response.headersSent) response.destroy();
        else json(response, 500, { error: 'server_error' });
      }
    },
  });
  return [
    front('/.well-known/', serveWellKnown, true),
    // Gateways themselves are served elsewhere.
    front('/mcp/', serveWellKnown, true),
    ...['token', 'register', 'revoke', 'jwks'].map((name) => front(`/oauth2/${name}`, serveClient, true)),
    front('/oauth2/device_authorization', serveClient, false),
    front('/oauth2/authorize', serveBrowser, false),
    front('/oauth2/device', serveDevice, false),
  ];
}

type Served = (request: IncomingMessage, response: ServerResponse, deps: EndpointsDeps) => Promise<void>;

const serveWellKnown: Served = async (request, response, { issuer, targets, provider }) => {
  openToAll(response);
  if (request.method === 'OPTIONS') return answerPreflight(response, 'GET');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const found = isRead ? wellKnown(request, issuer(), targets) : null;
  if (found === null) return nothingHere(response, pathOf(request));
  if (found.kind === 'resource') return json(response, 200, found.document);
  const asked = requestFor(issuer(), request, { method: 'GET', url: found.path });
  await answerBy(await provider(), asked, response);
};

/** Endpoints of clients: a request carries all that counts, and no cookie is looked at. */
const serveClient: Served = async (request, response, { issuer, targets, provider }) => {
  openToAll(response);
  if (request.method === 'OPTIONS') return answerPreflight(response, 'GET, POST');
  delete request.headers.cookie;
  const { method = 'GET' } = request;
  const url = pathOf(request);
  let body: string | null = null;
  if (method === 'POST') {
    const read = await readBody(request);
    if (!read.ok || read.value.length > maxBodyBytes) {
      const error_description = `the body is larger than ${maxBodyBytes} bytes, or incomplete`;
      return json(response, 413, { error: 'invalid_request', error_description });
    }
    const parts = { targets, provider: await provider() };
    body = await actingBody(url, request, read.value.toString('utf8'), parts);
  }
  await answerBy(await provider(), requestFor(issuer(), request, { method, url, body }), response);
};

const serveBrowser: Served = async (request, response, { issuer, targets, binding, provider }) => {
  if ((request.url ?? '').length > maxAddressLength) {
    const error_description = `the address is longer than ${maxAddressLength} characters`;
    return json(response, 414, { error: 'invalid_request', error_description });
  }
  const path = pathOf(request);
  const given = (request.url ?? '').slice(path.length + 1);
  const isBegun = path === '/oauth2/authorize';
  const query = isBegun ? actingParameters(new URLSearchParams(given), targets).toString() : given;
  const asked = requestFor(issuer(), request, {
    method: request.method ?? 'GET',
    url: query === '' ? path : `${path}?${query}`,
    uid: binding.uidOf(request),
  });
  await answerBy(await provider(), asked, response);
};

const serveDevice: Served = async (request, response, deps) => {
  const path = pathOf(request);
  if (path !== '/oauth2/device') return await serveBrowser(request, response, deps);
  const provider = await deps.provider();
  const body = await deps.device.serve(request, response, provider);
  if (body === null) return;
  const asked = requestFor(deps.issuer(), request, { method: 'POST', url: path, body });
  await answerBy(provider, asked, response);
};

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/\?.*$/s, '');
}
