import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../command-error.ts';
import { readYamlFile } from '../files/yaml-file.ts';
import { isKubernetesObject, type KubernetesObject } from './object.ts';
import { printManifests } from './print.ts';

const mark = 'Made by sallyport deploy generate from ';

/** A file of manifests with who made it, so that it is told from one that a person wrote. */
export function madeText(objects: readonly KubernetesObject[], source: string): string {
  return printManifests(objects, [
    `${mark}${source}`,
    'Change that, and run it again: what is written here gets lost.',
  ]);
}

/** The server.yaml that a file was made from; `null` where a person wrote it. */
export function madeFrom(text: string): string | null {
  const line = /^# Made by sallyport deploy generate from (.+)$/m.exec(text.slice(0, 1000))?.[1];
  return line?.trimEnd() ?? null;
}

/** The objects of a file as it is. */
export function objectsOf(path: string, text: string): readonly KubernetesObject[] {
  return readYamlFile(path, text)
    .documents.map(({ object }) => object)
    .filter(isKubernetesObject);
}

/** What the file is to say: as it is, where it says the same already, comments and all. */
export function updatedText(
  path: string,
  shown: string,
  before: string | null,
  objects: readonly KubernetesObject[],
  source: string,
  replace: boolean,
): string {
  if (before === null) return madeText(objects, source);
  if (saysTheSame(path, before, objects)) return before;
  if (madeFrom(before) === null && !replace) {
    throw new CommandError('manifest.foreign', `${shown} was not made by sallyport deploy generate`, [
      `sallyport deploy import ${shown} reads it into a server.yaml, and loses nothing.`,
      '--replace writes over it; --dry-run shows what that would change.',
    ]);
  }
  return madeText(objects, source);
}

/** A file that cannot be read says something else, whatever it is. */
function saysTheSame(path: string, text: string, objects: readonly KubernetesObject[]): boolean {
  try {
    return isDeepStrictEqual(objectsOf(path, text), objects);
  } catch {
    return false;
  }
}
