import type { EgressFailure } from '#egress';
import { err, type Result } from '#foundation';
import type { Channel } from './channel.ts';
import { type Ending, openStdioChannel, type StdioOptions } from './stdio-channel.ts';
import type { Line, Transport } from './transport.ts';

interface Running {
  readonly opened: Promise<Result<Line, EgressFailure>>;
  /** `null` until it is started. */
  channel: Channel | null;
}

/** Why the last process ended, and when the next may be started. */
interface BackOff {
  readonly failures: number;
  readonly untilMs: number;
  readonly why: Ending;
}

const maxProcesses = 50;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** A process that lasted this long was well. */
const wellMs = 60_000;
const idleMs = 10 * 60_000;
const endedByUs: Ending = { message: 'the last process for it was ended after a short time' };

/**
 * MCP servers in processes of ours: one for all, or one for each owner. Started when first needed; one that ended is
 * started again at the next need: at once the first time, then ever more rarely while it does not last.
 */
export function createStdio(options: StdioOptions): Transport {
  const { clock, command } = options;
  const running = new Map<string, Running>();
  const backOffs = new Map<string, BackOff>();
  const stopSweeping = clock.every(60_000, sweep);
  let closed = false;

  function sweep(): void {
    const nowMs = clock.monotonic();
    for (const [key, { untilMs }] of backOffs) {
      if (nowMs >= untilMs + wellMs) backOffs.delete(key);
    }
    for (const { channel } of command.perUser ? running.values() : []) {
      const since = channel?.idleSinceMs() ?? null;
      if (since !== null && nowMs >= since + idleMs) void channel?.end(null);
    }
  }

  function refusal(key: string): EgressFailure | null {
    const backOff = backOffs.get(key);
    const leftMs = (backOff?.untilMs ?? 0) - clock.monotonic();
    if (closed) return { kind: 'stopped', message: 'the source was closed', sent: false };
    if (backOff !== undefined && leftMs > 0) {
      const { message, aside = '' } = backOff.why;
      return unreachable({
        message: `${message}; it is started again in ${Math.ceil(leftMs / 1000)} s`,
        aside,
      });
    }
    if (running.size < maxProcesses) return null;
    return unreachable({
      message: `it has ${maxProcesses} processes for its users already, and gets no more`,
    });
  }

  /** It did not last, or could not be started at all. Once is no reason to let a call wait. */
  function failed(key: string, why: Ending): void {
    const failures = (backOffs.get(key)?.failures ?? 0) + 1;
    const pauseMs =
      failures === 1 ? 0 : Math.min(firstPauseMs * 2 ** Math.min(failures - 2, 10), longestPauseMs);
    backOffs.set(key, { failures, untilMs: clock.monotonic() + pauseMs, why });
  }

  function start(key: string): Running {
    const startedMs = clock.monotonic();
    const entry: Running = { channel: null, opened: open() };

    async function open(): Promise<Result<Line, EgressFailure>> {
      const started = await openStdioChannel(options, over);
      if (!started.ok) {
        over(started.error);
        return err(unreachable(started.error));
      }
      entry.channel = started.value;
      if (closed) await started.value.end(null);
      return started;
    }
    function over(why: Ending | null): void {
      if (running.get(key) === entry) running.delete(key);
      if (clock.monotonic() - startedMs >= wellMs) backOffs.delete(key);
      else failed(key, why ?? backOffs.get(key)?.why ?? endedByUs);
    }
    return entry;
  }

  return {
    async open(owner) {
      const key = command.perUser ? owner : '';
      const known = running.get(key);
      if (known !== undefined) return known.opened;
      const refused = refusal(key);
      if (refused !== null) return err(refused);
      const entry = start(key);
      running.set(key, entry);
      return entry.opened;
    },
    channels: true,
    mayBeModern: true,
    shared: !command.perUser,
    perUser: command.perUser,
    authorizes: false,
    close() {
      closed = true;
      stopSweeping();
      for (const { channel } of running.values()) void channel?.end(null);
    },
  };
}

function unreachable(why: Ending): EgressFailure {
  return { kind: 'unreachable', ...why, sent: false };
}
