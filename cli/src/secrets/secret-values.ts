import { parseEnv } from 'node:util';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import type { Io } from '../output/io.ts';

const keySyntax = /^[A-Za-z0-9._-]{1,253}$/;
const greatestBytes = 1024 * 1024;

/**
 * The values to seal, by their key in the Secret. What they are is never told: not in errors, and nowhere else.
 * `keyOfVariable` says under which key the Secret has what a server knows as a variable.
 */
export async function readSecretValues(
  io: Pick<Io, 'stdin'>,
  given: { readonly envFiles: readonly string[]; readonly stdinKeys: readonly string[] },
  keyOfVariable: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const path of given.envFiles) {
    const text = await readText(path);
    if (text === null) throw new CommandError('seal.no-file', `There is no ${path}.`);
    const variables = Object.entries(parseEnv(text));
    if (variables.length === 0) {
      throw new CommandError('seal.empty-file', `${path} has no line of the form NAME=value.`);
    }
    for (const [variable, value = ''] of variables)
      values.set(keyOfVariable.get(variable) ?? variable, value);
  }
  const [stdinKey, ...more] = given.stdinKeys;
  if (more.length > 0)
    throw new CommandError('seal.one-stdin', 'There is one stdin: --from-stdin can be given once.');
  if (stdinKey !== undefined) {
    values.set(keyOfVariable.get(stdinKey) ?? stdinKey, (await readAll(io)).replace(/\r?\n$/, ''));
  }
  for (const [key, value] of values) {
    if (!keySyntax.test(key))
      throw new CommandError('seal.key-invalid', `${key} is no key of a Secret: A-Z a-z 0-9 - _ . only.`);
    if (value === '')
      throw new CommandError('seal.empty-value', `The value of ${key} is empty: nothing was sealed.`);
  }
  if (values.size === 0) {
    throw new CommandError('seal.nothing', 'Nothing to seal was given.', [
      '--from-env-file takes a file of NAME=value lines, --from-stdin KEY the value itself.',
    ]);
  }
  return values;
}

async function readAll({ stdin }: Pick<Io, 'stdin'>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  try {
    for await (const chunk of stdin) {
      text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      if (text.length > greatestBytes)
        throw new CommandError('seal.too-large', 'More than 1 MiB fits into no Secret.');
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('seal.not-text', 'What stdin gives is not text in UTF-8.');
  }
}
