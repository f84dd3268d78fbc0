import type { Source } from '#domain';

/** Anything shorter would veil ordinary words. */
const shortest = 6;

/**
 * Takes a source's secrets out of what was said about it: a server that refuses a credential may well repeat it, and what
 * it says comes into statuses, logs, records and answers.
 */
export function veilOf(source: Source): <Said>(said: Said) => Said {
  const { secret, secrets, headers, stdio, uri } = source;
  const words = [
    ...(secret === null ? [] : [secret]),
    ...Object.values(secrets),
    ...Object.values(stdio?.env ?? {}),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]),
    ...(URL.parse(uri)?.searchParams.values() ?? []),
  ];
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
