import { CommandError } from '../command-error.ts';
import type { Io } from './io.ts';
import { printableLine } from './printable.ts';

/** What whoever sits there is asked; where nobody does, it must stand on the command line. */

type AskIo = Pick<Io, 'stdin' | 'stderr'>;

/** A question that only `y` or `yes` says yes to. `yes`: was said on the command line. */
export async function confirm(io: AskIo, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (io.stdin.isTTY !== true) {
    throw new CommandError('confirm.needed', `${question} Nothing was changed.`, [
      '--yes says yes where nobody can be asked.',
    ]);
  }
  io.stderr.write(`${printableLine(question)} [y/N] `);
  const answer = await line(io.stdin);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('confirm.refused', 'Nothing was changed.');
}

/** A secret: typed without being shown, or piped in. Never an argument, which others on the machine can see. */
export async function askSecret(io: AskIo, question: string): Promise<string> {
  const { stdin, stderr } = io;
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return (await line(stdin)).trim();
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    return (await typed(stdin)).trim();
  } finally {
    stdin.setRawMode(false);
    stderr.write('\n');
  }
}

/** All that is piped in. */
export async function readAll(stdin: Io['stdin'], greatestBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += part.byteLength;
    if (bytes > greatestBytes) throw new CommandError('input.too_large', 'what is piped in is too large');
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const greatestLine = 64 * 1024;

async function line(stdin: Io['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += Buffer.from(chunk as Uint8Array).toString('utf8');
    const end = text.search(/[\r\n]/);
    if (end !== -1) return text.slice(0, end);
    if (text.length > greatestLine) break;
  }
  return text;
}

/** Keys of a terminal in raw mode, up to the end of the line. */
async function typed(stdin: Io['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    for (const key of Buffer.from(chunk as Uint8Array).toString('utf8')) {
      if (key === '\r' || key === '\n' || key === '\u0004') return text;
      if (key === '\u0003') throw new CommandError('interrupted', 'interrupted');
      if (key === '\u007f' || key === '\b') text = text.slice(0, -1);
      else if (key >= ' ') text += key;
    }
  }
  return text;
}
