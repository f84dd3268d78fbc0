import { type Clock, systemClock } from '#foundation';
import { createLog, type Log, type LogLevel } from './log.ts';
import { createLogOutput } from './log-output.ts';

/** The log of the process, on stdout, and what is printed there for people: one after the other, none within another. */
export interface ProcessLog {
  readonly log: Log;
  /** As it is. */
  print(text: string): void;
  /** A line of another process, as JSON. */
  passOn(line: string): void;
  /** Everything said until now is written, or cannot be in time. */
  flush(): Promise<void>;
  /** As the process ends. */
  flushNow(): void;
}

export interface ProcessLogOptions {
  readonly level: LogLevel;
  /** `pretty`: for people at a terminal. */
  readonly format: 'json' | 'pretty';
  readonly fd: number;
  readonly clock?: Clock;
}

export async function openProcessLog({
  level,
  format,
  fd,
  clock = systemClock,
}: ProcessLogOptions): Promise<ProcessLog> {
  const formatted = format === 'pretty' ? await prettyLines() : (line: string) => line;
  const output = createLogOutput({
    fd,
    onLost: (lines) => log.warn({ lines }, 'lines of the log were lost, as stdout took no more'),
  });
  const log = createLog({ level, clock, write: (line) => output.write(formatted(line)) });
  const { write, flush, flushNow } = output;
  return { log, print: write, passOn: (line) => write(formatted(`${line}\n`)), flush, flushNow };
}

/** Loaded only where somebody reads it. */
async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    messageFormat: headline,
  });
  return (line) => pretty(harmless(line));
}

/** What was called, and what came of it, before all the fields. */
function headline({ msg, tool, decision, code, duration_ms: durationMs }: Record<string, unknown>): string {
  if (decision === undefined) return String(msg);
  const said = [msg, tool, decision, code].filter((part) => typeof part === 'string');
  return said.join(' ') + (typeof durationMs === 'number' ? ` (${durationMs} ms)` : '');
}

/**
 * A terminal acts on control characters, and some of what is told was written by others: they are shown, as JSON escapes them.
 * Line breaks and tabs stay, of which stacks are made.
 */
function harmless(line: string): string {
  return line
    .replace(/\\(u00[01][0-9a-f]|[bfr]|.)/g, (escaped, code: string) =>
      /^(u00|[bfr])/.test(code) ? `\\${escaped}` : escaped,
    )
    .replace(/[\u007f-\u009f]/g, (char) => `\\\\u00${char.charCodeAt(0).toString(16)}`);
}
