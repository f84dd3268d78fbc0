import type { FlatFields } from './log.ts';

/** All but quotes, backslashes, control characters and halves of surrogate pairs: what JSON takes as it is. */
const unsafe = /[^\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]/;

/** A line at level `info`, in pino's form. Written by hand, as there is one for every call. */
export function flatLine(time: string, more: string, fields: FlatFields, message: string): string {
  let line = `{"level":30,"time":"${time}"${more}`;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === 'string') line += `,"${name}":${quoted(value)}`;
    else if (typeof value === 'boolean' || Number.isFinite(value)) line += `,"${name}":${value}`;
  }
  return `${line},"msg":${quoted(message)}}\n`;
}

function quoted(text: string): string {
  return unsafe.test(text) ? JSON.stringify(text) : `"${text}"`;
}
