import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Egress } from '#egress';
import type { Clock, Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Front } from '../http/server.ts';
import { createCookies } from '../sign-in/cookies.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { createBrowserBinding } from './browser-binding.ts';
import type { Authorizations } from './contract.ts';
import { createEndpoints } from './endpoints.ts';
import { createTargets } from './targets.ts';

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

/**
 * What is served of the authorization server. The server itself, and the library that it is made of, are loaded by the first
 * request that needs them: a process that only relays calls does without.
 */
export function createOAuth(deps: OAuthDeps): OAuth {
  const { issuer, sealer } = deps;
  const cookies = createCookies(issuer);
  const targets = createTargets(deps);
  const binding = createBrowserBinding(cookies, sealer);

  let loading: Promise<AuthorizationServer> | null = null;
  function server(): Promise<AuthorizationServer> {
    loading ??= import('./authorization-server.ts').then(({ createAuthorizationServer }) =>
      createAuthorizationServer({ ...deps, cookies, targets, binding }),
    );
    return loading;
  }

  const authorizations = async () => (await server()).authorizations;
  return {
    authorizations: {
      pending: async (request, response) => (await authorizations()).pending(request, response),
      signedIn: async (request, response, signIn) =>
        (await authorizations()).signedIn(request, response, signIn),
      consented: async (request, response) => (await authorizations()).consented(request, response),
      denied: async (request, response) => (await authorizations()).denied(request, response),
      clientName: async (clientId) => (await authorizations()).clientName(clientId),
    },
    fronts: createEndpoints({
      ...deps,
      targets,
      binding,
      device: async () => (await server()).device,
      provider: async () => await (await server()).provider(),
    }),
  };
}
