import type { Result } from '#foundation';
import { err, messageOf, ok } from '#foundation';
import { judgeAddress } from './addresses.ts';
import type { AllowList } from './allow-list.ts';
import type { EgressFailure, Trust } from './contract.ts';
import type { Destination } from './destination.ts';

export type Lookup = (host: string) => Promise<readonly string[]>;

/** Resolves a destination and answers the addresses to connect to, or why it must not be reached. */
export type Admit = (
  destination: Destination,
  trust: Trust,
) => Promise<Result<readonly string[], EgressFailure>>;

export function createAdmission(allowList: AllowList, lookup: Lookup): Admit {
  function mayReach(destination: Destination, trust: Trust, address: string): Result<void, EgressFailure> {
    const verdict = judgeAddress(address);
    if (verdict.isPublic) return ok(undefined);
    const isNamed = allowList.coversName(destination);
    const isAllowed = verdict.isMetadata
      ? allowList.namesAddress(address) || (isNamed && destination.literal !== null)
      : trust === 'file' || isNamed || allowList.coversAddress(address);
    if (isAllowed) return ok(undefined);
    const host = destination.literal === null ? `${destination.hostname} resolves to ${address}` : address;
    const change = verdict.isMetadata
      ? 'add this very address to egress.allow (SALLYPORT_EGRESS_ALLOW) if it must be reached'
      : 'declare the source in the config file, or add it to egress.allow (SALLYPORT_EGRESS_ALLOW)';
    const message = `${host}${destination.literal === null ? ', which' : ''} is ${verdict.words}: ${change}`;
    return err({ kind: 'address_refused', message, sent: false });
  }

  return async (destination, trust) => {
    const addresses = await resolve(destination, lookup);
    if (!addresses.ok) return addresses;
    for (const address of addresses.value) {
      const allowed = mayReach(destination, trust, address);
      if (!allowed.ok) return allowed;
    }
    return addresses;
  };
}

async function resolve(
  destination: Destination,
  lookup: Lookup,
): Promise<Result<readonly string[], EgressFailure>> {
  if (destination.literal !== null) return ok([destination.literal]);
  const advice = 'check the host name and the DNS of this machine';
  let reason = 'no address was found';
  try {
    const addresses = await lookup(destination.hostname);
    if (addresses.length > 0) return ok(addresses);
  } catch (thrown) {
    reason = messageOf(thrown);
  }
  const message = `${destination.hostname} could not be resolved (${reason}): ${advice}`;
  return err({ kind: 'address_unresolved', message, sent: false });
}
