import {
  type SessionVerificationRequest,
  type SessionVerificationResponse,
  sessionVerificationRequest,
} from '@sallyport/contracts';
import type { Verification } from '#credentials';
import { ok } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';

/** How it is made sure that who consents is the user. */
export function settingsRoutes({ credentials }: RestDeps): readonly Route[] {
  const path = '/admin/settings/session_verification';
  return [
    route({
      operation: 'session_verification.get',
      summary: 'How it is made sure that who consents is the user',
      method: 'GET',
      path,
      needs: 'inspect',
      success: 200,
      async run({ projectId }) {
        return ok({ status: 200, body: shown(await credentials.authorizations.verification.get(projectId)) });
      },
    }),
    route<SessionVerificationRequest>({
      operation: 'session_verification.update',
      summary: 'Change how it is made sure that who consents is the user; what is left out stays',
      method: 'PUT',
      path,
      needs: 'administer',
      mutates: true,
      body: sessionVerificationRequest,
      success: 200,
      async run({ projectId, body: asked }) {
        const { verification } = credentials.authorizations;
        const before = await verification.get(projectId);
        const after: Verification = {
          verifierUrl: asked.verifier_url === undefined ? before.verifierUrl : asked.verifier_url,
          unsafeSkipVerification: asked.unsafe_skip_verification ?? before.unsafeSkipVerification,
        };
        await verification.put(projectId, after);
        const body = shown(after);
        return ok({ status: 200, body, changed: { before: shown(before), after: body } });
      },
    }),
  ];
}

function shown({ verifierUrl, unsafeSkipVerification }: Verification): SessionVerificationResponse {
  return {
    verifier_url: verifierUrl,
    unsafe_skip_verification: unsafeSkipVerification,
    unsafe_skip_verification_choice_allowed: true,
  };
}
