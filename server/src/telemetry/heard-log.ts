import type { Log, LogLevel } from './log.ts';

/** What one line says; among the fields, `trace_id` where it belongs to a request. */
export interface HeardLine {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly message: string;
  readonly fields: { readonly [name: string]: unknown };
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];

/** `log`, and `hear` is told each line from this level on, too. It must not throw, nor log. */
export function heardLog(log: Log, from: LogLevel, hear: (line: HeardLine) => void): Log {
  return heard(log, new Set(levels.slice(levels.indexOf(from))), {}, hear);
}

function heard(
  log: Log,
  wanted: ReadonlySet<LogLevel>,
  own: HeardLine['fields'],
  hear: (line: HeardLine) => void,
): Log {
  const tell = (level: HeardLine['level'], fields: object, message: string) => {
    if (wanted.has(level)) hear({ level, message, fields: { ...own, ...fields } });
  };
  const both = (level: HeardLine['level']) => (fields: object, message: string) => {
    log[level](fields, message);
    tell(level, fields, message);
  };
  return {
    debug: both('debug'),
    info: both('info'),
    warn: both('warn'),
    error: both('error'),
    each(fields, message) {
      log.each(fields, message);
      tell('info', fields, message);
    },
    child: (fields) => heard(log.child(fields), wanted, { ...own, ...fields }, hear),
  };
}
