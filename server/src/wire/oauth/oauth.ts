import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Egress } from '#egress';
import type { Clock, Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Front } from '../http/server.ts';
import { deviceDonePage } from '../pages/device-pages.ts';
import { createCookies } from '../sign-in/cookies.ts';
import { createFormGuard } from '../sign-in/form-guard.ts';
import { show, showProblem, showWayBack } from './answers.ts';
import { createAsking } from './asking.ts';
import { recordTokens } from './audit-of-tokens.ts';
import { createAuthorizations } from './authorizations.ts';
import { createBrowserBinding } from './browser-binding.ts';
import { createClientDocuments } from './client-documents.ts';
import type { Authorizations } from './contract.ts';
import { createDevicePage } from './device.ts';
import { createEndpoints } from './endpoints.ts';
import { createGrants } from './grants/grants.ts';
import { createPeopleOfTokens } from './people.ts';
import { createProvider, interactionLifeS, resourceServerOf } from './provider.ts';
import { createRecords } from './records.ts';
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
  const device = createDevicePage({ clock, targets, forms, people });

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
        async asks(ctx, problem) {
          ctx.respond = false;
          await device.ask(ctx.req, ctx.res, problem);
        },
        done: async (ctx) =>
          await show(ctx, deviceDonePage({ clientName: ctx.oidc.client?.clientName ?? '' })),
      },
    });
    made.use(async (ctx, next) => {
      await next();
      await showWayBack(ctx as KoaContextWithOIDC, log);
    });
    made.on('interaction.started', (ctx) => {
      const { uid } = ctx.oidc.entities.Interaction as { uid: string };
      binding.bind(ctx.req, ctx.res, uid, interactionLifeS);
    });
    made.on('interaction.ended', (ctx) => {
      const { uid } = ctx.oidc.entities.Interaction as { uid: string };
      binding.release(ctx.res, uid);
    });
    recordTokens(made, { audit: deps.audit, log, targets, grants });
    made.on('server_error', (_ctx, error) => log.error({ err: error }, 'the authorization server failed'));
    return made;
  }

  return {
    authorizations: createAuthorizations({ identity, clock, issuer, targets, people, binding, provider }),
    fronts: createEndpoints({ clock, issuer, log, targets, binding, device, provider }),
  };
}
