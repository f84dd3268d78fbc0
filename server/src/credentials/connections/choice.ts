import type { Connection } from '../store/kept.ts';

/** Whose authorization is wanted. A person goes only by what they consented to themselves; an API key by whatever the user has. */
export interface User {
  readonly userId: string;
  readonly personId: string | null;
}

/** For what an account is wanted. */
export interface Use {
  /** The slug. */
  readonly gateway: string | null;
  readonly toolId: string | null;
}

export const noUse: Use = { gateway: null, toolId: null };

export const isOf = (connection: Pick<Connection, 'personId'>, { personId }: User): boolean =>
  personId === null || connection.personId === personId;

/**
 * The account that serves: the one that the user chose for the tool, else for the gateway, else their default one. Where that is of
 * no use any more it is not another one: the user would not know as whom they act.
 */
export function chosenOf(
  accounts: readonly Connection[],
  user: User,
  { gateway, toolId }: Use,
): Connection | null {
  const theirs = accounts.filter((one) => isOf(one, user));
  return (
    (toolId === null ? undefined : theirs.find(({ tools }) => tools.includes(toolId))) ??
    (gateway === null ? undefined : theirs.find(({ gateways }) => gateways.includes(gateway))) ??
    lastOf(theirs.filter(({ isDefault, personId }) => isDefault && personId === user.personId)) ??
    lastOf(theirs.filter(({ isDefault }) => isDefault)) ??
    lastOf(theirs)
  );
}

const lastOf = (accounts: readonly Connection[]) =>
  accounts.toSorted((a, b) => consentedAt(b) - consentedAt(a))[0] ?? null;
const consentedAt = ({ consentedAtMs, createdAtMs }: Connection) => consentedAtMs.at(-1) ?? createdAtMs;

/** Whether its token still holds, or can be renewed. */
export function lasts(
  { expiresAtMs, renewAtMs }: Pick<Connection, 'expiresAtMs' | 'renewAtMs'>,
  nowMs: number,
): boolean {
  return expiresAtMs === null || renewAtMs !== null || expiresAtMs > nowMs;
}

export function grantsAll(
  { grantedScopes }: Pick<Connection, 'grantedScopes'>,
  wanted: readonly string[],
): boolean {
  return wanted.every((scope) => grantedScopes.includes(scope));
}
