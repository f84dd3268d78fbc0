import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StandIn } from './oauth-providers/index.ts';

/** Everything that this stand-in gave, took or checked that nobody else may read: tokens, codes, verifiers, its client's secret. */
export function secretsOf(standIn: StandIn): readonly string[] {
  const verifiers = standIn.requests.flatMap(({ form }) => form.get('code_verifier') ?? []);
  return [...new Set([...standIn.given, ...standIn.codes, ...verifiers, standIn.clientSecret])];
}

/** Where any of these can be read, as it is or encoded: in a file below this directory, or in one of these texts. */
export function leaksOf(
  secrets: readonly string[],
  directory: string,
  texts: Readonly<Record<string, string>>,
): readonly string[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => [name, join(directory, name)] as const)
    .filter(([, path]) => statSync(path).isFile())
    .map(([name, path]) => [name, readFileSync(path).toString('latin1')] as const);
  const forms = secrets.flatMap(formsOf);
  return [...files, ...Object.entries(texts)].flatMap(([name, text]) =>
    forms.filter((form) => text.includes(form)).map((form) => `${name}: ${form.slice(0, 12)}…`),
  );
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      base64,
      bytes.toString('base64url'),
      bytes.toString('hex'),
    ]),
  ];
}
