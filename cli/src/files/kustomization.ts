import { posix } from 'node:path';
import { CommandError } from '../command-error.ts';
import { applyEdits } from './apply-edits.ts';
import { insertItem, setValue } from './yaml-edit.ts';
import { readYamlFile, type YamlDocument } from './yaml-file.ts';

const fresh = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n';

/** The text of a kustomization.yaml that lists the file, too; unchanged where it does already. `null`: there is none yet. */
export function addResource(path: string, text: string | null, entry: string): string {
  if (text === null) return `${fresh}  - ${entry}\n`;
  const document = documentOf(path, text);
  const resources = resourcesOf(document);
  if (resources.some((one) => isSame(one, entry))) return text;
  const listed = document.node(['resources']);
  const edits =
    listed === undefined || listed === null || resources.length === 0
      ? setValue(document, ['resources'], [entry])
      : insertItem(document, ['resources'], placeOf(resources, entry), entry);
  return edited(path, text, edits);
}

/** What `resources` lists, as it is written. */
export function resourcesOf(document: YamlDocument): readonly string[] {
  const { resources } = (document.object ?? {}) as { readonly resources?: unknown };
  return Array.isArray(resources) ? resources.map(String) : [];
}

/** A sorted list stays sorted; to any other it comes last. */
function placeOf(resources: readonly string[], entry: string): number {
  const isSorted = resources.every((one, at) => at === 0 || (resources[at - 1] as string) <= one);
  const later = resources.findIndex((one) => one > entry);
  return isSorted && later !== -1 ? later : resources.length;
}

const isSame = (one: string, other: string): boolean => posix.normalize(one) === posix.normalize(other);

function documentOf(path: string, text: string): YamlDocument {
  const [document, ...more] = readYamlFile(path, text).documents;
  if (document === undefined || more.length > 0) {
    throw new CommandError('kustomization.invalid', `${path} must hold one document, a Kustomization.`);
  }
  return document;
}

function edited(path: string, text: string, edits: ReturnType<typeof setValue>): string {
  if (edits !== null) return applyEdits(text, edits);
  throw new CommandError(
    'kustomization.not-editable',
    `${path} cannot be edited without losing something: write its resources as a plain list.`,
  );
}
