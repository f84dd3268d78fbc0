import { secretReferences } from '@sallyport/contracts';
import type { Source } from '#domain';
import type { MaybePromise } from '#foundation';
import type { SourceDeps } from './contract.ts';

/** Anything shorter would veil ordinary words. */
const shortest = 6;

type Veil = <Said>(said: Said) => Said;

/**
 * Takes a source's secrets out of what was said about it: a server that refuses a credential may well repeat it, and what
 * it says comes into statuses, logs, records and answers.
 */
export function veilOf({ secret, secrets, headers, stdio, uri }: Source): Veil {
  return veiling([
    ...(secret === null ? [] : [secret]),
    ...Object.values(secrets),
    ...Object.values(stdio?.env ?? {}),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]),
    ...(URL.parse(uri)?.searchParams.values() ?? []),
  ]);
}

/** The secrets of the project that the source refers to as well, as they are now. */
export function fullVeilOf(source: Source, secretOf: SourceDeps['secretOf']): () => MaybePromise<Veil> {
  const veil = veilOf(source);
  const names = [...new Set(Object.values(source.headers).flatMap(secretReferences))].filter(
    (name) => !Object.hasOwn(source.secrets, name),
  );
  if (names.length === 0 || secretOf === undefined) return () => veil;
  return async () => {
    const values = await Promise.all(names.map((name) => secretOf(source.projectId, name)));
    const more = veiling(
      values.filter((value) => value !== null).flatMap((value) => [value, ...value.split(/\s+/)]),
    );
    return (said) => more(veil(said));
  };
}

function veiling(words: readonly string[]): Veil {
  const veiled = [...new Set(words)]
    .filter((word) => word.length >= shortest)
    .sort((a, b) => b.length - a.length)
    .map((word) => JSON.stringify(word).slice(1, -1));
  return (said) => {
    let text = JSON.stringify(said);
    for (const word of veiled) text = text.replaceAll(word, '[redacted]');
    return JSON.parse(text);
  };
}
