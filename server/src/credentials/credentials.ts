import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Credentials } from './contract.ts';

/** Serves tools that need nothing, and refuses the others rather than run them without what they ask for. */
export function createCredentials(): Credentials {
  return {
    attach(_caller, { qualifiedName, requirements }) {
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
      const [secret] = requirements.secrets ?? [];
      if (secret !== undefined) {
        return err(
          refusal(
            'credentials.not_configured',
            `${qualifiedName} needs the secret ${secret.key}, which is not set up here`,
          ),
        );
      }
      return ok(null);
    },
  };
}
