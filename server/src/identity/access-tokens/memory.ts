import type { Caller, Gateway, Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Standing } from '../people/contract.ts';
import type { ServiceAccount } from '../service-accounts/contract.ts';
import type { SignIn } from '../sign-ins/contract.ts';
import type { UserSource } from '../user-sources/contract.ts';
import type { VerifiedToken } from './verify-token.ts';

const maxTokens = 20_000;
const maxWeight = 64 * 1024 * 1024;
/** What an entry weighs beside its text. */
const entryWeight = 1024;

/** A token that was checked, and what it hangs on. */
export interface KnownToken {
  readonly token: VerifiedToken;
  /** `null` for a service account. */
  readonly signIn: SignIn | null;
  readonly untilMs: number;
  /** What it hung on had ended already when it was first seen; that does not come back. */
  readonly isOver: boolean;
  /** How it was answered last. */
  answered: Answered | null;
}

/** An answer, and what it rests on: it is true as long as these are the same objects. */
export interface Answered {
  readonly gateway: Gateway;
  readonly standing: Standing | null;
  readonly source: UserSource | null;
  readonly account: ServiceAccount | null;
  readonly result: Result<Caller, Refusal>;
}

interface Kept {
  known: KnownToken;
  weight: number;
  /** Since it was last looked over for room. */
  isUsed: boolean;
}

/** Checked tokens by their digest, found again by what they hang on. Those that nobody uses make room first. */
export function createTokenMemory() {
  const kept = new Map<string, Kept>();
  const byTie = new Map<string, Set<string>>();
  let weight = 0;

  function tie(name: string, digest: string): void {
    const digests = byTie.get(name) ?? new Set();
    byTie.set(name, digests.add(digest));
  }

  function untie(name: string, digest: string): void {
    const digests = byTie.get(name);
    digests?.delete(digest);
    if (digests?.size === 0) byTie.delete(name);
  }

  function forget(digest: string): void {
    const found = kept.get(digest);
    if (found === undefined) return;
    kept.delete(digest);
    weight -= found.weight;
    for (const name of tiesOf(found.known)) untie(name, digest);
  }

  function makeRoom(): void {
    while (kept.size > maxTokens || weight > maxWeight) {
      const [digest, oldest] = kept.entries().next().value as [string, Kept];
      if (oldest.isUsed) {
        oldest.isUsed = false;
        kept.delete(digest);
        kept.set(digest, oldest);
      } else forget(digest);
    }
  }

  return {
    find(digest: string): KnownToken | null {
      const found = kept.get(digest);
      if (found === undefined) return null;
      found.isUsed = true;
      return found.known;
    },
    keep(digest: string, known: KnownToken): void {
      forget(digest);
      const entry = { known, weight: weightOf(known), isUsed: false };
      kept.set(digest, entry);
      weight += entry.weight;
      for (const name of tiesOf(known)) tie(name, digest);
      makeRoom();
    },
    forget,
    /** All that hang on it. */
    forgetTied(name: string): void {
      for (const digest of [...(byTie.get(name) ?? [])]) forget(digest);
    },
    forgetWhere(test: (known: KnownToken) => boolean): void {
      for (const [digest, { known }] of [...kept]) if (test(known)) forget(digest);
    },
    size: () => kept.size,
  };
}

export type TokenMemory = ReturnType<typeof createTokenMemory>;

export const signInTie = (id: string) => `sign-in ${id}`;
export const grantTie = (id: string) => `grant ${id}`;

function tiesOf({ token: { signInId, grantId } }: KnownToken): string[] {
  return [
    ...(signInId === null ? [] : [signInTie(signInId)]),
    ...(grantId === null ? [] : [grantTie(grantId)]),
  ];
}

function weightOf({ signIn }: KnownToken): number {
  return signIn === null ? entryWeight : entryWeight + JSON.stringify([signIn.claims, signIn.groups]).length;
}
