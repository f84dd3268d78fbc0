import { type Clock, newId } from '#foundation';
import type { Queries } from '#storage';
import type { Granted, Held } from '../authority.ts';
import type { NewConnection } from '../store/connections.ts';
import type { Connection, Listed, Place } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { lifeOf } from './renewal.ts';

/** What a user consented to. */
export interface Consented extends Place {
  readonly personId: string | null;
  /** What the account is to be called; `null`: what the provider says of it. */
  readonly account: string | null;
  readonly label: string;
  readonly lists: Listed | null;
  readonly boundTo: string;
  readonly issuer: string;
  readonly held: Held;
  /** Those that were asked for. */
  readonly scopes: readonly string[];
  readonly granted: Granted;
}

/**
 * Keeps what a user consented to: in the account that it is of, or as another one. `before` runs in the same transaction, with the id of the
 * connection; where it says no, nothing is kept.
 */
export type Keep = (
  consented: Consented,
  before: (queries: Queries, id: string) => Promise<boolean>,
) => Promise<'kept' | 'too_many' | 'over'>;

/** Who consented so often lately, and still is not let in, is asked no more for a while. */
const maxConsents = 3;
const consentsWithinMs = 10 * 60_000;
const maxAccounts = 20;
const maxNameLength = 120;

export function consentsTooOften(consentedAtMs: readonly number[], clock: Clock): boolean {
  return consentedAtMs.filter((at) => at > clock.now() - consentsWithinMs).length >= maxConsents;
}

export function createKeep({
  store,
  clock,
  change,
}: {
  readonly store: ConnectionStore;
  readonly clock: Clock;
  readonly change: <T>(place: Place, work: (queries: Queries) => Promise<T>) => Promise<T>;
}): Keep {
  return (consented, before) =>
    change(consented, async (queries) => {
      const { target, userId } = consented;
      await store.alone(queries, ['accounts', target.projectId, target.kind, target.id, userId]);
      const accounts = await store.connectionsOf(consented, queries);
      const same = sameAccount(accounts, consented);
      if (same === null && accounts.length >= maxAccounts) return 'too_many';
      const one = await connectionBy(consented, { accounts, same, store, clock });
      if (!(await before(queries, one.id))) return 'over';
      await store.saveConnection(queries, one, clock.iso());
      return 'kept';
    });
}

/** What an API key vouched for never takes the place of what a person consented to. */
function sameAccount(
  accounts: readonly Connection[],
  { personId, account, granted }: Consented,
): Connection | null {
  const subject = granted.subject ?? '';
  const candidates = accounts.filter((one) => one.personId === personId && one.subject === subject);
  if (subject !== '') return candidates[0] ?? null;
  if (account !== null) return candidates.find(({ name }) => name === account) ?? null;
  return candidates.find(({ isDefault }) => isDefault) ?? candidates[0] ?? null;
}

async function connectionBy(
  consented: Consented,
  {
    accounts,
    same,
    store,
    clock,
  }: {
    readonly accounts: readonly Connection[];
    readonly same: Connection | null;
    readonly store: ConnectionStore;
    readonly clock: Clock;
  },
): Promise<NewConnection> {
  const { granted, account, label, scopes, target, userId, personId } = consented;
  const nowMs = clock.now();
  // Who chose another account over there than the one that was meant gets another one, under its own name.
  const meant = accounts.some(({ name }) => name === account) ? null : account;
  const refreshToken = granted.refreshToken ?? (await refreshTokenOf(same, consented, store));
  const lately = (same?.consentedAtMs ?? []).filter((at) => at > nowMs - consentsWithinMs);
  return {
    target,
    userId,
    personId,
    id: same?.id ?? newId('con', nowMs),
    name: same?.name ?? freeName(meant ?? granted.name ?? label, accounts),
    subject: granted.subject ?? '',
    isDefault: true,
    gateways: same?.gateways ?? [],
    tools: same?.tools ?? [],
    boundTo: consented.boundTo,
    issuer: consented.issuer,
    askedScopes: scopes,
    grantedScopes: granted.scopes ?? scopes,
    userInfo: granted.userInfo ?? {},
    consentedAtMs: [...lately, nowMs].slice(-2 * maxConsents),
    status: 'active',
    createdAtMs: same?.createdAtMs ?? nowMs,
    ...lifeOf({ expiresAtMs: granted.expiresAtMs, refreshToken }, nowMs),
    lists: consented.lists,
    secret: { accessToken: granted.accessToken, refreshToken, held: granted.held ?? consented.held },
  };
}

/** Some providers give one at the first consent only; it is still good for the same account and client. */
async function refreshTokenOf(
  same: Connection | null,
  { boundTo }: Consented,
  store: ConnectionStore,
): Promise<string | null> {
  if (same === null || same.subject === '' || same.boundTo !== boundTo || same.status !== 'active')
    return null;
  return (await store.openConnection(same))?.refreshToken ?? null;
}

function freeName(wanted: string, accounts: readonly Connection[]): string {
  const name = wanted.replace(/\p{C}/gu, '').trim().slice(0, maxNameLength) || 'account';
  const isTaken = (tried: string) => accounts.some((one) => one.name === tried);
  if (!isTaken(name)) return name;
  for (let n = 2; ; n++) if (!isTaken(`${name} (${n})`)) return `${name} (${n})`;
}
