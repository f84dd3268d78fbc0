import { createHash } from 'node:crypto';
import type { createClient } from '@redis/client';
import { type Clock, Fault, messageOf } from '#foundation';
import type { Log } from '#telemetry';

/**
 * A Redis or Valkey server, for what replicas share while they run. It may be gone at any time, and whoever asks it goes on
 * without: nothing here throws, and nothing waits longer than `answerMs`.
 */
export interface Redis {
  /** Runs all of a script or nothing; `null` where there is no answer. It may have run all the same. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** False while asking would be in vain. */
  isThere(): boolean;
  /** False after a failure, until something succeeds. */
  isWell(): boolean;
  /** Called whenever the server is there again. */
  onBack(listener: () => void): void;
  /** Waits for what was asked, as long as an answer may take. */
  close(): Promise<void>;
}

export interface RedisScript {
  readonly text: string;
  /** By which the server knows it, once it has run. */
  readonly sha: string;
}

export function redisScript(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

export interface RedisDeps {
  readonly clock: Clock;
  readonly log: Log;
}

type Client = ReturnType<typeof createClient>;

const answerMs = 250;
const connectMs = 2000;
const againMs = 1000;

/** Gives the server one chance to be there at once; where it is not, it is looked for until `close`. */
export async function openRedis(url: string, { clock, log }: RedisDeps): Promise<Redis> {
  // Only who uses it loads it.
  const { createClient, ErrorReply } = await import('@redis/client');
  const listeners: (() => void)[] = [];
  let client: Client | null = null;
  let opening = false;
  let closed = false;
  let isWell: boolean | null = null;

  function tell(error: string | null): void {
    if (closed || (error === null) === isWell) return;
    isWell = error === null;
    if (isWell) log.info({}, 'Redis answers');
    else log.warn({ error }, 'Redis does not answer: each replica counts for itself until it does');
  }

  /** A connection that failed once, or was late, is not used again. */
  function drop(lost: Client, error: unknown): void {
    lost.destroy();
    if (client !== null && lost !== client) return;
    client = null;
    tell(messageOf(error));
  }

  async function open(): Promise<void> {
    if (closed || opening || client !== null) return;
    opening = true;
    let fresh: Client | null = null;
    try {
      fresh = createClient(clientOptions(url));
      const mine = fresh;
      fresh.on('error', (error) => drop(mine, error));
      await inTime(
        fresh.connect().then(() => mine.ping()),
        connectMs,
      );
      if (closed) return fresh.destroy();
      client = fresh;
      tell(null);
      for (const listener of listeners) listener();
    } catch (error) {
      if (fresh === null) tell(messageOf(error));
      else drop(fresh, error);
    } finally {
      opening = false;
    }
  }

  const stop = clock.every(againMs, () => void open());
  await open();

  return {
    async run(script, keys, args) {
      const asked = client;
      if (asked === null) return null;
      try {
        const reply = await inTime(evaluate(asked, script, keys, args), answerMs);
        tell(null);
        return reply;
      } catch (error) {
        // A server that says no is there: it is full, or read-only, or does not let us.
        if (error instanceof ErrorReply) tell(messageOf(error));
        else drop(asked, error);
        return null;
      }
    },
    isThere: () => client !== null,
    isWell: () => isWell === true,
    onBack: (listener) => void listeners.push(listener),
    async close() {
      closed = true;
      stop();
      const last = client;
      client = null;
      await inTime(last?.close() ?? Promise.resolve(), answerMs).catch(() => last?.destroy());
    },
  };
}

/** New each time: the client writes into what it is given. */
const clientOptions = (url: string) =>
  ({
    url,
    // What every server of the last years speaks, and nothing asked of it before the first command.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    // We open the next connection ourselves: a server that hangs keeps its old one open.
    socket: { connectTimeout: connectMs, reconnectStrategy: false },
  }) as const;

async function evaluate(
  client: Client,
  { text, sha }: RedisScript,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const given = { keys: [...keys], arguments: [...args] };
  try {
    return await client.evalSha(sha, given);
  } catch (error) {
    if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
    return client.eval(text, given);
  }
}

async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fault = new Fault(`there was no answer within ${timeoutMs} ms`);
    // Where it was this process that stood still, the answer is there and is read first.
    timer = setTimeout(() => setImmediate(reject, fault), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
