import { pino } from 'pino';
import { type Clock, systemClock } from '#foundation';

/** Structured logging. Fields are for facts, never for arguments, results, tokens or secrets. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** `info`, for what is said of every call: at half the cost. */
  each(fields: FlatFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface FlatFields {
  readonly [name: string]: string | number | boolean | undefined;
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
      if (!tells) return;
      const said = `${flat.fields}${members(fields)},"msg":${JSON.stringify(message)}`;
      flat.write(`{"level":30,"time":"${flat.clock.iso()}"${said}}\n`);
    },
    child(fields) {
      return logOf(lines.child(fields), { ...flat, fields: flat.fields + members(fields) });
    },
  };
}

/** The engine's own way is faster than one by hand, and escapes all that must be. */
function members(fields: object): string {
  const json = JSON.stringify(fields);
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
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
