import { pino } from 'pino';
import { type Clock, systemClock } from '#foundation';
import { flatLine } from './flat-line.ts';

/** Structured logging. Fields are for facts, never for arguments, results, tokens or secrets. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** `info`, for what is said of every call: costs a tenth. What is `null` or left out is not written. */
  each(fields: FlatFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface FlatFields {
  readonly [name: string]: string | number | boolean | null | undefined;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Gets each line: JSON, with a line break at its end. */
  readonly write: (line: string) => void;
  readonly clock?: Clock;
}

/** JSON lines as pino writes them. */
export function createLog({ level, write, clock = systemClock }: LogOptions): Log {
  const timestamp = () => `,"time":"${clock.iso()}"`;
  return logOf(pino({ level, base: null, timestamp }, { write }), { write, clock, fields: '' });
}

interface Flat {
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** Of this logger: members of an object, each with a comma before it. */
  readonly fields: string;
}

type Pino = ReturnType<typeof pino>;

function logOf(lines: Pino, flat: Flat): Log {
  const tells = lines.isLevelEnabled('info');
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    each(fields, message) {
      if (tells) flat.write(flatLine(flat.clock.iso(), flat.fields, fields, message));
    },
    child(fields) {
      const own = JSON.stringify(fields).slice(1, -1);
      const more = own === '' ? flat.fields : `${flat.fields},${own}`;
      return logOf(lines.child(fields), { ...flat, fields: more });
    },
  };
}

/** Says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  each() {},
  child: () => silentLog,
};
