import type { Caller } from '#domain';
import { isMembers, type Members, type Sealer } from '#foundation';
import type { LegacyVersion } from '../rev-2025-11-25/versions.ts';
import type { SessionKey } from './session-store.ts';

/** What a session id says, to us alone: all of a session that never changes. */
export interface IssuedSession extends SessionKey {
  readonly version: LegacyVersion;
  /** What the client declared, as JSON text. */
  readonly capabilities: string;
  readonly clientName: string;
}

const purpose = 'session';

/** An id that opens only for this caller on this gateway, in every replica and after every restart. */
export function sealSession(
  sealer: Sealer,
  issued: IssuedSession,
  caller: Caller,
  gatewayId: string,
): string {
  const { id, issuedAtMs, version, capabilities, clientName } = issued;
  return sealer.seal(
    purpose,
    [id, issuedAtMs, version, JSON.parse(capabilities), clientName],
    bearer(caller, gatewayId),
  );
}

/** `null` for anything that was not issued to this caller on this gateway. */
export function openSession(
  sealer: Sealer,
  sealed: string,
  caller: Caller,
  gatewayId: string,
): IssuedSession | null {
  const said = sealer.open(purpose, sealed, bearer(caller, gatewayId));
  if (!Array.isArray(said)) return null;
  const [id, issuedAtMs, version, capabilities, clientName] = said as [
    string,
    number,
    LegacyVersion,
    Members,
    string,
  ];
  if (!isMembers(capabilities)) return null;
  return { id, issuedAtMs, version, capabilities: JSON.stringify(capabilities), clientName };
}

function bearer({ principal, userId }: Caller, gatewayId: string): string {
  return JSON.stringify([principal.id, userId, gatewayId]);
}
