import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import { type Clock, Fault } from '#foundation';
import type { Identity, SignIn } from '#identity';
import { requestFor } from './asked.ts';
import type { BrowserBinding } from './browser-binding.ts';
import { redirectHostOf, vouchingHost } from './client-metadata.ts';
import type { Authorizations, PendingAuthorization } from './contract.ts';
import type { PeopleOfTokens } from './people.ts';
import type { Target, Targets } from './targets.ts';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;
type Parameters = { readonly [name: string]: unknown };

export interface AuthorizationsDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly targets: Targets;
  readonly people: PeopleOfTokens;
  readonly binding: BrowserBinding;
  readonly provider: () => Promise<Provider>;
}

interface Waiting {
  readonly interaction: Interaction;
  readonly pending: PendingAuthorization;
}

export function createAuthorizations(deps: AuthorizationsDeps): Authorizations {
  const { identity, clock, issuer, targets, people, binding } = deps;

  async function interactionOf(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Interaction | null> {
    const uid = binding.uidOf(request);
    if (uid === null) return null;
    const asked = requestFor(issuer(), request, { method: 'GET', url: request.url ?? '/', uid });
    try {
      return await (await deps.provider()).interactionDetails(asked, response);
    } catch (error) {
      if ((error as { error?: unknown }).error === 'invalid_request') return null;
      throw error;
    }
  }

  /** Of the browser, where it may come in, and is as fresh as the client wants it. */
  async function signInFor(
    request: IncomingMessage,
    { prompt, session, params }: Interaction,
    target: Target,
  ): Promise<SignIn | null> {
    const signIn = await people.ofBrowser(request);
    if (signIn === null || !people.userAt(signIn, target).ok) return null;
    // They were signed in when the client asked, and must do it again.
    if (prompt.reasons.includes('login_prompt') && session?.accountId === signIn.id) return null;
    const { max_age } = params as Parameters;
    const isTooOld = clock.now() - Date.parse(signIn.createdAt) > Number(max_age) * 1000;
    return prompt.reasons.includes('max_age') && isTooOld ? null : signIn;
  }

  async function waiting(request: IncomingMessage, response: ServerResponse): Promise<Waiting | null> {
    const interaction = await interactionOf(request, response);
    if (interaction === null) return null;
    const { client_id, resource } = interaction.params as Parameters;
    const target = targets.ofResource(String(resource));
    const client = await (await deps.provider()).Client.find(String(client_id));
    if (target === null || client === undefined) return null;
    const signIn = await signInFor(request, interaction, target);
    const gatewayId = target.gateway?.id ?? '';
    const allowed =
      signIn === null ? [] : await identity.consents.of(signIn.personId, client.clientId, gatewayId);
    return { interaction, pending: pendingOf(interaction, client, target, { signIn, allowed }) };
  }

  async function mustWait(request: IncomingMessage, response: ServerResponse): Promise<Waiting> {
    const found = await waiting(request, response);
    if (found === null) throw new Fault('no authorization waits in this browser');
    return found;
  }

  async function goOn(interaction: Interaction, result: Interaction['result']): Promise<string> {
    interaction.result = result;
    await interaction.persist();
    return interaction.returnTo;
  }

  return {
    async pending(request, response) {
      return (await waiting(request, response))?.pending ?? null;
    },
    async signedIn(request, response, signIn) {
      const { interaction } = await mustWait(request, response);
      // Whoever was at the browser when it began has no part in it any more.
      delete (interaction as { session?: unknown }).session;
      return await goOn(interaction, { login: { accountId: signIn.id } });
    },
    async consented(request, response) {
      const { interaction, pending } = await mustWait(request, response);
      const { signIn, waitsFor, client, gateway, scopes } = pending;
      if (signIn === null || waitsFor !== 'consent') throw new Fault('nobody was asked');
      await identity.consents.give(signIn.personId, client.id, gateway?.id ?? '', scopes);
      return await goOn(interaction, { ...interaction.lastSubmission, consent: {} });
    },
    async clientName(clientId) {
      // One that cannot be fetched, or does not hold, has no name either.
      const client = await (await deps.provider()).Client.find(clientId).catch(() => undefined);
      return client?.clientName ?? null;
    },
    async denied(request, response) {
      const { interaction } = await mustWait(request, response);
      return await goOn(interaction, {
        error: 'access_denied',
        error_description: 'the person did not allow it',
      });
    },
  };
}

function pendingOf(
  { uid, prompt, params, session }: Interaction,
  client: Client,
  { gateway }: Target,
  { signIn, allowed }: { readonly signIn: SignIn | null; readonly allowed: readonly string[] },
): PendingAuthorization {
  const { redirect_uri, scope } = params as Parameters;
  const named = String(scope ?? '')
    .split(' ')
    .filter(Boolean);
  // Whoever can renew tokens does so, whether it said that or not.
  const renews = client.grantTypeAllowed('refresh_token') && !named.includes('offline_access');
  const asked = renews ? [...named, 'offline_access'] : named;
  const fresh = asked.filter((one) => !allowed.includes(one));
  const isSame = signIn !== null && session?.accountId === signIn.id;
  return {
    uid,
    // Somebody else came in since: they are asked anew.
    waitsFor: prompt.name === 'consent' && isSame ? 'consent' : 'sign_in',
    client: {
      id: client.clientId,
      name: client.clientName ?? '',
      host: vouchingHost(client.clientId),
      redirectHost:
        typeof redirect_uri === 'string' ? redirectHostOf(redirect_uri) : 'the device that shows the code',
    },
    gateway,
    scopes: fresh.length === 0 ? asked : fresh,
    allowedBefore: fresh.length === 0 ? [] : asked.filter((one) => allowed.includes(one)),
    signIn,
  };
}
