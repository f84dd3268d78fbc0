import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import { type Adapter, errors } from 'oidc-provider';
import type { SignIn } from '#identity';

/** A context of the library, as far as we look into it. */
interface Context {
  readonly req: IncomingMessage;
  readonly oidc?: { readonly route: string; entity(kind: string, value: unknown): void };
  readonly params?: { readonly uid?: string };
}

/** Of the form by which a device's code is confirmed: forms are checked before the library sees them. */
export const deviceFormSecret = 'checked before';

/**
 * The library's sessions are made of our own for each request, and never kept: who our cookie says is at the browser is who
 * the library knows, so that nobody is let in whose sign-in ended.
 */
export function useOurSessions(
  provider: Provider,
  signInOf: (request: IncomingMessage) => Promise<SignIn | null>,
): void {
  const Session = provider.Session as unknown as {
    new (payload?: object): { state?: object };
    get(ctx: Context): Promise<object>;
  };
  Session.get = async (ctx) => {
    const signIn = await signInOf(ctx.req);
    if (ctx.oidc?.route.endsWith('resume') === true) await mustBeWhoSignedIn(provider, ctx, signIn);
    const session = new Session(
      signIn === null
        ? undefined
        : {
            uid: signIn.id,
            jti: signIn.id,
            accountId: signIn.id,
            loginTs: Math.floor(Date.parse(signIn.createdAt) / 1000),
          },
    );
    if (ctx.oidc?.route === 'code_verification') session.state = { secret: deviceFormSecret };
    ctx.oidc?.entity('Session', session);
    return session;
  };
}

/** Who signed in for an authorization is still at the browser when it goes on. */
async function mustBeWhoSignedIn(
  provider: Provider,
  { params }: Context,
  signIn: SignIn | null,
): Promise<void> {
  const waiting = await provider.Interaction.find(params?.uid ?? '');
  const signedIn = waiting?.result?.login?.accountId;
  if (signedIn === undefined || signedIn === signIn?.id) return;
  throw new errors.SessionNotFound('somebody else is signed in at this browser by now');
}

/** Where the library believes that its sessions are kept. */
export const sessionAdapter: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUserCode: async () => undefined,
  // Who waits with an authorization is compared with the browser when it goes on.
  findByUid: async (uid) => ({ kind: 'Session', uid, jti: uid, accountId: uid }),
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};
