/** A path into the config file: `['gateways', 0, 'slug']`. */
export type Path = readonly PropertyKey[];

/** Where something stands in the config file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `gateways[0].slug`; empty for the file as a whole. */
  readonly path: string;
}

export interface ConfigMistake extends Place {
  /** What was expected, or what is wrong. Holds no value of a secret. */
  readonly message: string;
}

/** `sallyport.yaml:12:7 gateways[0].slug: expected …` */
export function formatMistake({ file, line, column, path, message }: ConfigMistake): string {
  return `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${message}`;
}

export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w-]+$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(shorten(String(key)))}]`;
  }
  return text;
}

/** The message for a key that nothing knows, with the known key that was probably meant. */
export function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== null) return `unknown key; did you mean "${meant}"?`;
  return `unknown key; expected ${known.length === 0 ? 'none' : `one of ${known.join(', ')}`}`;
}

function nearest(key: string, known: readonly string[]): string | null {
  const given = plain(key);
  let best: string | null = null;
  let bestDistance = Math.floor(given.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(given, plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `toolFilter`, `tool-filter` and `tool_filter` are the same to whoever types them. */
function plain(key: string): string {
  return shorten(key).toLowerCase().replaceAll(/[_-]/g, '');
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text;
}
