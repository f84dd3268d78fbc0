import type { Source, StdioCommand } from '#domain';
import type { EgressFailure } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Log } from '#telemetry';
import { veilOf } from '../../veil.ts';
import { type Channel, createChannel } from './channel.ts';
import { createLineReader } from './stdio-lines.ts';
import { createLineLog } from './stdio-log.ts';
import { startServerProcess } from './stdio-process.ts';

export interface StdioOptions {
  readonly source: Source;
  readonly command: StdioCommand;
  /** What every process gets of our environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

const unwritten = {
  closed: { kind: 'unreachable', message: 'its process closed its standard input', sent: false },
  // Not a dead process: another one would fare no better.
  full: { kind: 'timeout', message: 'its process does not read its standard input', sent: false },
} as const;
const maxStderrBytes = 4000;

/** Why a process is of no more use; see `EgressFailure`. */
export type Ending = Pick<EgressFailure, 'message' | 'aside'>;

/**
 * Starts a process and speaks to it, one message a line. `onOver` is called once, as soon as it is of no more use: with
 * why it ended, or `null` where we ended the channel.
 */
export async function openStdioChannel(
  { source, command, env, maxMessageBytes, clock, log }: StdioOptions,
  onOver: (why: Ending | null) => void,
): Promise<Result<Channel, Ending>> {
  const said = createOutputLog(source, clock, log);
  let flaw: string | null = null;
  let isOurs = false;

  const started = await startServerProcess({
    command,
    env,
    clock,
    onStdout: createLineReader({
      maxBytes: maxMessageBytes,
      onLine(line) {
        if (channel.receive(line) !== null) said.stray.add(line);
      },
      onTooLong: (beginning) => channel.tooLarge(beginning, maxMessageBytes),
      onEndless() {
        flaw = `wrote more than ${2 * maxMessageBytes} bytes in one line and was ended`;
        child.stop();
      },
    }),
    onStderr: createLineReader({
      maxBytes: maxStderrBytes,
      onLine: said.stderr.add,
      onTooLong: said.stderr.add,
      onEndless() {},
    }),
    onGone(how) {
      const before = channel.spoke() ? '' : ' before it said anything in JSON-RPC';
      const why = { message: `its process ${flaw ?? how}${before}`, aside: said.hint() };
      const kind = channel.spoke() ? 'interrupted' : 'unreachable';
      channel.fail({ kind, ...why, sent: true });
      if (!isOurs) onOver(why);
    },
  });
  if (!started.ok) return err({ message: started.error });
  const child = started.value;

  const channel = createChannel({
    clock,
    async write(body) {
      // In JSON, a line break between two tokens is as good as a space; elsewhere there is none.
      const outcome = child.write(body.replace(/[\r\n]/g, ' '));
      return outcome === 'written' ? null : err(unwritten[outcome]);
    },
    close() {
      isOurs = true;
      child.stop();
      onOver(null);
    },
    hint: said.hint,
  });
  return ok(channel);
}

function createOutputLog(source: Source, clock: Clock, log: Log) {
  const veil = veilOf(source);
  const fields = { source: source.id };
  const stderr = createLineLog(clock, veil, (text) => log.info(fields, `stderr of a source: ${text}`));
  const stray = createLineLog(clock, veil, (text) =>
    log.debug(fields, `no JSON-RPC on stdout of a source: ${text}`),
  );
  return {
    stderr,
    stray,
    /** What it wrote besides, for the operator who wonders what is wrong with it. */
    hint(): string {
      const error = stderr.last();
      const text = error === null ? '' : `; the last it wrote to stderr: ${error}`;
      const other = stray.last();
      if (other === null) return text;
      const lines =
        stray.count() === 1 ? '1 line on its stdout was' : `${stray.count()} lines on its stdout were`;
      return `${text}; ${lines} no JSON-RPC, the last: ${other}`;
    },
  };
}
