import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Credentials } from './contract.ts';

/** Serves tools that need nothing, and refuses the others rather than run them without what they ask for. */
export function createCredentials(): Credentials {
  return {
    attach(_caller, { qualifiedName, requirements }, given) {
      if (requirements.authorization !== null) {
        const { provider_id, id } = requirements.authorization;
        const provider = provider_id ?? id ?? 'an unnamed provider';
        return err(
          refusal(
            'credentials.not_configured',
            `${qualifiedName} acts for the user at ${provider}, which is not set up here`,
          ),
        );
      }
      const wanted = requirements.secrets ?? [];
      const missing = wanted.find(({ key }) => !given.some((one) => one.key === key));
      if (missing !== undefined) {
        return err(
          refusal(
            'credentials.not_configured',
            `${qualifiedName} needs the secret ${missing.key}, which is not set up here`,
          ),
        );
      }
      const secrets = given.filter(({ key }) => wanted.some((one) => one.key === key));
      return ok(secrets.length === 0 ? null : { authorization: null, secrets });
    },
  };
}
