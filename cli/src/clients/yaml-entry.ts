import { stringify } from 'yaml';
import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import { isMapping, type Mapping } from '../files/values.ts';
import { setValue } from '../files/yaml-edit.ts';
import { readYamlFile, type YamlDocument } from '../files/yaml-file.ts';
import { removeValue } from '../files/yaml-remove.ts';
import type { EntryChange, Syntax } from './edit-entry.ts';

/** Of a YAML file, the entry of a map. */
export const yaml: Syntax = { read, splice };

/** `undefined`: the file is empty. */
function documentOf(text: string, file: string): YamlDocument | undefined {
  const [document, ...more] = readYamlFile(file, text).documents;
  if (more.length === 0) return document;
  throw new CommandError('file.unexpected_yaml', `${file}: the file must be one document, and is several`);
}

function read(text: string, file: string): Mapping {
  const value = documentOf(text, file)?.object ?? {};
  if (isMapping(value)) return value;
  throw new CommandError('file.unexpected_yaml', `${file}: the file must be a map, and is not`);
}

function splice(text: string, { under, name }: EntryChange, whole: Mapping | undefined): string {
  const document = documentOf(text, '');
  if (!isMapping(document?.object)) {
    const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    return ended + stringify({ [under]: { [name]: whole } }, { lineWidth: 0 });
  }
  const isListed = isMapping(document.object[under]);
  const edits =
    whole === undefined
      ? removeValue(document, [under, name])
      : isListed
        ? setValue(document, [under, name], whole)
        : setValue(document, [under], { [name]: whole });
  return edits === null ? text : applyEdits(text, edits);
}
