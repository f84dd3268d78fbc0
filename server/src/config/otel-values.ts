/** How OpenTelemetry's variables spell their values. An empty one counts as not set; what is wrong is named, and never repeated. */

export type Env = Readonly<Record<string, string | undefined>>;

export type Reader = <T>(
  name: string,
  fallback: T,
  parse: (text: string) => T | undefined,
  expected: string,
) => T;

/** A variable that several signals share is said to be wrong once. */
export function readerOf(env: Env, mistakes: string[]): Reader {
  return (name, fallback, parse, expected) => {
    const text = env[name]?.trim() ?? '';
    if (text === '') return fallback;
    const value = parse(text);
    const mistake = `${name}: expected ${expected}`;
    if (value === undefined && !mistakes.includes(mistake)) mistakes.push(mistake);
    return value ?? fallback;
  };
}

export function oneOf<const T extends string>(values: readonly T[]): (text: string) => T | undefined {
  return (text) => values.find((value) => value === text.toLowerCase());
}

export function booleanOf(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
}

const maxEntries = 100;

/** `key=value,key=value`, both in percent-encoding. */
export function keyValues(text: string): Readonly<Record<string, string>> | undefined {
  const entries: [string, string][] = [];
  for (const entry of text.split(',')) {
    if (entry.trim() === '') continue;
    const at = entry.indexOf('=');
    const key = decoded(entry.slice(0, Math.max(at, 0)).trim());
    const value = decoded(entry.slice(at + 1).trim());
    if (at < 1 || key === undefined || key === '' || value === undefined) return undefined;
    entries.push([key, value]);
  }
  return entries.length > maxEntries ? undefined : Object.fromEntries(entries);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Said by the connection, or by how the body is written. */
const ours = /^(host|connection|content-(length|type|encoding)|transfer-encoding|expect|te|upgrade)$/i;

/** Names are header names, values are what a header can carry. */
export function headerLines(text: string): Readonly<Record<string, string>> | undefined {
  const entries = keyValues(text);
  if (entries === undefined) return undefined;
  const fit = Object.entries(entries).every(
    ([name, value]) =>
      /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !ours.test(name) && /^[\x20-\x7e]*$/.test(value),
  );
  return fit ? entries : undefined;
}
