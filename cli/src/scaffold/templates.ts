import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside `src`, in the repository as in the published package. */
const folder = join(import.meta.dirname, '../../templates');
const ending = '.template';

/** What stands for `{{word}}` in a template. */
export type Words = Readonly<Record<string, string>>;

/**
 * The files of one template, by their path, with their words filled in. `{{json:word}}` is the word as a JSON string, which is
 * a string of TypeScript, Python and YAML, too.
 */
export function fillTemplate(name: string, words: Words): Map<string, string> {
  const root = join(folder, name);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(ending),
  );
  return new Map(
    files.map((path) => [
      path.slice(0, -ending.length).replaceAll('\\', '/'),
      fill(readFileSync(join(root, path), 'utf8'), words),
    ]),
  );
}

function fill(text: string, words: Words): string {
  return text.replace(/\{\{(json:)?(\w+)\}\}/g, (_, asJson: string | undefined, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`a template has the unknown word ${word}`);
    return asJson === undefined ? value : JSON.stringify(value);
  });
}
