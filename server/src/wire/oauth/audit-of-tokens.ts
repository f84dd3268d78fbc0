import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '#audit';
import { messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Grants } from './grants/grants.ts';
import { signInOf } from './people.ts';
import type { Targets } from './targets.ts';

const maxReasonLength = 300;

export interface AuditOfTokensDeps {
  readonly audit: Pick<Audit, 'record'>;
  readonly log: Log;
  readonly targets: Targets;
  readonly grants: Pick<Grants, 'isHeldUp'>;
}

/** Records which tokens were given, and which were refused and why; never one of them. */
export function recordTokens(provider: Provider, { audit, log, targets, grants }: AuditOfTokensDeps): void {
  async function record(
    ctx: KoaContextWithOIDC,
    decision: 'allowed' | 'refused',
    reason: string,
  ): Promise<void> {
    const { params, client, entities } = ctx.oidc;
    const asked: unknown = entities.AccessToken?.aud ?? params?.resource;
    const gateway = typeof asked === 'string' ? (targets.ofResource(asked)?.gateway ?? null) : null;
    const signIn = signInOf(ctx);
    const program = entities.ClientCredentials?.clientId ?? null;
    await audit.record({
      kind: 'sign_in',
      decision,
      projectId: gateway?.projectId ?? 'default',
      userId: signIn?.userId ?? program,
      principal: signIn?.personId ?? program,
      gateway: gateway?.slug ?? null,
      clientId: client?.clientId ?? null,
      reason: reason.slice(0, maxReasonLength),
    });
  }

  /** The library waits for nobody who listens. */
  function note(...noted: Parameters<typeof record>): void {
    record(...noted).catch((error) => log.error({ error: messageOf(error) }, 'a sign-in was not recorded'));
  }

  const refused = (ctx: KoaContextWithOIDC, error: Error) =>
    note(ctx, 'refused', `${error.message}: ${detailOf(error)}`);
  provider.on('grant.success', (ctx) => note(ctx, 'allowed', `a token by ${grantTypeOf(ctx)}`));
  provider.on('grant.error', (ctx, error) => {
    // A device that waits asks again and again.
    if (error.message === 'authorization_pending' || error.message === 'slow_down') return;
    if (grants.isHeldUp(ctx, error)) return;
    refused(ctx, error);
  });
  provider.on('authorization.error', refused);
  provider.on('grant.revoked', (ctx, grantId) =>
    note(ctx, 'refused', `everything that came of the grant ${grantId} ended`),
  );
}

function grantTypeOf({ oidc }: KoaContextWithOIDC): string {
  const { grant_type } = oidc.params as { grant_type?: unknown };
  return String(grant_type).slice(0, 100);
}

function detailOf(error: Error): string {
  const { error_detail, error_description } = error as { error_detail?: string; error_description?: string };
  return error_detail ?? error_description ?? '';
}
