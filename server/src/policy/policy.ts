import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Grant, Policy } from './contract.ts';

const grant = {} as Grant;

/** Today's policy: a gateway is open to whoever may enter it, and a key's own tool restriction holds everywhere. */
export function createPolicy(): Policy {
  return {
    decide({ principal }, _gateway, { ruleName }) {
      if (principal.tools !== null && !principal.tools.matches(ruleName)) {
        return err(
          refusal('policy.not_granted', `there is no ${ruleName}`, {
            reason: `API key ${principal.id} is restricted to other tools`,
          }),
        );
      }
      return ok(grant);
    },
  };
}
