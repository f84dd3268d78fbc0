import { relative } from 'node:path';
import type { FileChange } from '../files/file-change.ts';
import { objectsOf } from '../manifests/made-file.ts';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import type { Project } from '../spec/load.ts';
import { type Difference, differences } from './difference.ts';

/** What a file in git says otherwise than its server.yaml would have it. */
export interface FileDiff {
  /** From the root of the repository. */
  readonly file: string;
  readonly objects: readonly {
    readonly title: string;
    readonly change: 'new' | 'changed' | 'gone';
    readonly differences: readonly Difference[];
  }[];
  /** It differs in something other than objects: a list, a comment, spacing. */
  readonly isText: boolean;
}

/** Compares the files as they are with what `deploy generate` would write, by what they mean. */
export function gitDiff({ root }: Pick<Project, 'root'>, changes: readonly FileChange[]): FileDiff[] {
  return changes
    .filter(({ before, after }) => before !== after)
    .map(({ path, before, after }) => {
      const file = relative(root, path).replaceAll('\\', '/');
      if (!/\.ya?ml$/.test(path)) return { file, objects: [], isText: true };
      const objects = objectChanges(objectsOf(file, before ?? ''), objectsOf(file, after ?? ''));
      return { file, objects, isText: objects.length === 0 };
    });
}

function objectChanges(
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
): FileDiff['objects'] {
  const key = (object: KubernetesObject) => `${object.apiVersion} ${objectTitle(object)}`;
  const old = new Map(before.map((object) => [key(object), object]));
  const now = new Map(after.map((object) => [key(object), object]));
  const added = after.filter((object) => !old.has(key(object)));
  const gone = before.filter((object) => !now.has(key(object)));
  const both = before.flatMap((object) => {
    const other = now.get(key(object));
    const found = other === undefined ? [] : differences(object, other);
    return found.length === 0
      ? []
      : [{ title: objectTitle(object), change: 'changed' as const, differences: found }];
  });
  return [
    ...both,
    ...added.map((object) => ({ title: objectTitle(object), change: 'new' as const, differences: [] })),
    ...gone.map((object) => ({ title: objectTitle(object), change: 'gone' as const, differences: [] })),
  ];
}
