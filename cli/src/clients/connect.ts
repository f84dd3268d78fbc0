import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import type { FileChange } from '../files/file-change.ts';
import type { Client, Target } from './client.ts';
import { editEntry } from './edit-entry.ts';
import { mergeJson, removeJson } from './json-edit.ts';
import { toml } from './toml-table.ts';
import { yaml } from './yaml-entry.ts';

/** The file of a client with this server in it, or without it where `target` is `null`. */
export function clientChange(
  client: Client,
  file: { readonly path: string; readonly before: string | null },
  name: string,
  target: Target | null,
): FileChange {
  const { path, before } = file;
  if (before === null && target === null) return { path, before, after: null };
  const wanted = target === null ? null : client.entry(name, target);
  const { under, own, format } = client;
  const text = before ?? '';
  if (format !== 'json') {
    return { path, before, after: editEntry(syntaxes[format], text, path, { under, name, wanted, own }) };
  }
  const at = [under, name];
  const after =
    wanted === null ? applyEdits(text, removeJson(text, at, path)) : mergeJson(text, at, wanted, own, path);
  return { path, before, after };
}

const syntaxes = { toml, yaml } as const;

/** Refused where a value would have to stand in the file itself. */
export function checkReferences(client: Client, target: Target): void {
  if (client.reference !== null) return;
  if (Object.values(target.headers).every((value) => typeof value === 'string')) return;
  throw new CommandError(
    'connect.no_references',
    `${client.title} cannot take a header from the environment`,
    [
      'Leave out --key-env: it signs in by the browser, and no key is needed.',
      'Or --write-key writes the key itself into its file.',
    ],
  );
}

const secretField =
  /(["']?[\w-]*(?:key|token|secret|password|authorization|cookie|credential|HEADER_\d+)[\w-]*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',{}[\]]\S*)/gi;
const reference = /^["']?(?:Bearer )?(?:\$\{?[\w:]+\}?|\{env:\w+\})["']?$/;
const secretWord = /\b(sp_|sk-|ghp_|gho_|github_pat_|xox[a-z]-|glpat-|AKIA|eyJ)[\w.-]{6,}/g;

/** Lines of a difference may hold other people's keys, which stood in the file already. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(secretField, (whole, before: string, value: string) =>
      reference.test(value) || before.includes('env_var') ? whole : `${before}"***"`,
    )
    .replaceAll(secretWord, '***');
}
