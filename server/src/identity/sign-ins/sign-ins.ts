import { hash, randomBytes } from 'node:crypto';
import { type Clock, newId } from '#foundation';
import type { Changes, Db } from '#storage';
import type { People } from '../people/contract.ts';
import type { SignIn, SignIns } from './contract.ts';
import type { KeptTokens } from './kept-tokens.ts';
import { createSignInStore } from './store.ts';

const browserMs = 12 * 3_600_000;
const lifeMs = 30 * 24 * 3_600_000;
/** Of one person at a time; a further one ends the oldest. */
const maxLasting = 200;
const maxUserAgentLength = 256;
const cookieForm = /^[\w-]{43}$/;

export interface SignInsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly people: Pick<People, 'standing'>;
  readonly issuerTokens: KeptTokens;
}

export function createSignIns({ db, changes, clock, people, issuerTokens }: SignInsDeps): SignIns {
  const store = createSignInStore(db);

  /** Whose it is, and what they may do, can be as new as the sign-in, and made by another replica. */
  async function ofActive(signIn: SignIn | null): Promise<SignIn | null> {
    if (signIn === null) return null;
    await changes.look();
    return people.standing(signIn.personId)?.active === true ? signIn : null;
  }

  async function end(id: string): Promise<boolean> {
    const ended = await db.tx(async (queries) => {
      const lasted = await store.end(queries, id, clock.iso());
      if (lasted) await changes.tell(queries, 'sign_ins', id);
      return lasted;
    });
    if (ended) await changes.here('sign_ins', id);
    return ended;
  }

  async function endEach(ids: readonly string[]): Promise<number> {
    let count = 0;
    for (const id of ids) if (await end(id)) count++;
    return count;
  }

  return {
    async start(personId, said, userAgent, { untilMs = Number.POSITIVE_INFINITY, tokens } = {}) {
      const nowMs = clock.now();
      const cookie = randomBytes(32).toString('base64url');
      const { projectId, sourceId, issuer, subject, userId, groups, claims } = said;
      const signIn: SignIn = {
        id: newId('sgn', nowMs),
        personId,
        projectId,
        sourceId,
        issuer,
        subject,
        userId,
        groups,
        claims,
        userAgent: userAgent.slice(0, maxUserAgentLength).toWellFormed(),
        createdAt: iso(nowMs),
        browserUntil: iso(Math.min(nowMs + browserMs, untilMs)),
        expiresAt: iso(Math.min(nowMs + lifeMs, untilMs)),
        endedAt: null,
      };
      const sealed = issuerTokens.sealedFor(signIn, tokens ?? null);
      await store.insert(signIn, hashCookie(cookie), sealed);
      // Nobody exchanges them any more.
      if (tokens !== undefined && sealed === '') await store.forgetTokens(projectId);
      await endEach(await store.surplusOf(personId, iso(nowMs), maxLasting));
      await store.prune(iso(nowMs));
      return { signIn, cookie };
    },
    async ofBrowser(cookie) {
      if (!cookieForm.test(cookie)) return null;
      return ofActive(await store.byCookie(hashCookie(cookie), clock.iso()));
    },
    subjectToken: issuerTokens.subjectToken,
    find: async (id) => ofActive(await store.byId(id, clock.iso())),
    list: (personId) => store.lastingOf(personId, clock.iso(), maxLasting),
    end,
    async endAllOf(personId) {
      return endEach(await store.surplusOf(personId, clock.iso(), 0));
    },
    endAllBy: async ({ projectId, id }) => endEach(await store.lastingBy(projectId, clock.iso(), id)),
  };
}

function hashCookie(cookie: string): string {
  return hash('sha256', cookie, 'hex');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
