import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { deviceDonePage } from '../pages/device-pages.ts';
import type { Cookies } from '../sign-in/cookies.ts';
import { createFormGuard } from '../sign-in/form-guard.ts';
import { show, showProblem, showWayBack } from './answers.ts';
import { createAsking } from './asking.ts';
import { recordTokens } from './audit-of-tokens.ts';
import { createAuthorizations } from './authorizations.ts';
import type { BrowserBinding } from './browser-binding.ts';
import { createClientDocuments } from './client-documents.ts';
import type { Authorizations } from './contract.ts';
import { createDevicePage, type DevicePage } from './device.ts';
import { createGrants } from './grants/grants.ts';
import type { OAuthDeps } from './oauth.ts';
import { createPeopleOfTokens } from './people.ts';
import { createProvider, interactionLifeS, resourceServerOf } from './provider.ts';
import { createRecords } from './records.ts';
import { revokeAccessTokens } from './revoke-access-token.ts';
import type { Targets } from './targets.ts';

export interface AuthorizationServer {
  readonly authorizations: Authorizations;
  readonly device: DevicePage;
  /** Made anew when other keys sign. */
  readonly provider: () => Promise<Provider>;
}

interface Parts extends OAuthDeps {
  readonly cookies: Cookies;
  readonly targets: Targets;
  readonly binding: BrowserBinding;
}

/** Gives clients tokens for what people let them use. */
export function createAuthorizationServer(deps: Parts): AuthorizationServer {
  const { identity, issuer, clock, sealer, log, cookies, targets, binding } = deps;
  const people = createPeopleOfTokens({ identity, cookies });
  const asking = createAsking({ identity, people, targets });
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
    revokeAccessTokens(made, identity.accessTokens);
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
    device,
    provider,
  };
}
