import type { KeyObject } from 'node:crypto';
import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import { setValue } from '../files/yaml-edit.ts';
import { readYamlFile } from '../files/yaml-file.ts';
import { isKubernetesObject, type KubernetesObject } from '../manifests/object.ts';
import { printYaml } from '../manifests/print.ts';
import { type SealTarget, scopeOf, sealedSecret, sealValue } from './seal.ts';

/**
 * The text of a file of manifests with these values sealed in it. Keys of the SealedSecret that are not given stay as they
 * are, to the byte; one that is not there yet is put at the end.
 */
export function sealInto(
  shown: string,
  before: string,
  target: SealTarget,
  key: KeyObject,
  values: ReadonlyMap<string, string>,
): string {
  const file = readYamlFile(shown, before);
  const document = file.documents.find(({ object }) => isSealed(object, target));
  const sealed = [...values].map(([name, value]) => [name, sealValue(key, target, value)] as const);
  if (document === undefined) {
    const printed = printYaml(sealedSecret(target, Object.fromEntries(sealed)));
    if (before.trim() === '') return before + printed;
    const eol = before.includes('\r\n') ? '\r\n' : '\n';
    const isEmpty = file.documents.every(({ object }) => object === null);
    const start = `${before.endsWith('\n') ? '' : '\n'}${isEmpty ? '' : '---\n'}`;
    return before + `${start}${printed}`.replaceAll('\n', eol);
  }
  refuseOtherScope(shown, document.object as KubernetesObject, target);
  let text = before;
  for (const [name, value] of sealed) {
    const current = readYamlFile(shown, text).documents[document.index];
    const edits = current === undefined ? null : setValue(current, ['spec', 'encryptedData', name], value);
    if (edits === null) {
      throw new CommandError(
        'seal.not-editable',
        `${shown}: spec.encryptedData of ${target.name} cannot be edited: write it as a plain mapping.`,
      );
    }
    text = applyEdits(text, edits);
  }
  return text;
}

function isSealed(object: unknown, { name, namespace }: SealTarget): boolean {
  if (!isKubernetesObject(object) || object.kind !== 'SealedSecret') return false;
  return object.metadata.name === name && (object.metadata.namespace ?? namespace) === namespace;
}

/** The controller would open the new value and none of the old ones, or the other way round. */
function refuseOtherScope(shown: string, object: KubernetesObject, { name, scope }: SealTarget): void {
  const there = scopeOf(object);
  if (there === scope) return;
  throw new CommandError('seal.scope', `${name} in ${shown} is sealed ${there}, not ${scope}.`, [
    `Say --scope ${there}, or remove the SealedSecret and seal all of its keys anew.`,
  ]);
}
