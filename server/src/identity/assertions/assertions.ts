import { createPublicKey, hash } from 'node:crypto';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Gateway, UserAssertion } from '#domain';
import type { Egress, Trust } from '#egress';
import { type Clock, err, isDeeperThan, ok, type Result } from '#foundation';
import { type AssertedUser, assertedUser } from './claims.ts';
import { createKeySet, type KeySet } from './key-set.ts';

const skewSeconds = 60;
/** A token that is older says nothing of today, however long it was made to last. */
const maxAgeSeconds = 24 * 60 * 60;
const maxTokenLength = 64 * 1024;
const maxDepth = 32;
const maxRemembered = 10_000;
const maxRememberedLength = 16 * 1024 * 1024;
const maxKeySets = 1000;

export interface Assertion extends AssertedUser {
  readonly by: UserAssertion;
  /** From then on it is refused. */
  readonly untilMs: number;
}

export interface Assertions {
  /** The user whom the token names to this gateway; the reason, where it does not. Immediate for one that was checked before. */
  check(
    token: string,
    by: UserAssertion,
    gateway: Gateway,
  ): Result<Assertion, string> | Promise<Result<Assertion, string>>;
}

type Verifying = (token: string) => Promise<JWTPayload>;

interface Verifier {
  readonly id: number;
  readonly verify: Verifying;
  /** How long what it found may be remembered; keys that are given are another demand when they change. */
  goodUntilMs(): number;
}

export function createAssertions({ egress, clock }: { egress: Egress; clock: Clock }): Assertions {
  const keySets = new Map<string, KeySet>();
  const verifiers = new WeakMap<UserAssertion, Verifier>();
  const remembered = createMemory();
  let made = 0;

  function keySetAt(uri: string, trust: Trust): KeySet {
    const name = `${trust} ${uri}`;
    let keySet = keySets.get(name);
    if (keySet === undefined) {
      keySet = createKeySet(uri, trust, { egress, clock });
      if (keySets.size >= maxKeySets) keySets.delete(keySets.keys().next().value as string);
      keySets.set(name, keySet);
    }
    return keySet;
  }

  function makeVerifier(by: UserAssertion, { origin }: Gateway): Verifier {
    const id = ++made;
    const { keys } = by;
    if (keys.from !== 'jwks_uri')
      return { id, verify: withGiven(keys, by, clock), goodUntilMs: () => Number.POSITIVE_INFINITY };
    const keySet = keySetAt(keys.uri, origin);
    return { id, verify: withPublished(keySet, by, clock), goodUntilMs: keySet.goodUntilMs };
  }

  function verifierOf(by: UserAssertion, gateway: Gateway): Verifier {
    const verifier = verifiers.get(by) ?? makeVerifier(by, gateway);
    verifiers.set(by, verifier);
    return verifier;
  }

  async function verified(
    name: string,
    token: string,
    by: UserAssertion,
    { verify, goodUntilMs }: Verifier,
  ): Promise<Result<Assertion, string>> {
    let payload: JWTPayload;
    try {
      payload = await verify(token);
    } catch (error) {
      return err(reasonOf(error));
    }
    if (isDeeperThan(payload, maxDepth)) return err('its claims are nested too deep');
    const user = assertedUser(payload, by);
    if (!user.ok) return user;
    const { exp, iat } = payload as { exp: number; iat: number };
    const untilMs = (Math.min(exp, iat + maxAgeSeconds) + skewSeconds) * 1000;
    const assertion = { ...user.value, by, untilMs };
    remembered.keep(name, assertion, Math.min(untilMs, goodUntilMs()), token.length);
    return ok(assertion);
  }

  return {
    check(token, by, gateway) {
      if (token.length > maxTokenLength) return err(`it is longer than ${maxTokenLength} characters`);
      const verifier = verifierOf(by, gateway);
      const name = `${verifier.id} ${hash('sha256', token, 'base64')}`;
      const known = remembered.find(name, clock.now());
      return known === null ? verified(name, token, by, verifier) : ok(known);
    },
  };
}

function withGiven(
  keys: Exclude<UserAssertion['keys'], { from: 'jwks_uri' }>,
  by: UserAssertion,
  clock: Clock,
): Verifying {
  if (keys.from === 'jwks') {
    const find = createLocalJWKSet(keys.jwks as unknown as JSONWebKeySet);
    return async (token) => (await jwtVerify(token, find, demands(by, clock))).payload;
  }
  const key = keys.from === 'secret' ? Buffer.from(keys.secret) : createPublicKey(keys.pem);
  return async (token) => (await jwtVerify(token, key, demands(by, clock))).payload;
}

function withPublished(keySet: KeySet, by: UserAssertion, clock: Clock): Verifying {
  return async (token) => {
    const current = await keySet.current();
    if (!current.ok) throw new KeysMissing(current.error);
    try {
      return (await jwtVerify(token, current.value, demands(by, clock))).payload;
    } catch (error) {
      const renewed = error instanceof errors.JWKSNoMatchingKey ? await keySet.renewed() : null;
      if (renewed === null) throw error;
      return (await jwtVerify(token, renewed, demands(by, clock))).payload;
    }
  };
}

function demands({ issuer, audience, algorithms }: UserAssertion, clock: Clock) {
  return {
    issuer,
    ...(audience.length === 0 ? {} : { audience: [...audience] }),
    algorithms: [...algorithms],
    requiredClaims: ['exp'],
    maxTokenAge: maxAgeSeconds,
    clockTolerance: skewSeconds,
    currentDate: new Date(clock.now()),
  };
}

class KeysMissing extends Error {}

/** For the audit: the library's messages name claims and headers, never their values. */
function reasonOf(error: unknown): string {
  if (error instanceof KeysMissing || error instanceof errors.JOSEError) return error.message;
  return 'its key cannot check it';
}

interface Kept {
  readonly assertion: Assertion;
  readonly untilMs: number;
  readonly length: number;
}

/** Checked tokens by their digest; the oldest make room. */
function createMemory() {
  const kept = new Map<string, Kept>();
  let total = 0;

  function forget(name: string): void {
    total -= kept.get(name)?.length ?? 0;
    kept.delete(name);
  }

  return {
    find(name: string, nowMs: number): Assertion | null {
      const found = kept.get(name);
      if (found === undefined) return null;
      if (found.untilMs > nowMs) return found.assertion;
      forget(name);
      return null;
    },
    keep(name: string, assertion: Assertion, untilMs: number, length: number): void {
      forget(name);
      kept.set(name, { assertion, untilMs, length });
      total += length;
      while (kept.size > maxRemembered || total > maxRememberedLength) {
        forget(kept.keys().next().value as string);
      }
    },
  };
}
