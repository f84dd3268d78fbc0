import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Clock } from '#foundation';
import type { Log } from '#telemetry';
import { readBody } from '../http/body.ts';
import type { Front } from '../http/server.ts';
import { type AttemptLimit, createAttemptLimit } from '../sign-in/attempt-limit.ts';
import { actingBody } from './acting-body.ts';
import { json, nothingHere } from './answers.ts';
import { answerBy, requestFor } from './asked.ts';
import { actingParameters } from './asked-parameters.ts';
import type { BrowserBinding } from './browser-binding.ts';
import { isFitRedirect } from './client-metadata.ts';
import type { DevicePage } from './device.ts';
import type { Targets } from './targets.ts';
import { answerPreflight, openToAll, wellKnown } from './well-known.ts';

/** More than any request of a client that has a purpose. */
const maxBodyBytes = 32 * 1024;
/** What a client says of itself is kept, and anybody can be one. */
const maxRegistrationBytes = 8 * 1024;
/** Of one address in a minute; behind a proxy all have one. Far fewer than are kept, so that nobody can displace others. */
const maxRegistrations = 600;
/** What a client asks of a browser is kept until somebody answers. */
const maxAddressLength = 8 * 1024;

export interface EndpointsGiven {
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly log: Log;
  readonly targets: Targets;
  readonly binding: BrowserBinding;
  readonly device: () => Promise<DevicePage>;
  readonly provider: () => Promise<Provider>;
}

interface EndpointsDeps extends EndpointsGiven {
  readonly registrations: AttemptLimit;
}

/** What is served where, and what of a request the library gets to see. */
export function createEndpoints(given: EndpointsGiven): readonly Front[] {
  const deps = { ...given, registrations: createAttemptLimit(given.clock, maxRegistrations) };
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
    ...clientEndpoints.map((at) => front(at, serveClient, at !== '/oauth2/device_authorization')),
    front('/oauth2/authorize', serveBrowser, false),
    front('/oauth2/device', serveDevice, false),
  ];
}

const clientEndpoints = ['token', 'register', 'revoke', 'jwks', 'device_authorization'].map(
  (name) => `/oauth2/${name}`,
);

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
const serveClient: Served = async (request, response, deps) => {
  const { issuer, targets, provider } = deps;
  openToAll(response);
  if (request.method === 'OPTIONS') return answerPreflight(response, 'GET, POST');
  delete request.headers.cookie;
  const { method = 'GET' } = request;
  const url = pathOf(request);
  if (!clientEndpoints.includes(url)) return nothingHere(response, url);
  let body: string | null = null;
  if (method === 'POST') {
    const isRegistration = url === '/oauth2/register';
    const maxBytes = isRegistration ? maxRegistrationBytes : maxBodyBytes;
    const read = await readBody(request, maxBytes);
    if (!read.ok) {
      const error_description = `the body is larger than ${maxBytes} bytes, or incomplete`;
      return json(response, 413, { error: 'invalid_request', error_description });
    }
    if (isRegistration && !mayRegister(request, response, read.value, deps)) return;
    const parts = { targets, provider: await provider() };
    body = await actingBody(url, request, read.value.toString('utf8'), parts);
  }
  await answerBy(await provider(), requestFor(issuer(), request, { method, url, body }), response);
};

/** Whether one more may, and answers go where they may go; answered where not. */
function mayRegister(
  { socket: { remoteAddress = '' } }: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  { registrations }: EndpointsDeps,
): boolean {
  if (registrations.isOver(remoteAddress)) {
    response.setHeader('retry-after', '60');
    const error_description = 'too many clients registered within a minute: try again later';
    json(response, 429, { error: 'temporarily_unavailable', error_description });
    return false;
  }
  registrations.failed(remoteAddress);
  const unfit = redirectsIn(body).find((uri) => !isFitRedirect(uri));
  if (unfit === undefined) return true;
  const error_description = `redirect_uris: ${JSON.stringify(unfit)?.slice(0, 300)} is nowhere that an answer may go`;
  json(response, 400, { error: 'invalid_redirect_uri', error_description });
  return false;
}

/** The library says what is wrong with anything else. */
function redirectsIn(body: Buffer): readonly unknown[] {
  try {
    const { redirect_uris: uris } = Object(JSON.parse(body.toString('utf8')));
    return Array.isArray(uris) ? uris : [];
  } catch {
    return [];
  }
}

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
  const body = await (await deps.device()).serve(request, response, provider);
  if (body === null) return;
  const asked = requestFor(deps.issuer(), request, { method: 'POST', url: path, body });
  await answerBy(provider, asked, response);
};

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/\?.*$/s, '');
}
