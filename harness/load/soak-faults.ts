import { setTimeout as pause } from 'node:timers/promises';
import type { GatewayProcess } from '../gateway-process.ts';
import type { Caller } from './soak-caller.ts';
import { type Behind, startUpstream } from './stand.ts';

/** When what was wrong, of `performance.now()`: an answer must be one that its time explains. */
export interface Times {
  readonly downs: { from: number; until: number | null }[];
  /** By key. `doneAt`: the revocation was answered. */
  readonly revoked: Map<string, { askedAt: number; doneAt?: number }>;
  readonly forbidden: Forbidden[];
}

interface Forbidden {
  readonly user: string;
  readonly from: number;
  until: number | null;
  doneAt: number | null;
  liftedAt: number | null;
}

/** Calls the API as an administrator; throws what it refuses. */
export function createAdmin({ origin, key }: GatewayProcess) {
  return async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  };
}

interface FaultsStart {
  readonly port: number;
  readonly slug: string;
  readonly admin: ReturnType<typeof createAdmin>;
  readonly times: Times;
  readonly callers: readonly Caller[];
}

/** Does one thing after another, for as long as it is let. */
export function startFaults({ port, slug, admin, times, callers }: FaultsStart) {
  let upstream: Behind | null = null;
  let stopping = false;
  const counts = { restarts: 0, revocations: 0, grants: 0, rules: 0 };

  const bringUp = async (): Promise<void> => {
    upstream = await startUpstream(50, [], port);
    const down = times.downs.at(-1);
    if (down !== undefined) down.until = performance.now();
  };
  const restart = async (): Promise<void> => {
    times.downs.push({ from: performance.now(), until: null });
    await upstream?.stop();
    await pause(300);
    await bringUp();
    counts.restarts += 1;
  };
  const revoke = async ({ key }: Caller): Promise<void> => {
    const held = key();
    if (held.id === '' || times.revoked.has(held.key)) return;
    const times_ = { askedAt: performance.now() };
    times.revoked.set(held.key, times_);
    await admin('DELETE', `/v1/api_keys/${held.id}`);
    Object.assign(times_, { doneAt: performance.now() });
    counts.revocations += 1;
  };
  /** Forbids it to a user for a while, by what `lay` lays down. */
  const forbid = async ({ user }: Caller, path: string, definition: object): Promise<void> => {
    const forbidden: Forbidden = { user, from: performance.now(), until: null, doneAt: null, liftedAt: null };
    times.forbidden.push(forbidden);
    const { id } = await admin<{ id: string }>('POST', path, definition);
    forbidden.doneAt = performance.now();
    await pause(500);
    forbidden.liftedAt = performance.now();
    await admin('DELETE', `${path}/${id}`);
    forbidden.until = performance.now();
  };
  const turns: ((caller: Caller) => Promise<void>)[] = [
    revoke,
    async (caller) => {
      await forbid(caller, '/v1/grants', {
        subject: { user: caller.user },
        tools: ['*'],
        gateway: slug,
        effect: 'deny',
      });
      counts.grants += 1;
    },
    async (caller) => {
      await forbid(caller, '/v1/rules', {
        name: `soak ${counts.rules}`,
        direction: 'input',
        tools: ['*'],
        subjects: [{ user: caller.user }],
        match: { pattern: 'token-[0-9]+' },
        action: 'block',
      });
      counts.rules += 1;
    },
    restart,
  ];
  const loop = async (): Promise<void> => {
    times.downs.push({ from: 0, until: null });
    await bringUp();
    for (let turn = 0; !stopping; turn++) {
      await pause(700);
      const caller = callers[turn % callers.length] as Caller;
      await (turns[turn % turns.length] as (typeof turns)[number])(caller);
    }
  };
  const done = loop();
  done.catch(() => {});
  return {
    /** No more of them; throws what went wrong with the faults themselves. */
    async end() {
      stopping = true;
      await done;
    },
    takeDown: () => upstream?.stop(),
    summary: () =>
      `${counts.restarts} restarts of the sources, ${counts.revocations} keys revoked, ${counts.grants} grants and ${counts.rules} rules that forbade`,
  };
}
