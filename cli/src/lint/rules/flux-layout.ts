import { basename, dirname, posix } from 'node:path';
import { insertItem, setValue } from '../../files/yaml-edit.ts';
import type { YamlDocument } from '../../files/yaml-file.ts';
import type { Repository } from '../repository.ts';
import type { Rule, Say } from '../rule.ts';
import { list, mapping } from '../values.ts';

export const fluxLayout: Rule = {
  id: 'flux-layout',
  level: 'warning',
  what: 'manifests are listed in kustomization.yaml; in a folder that Flux applies as it is, there is none',
  why: 'Flux applies what kustomization.yaml lists: a file that is missing there is never deployed, and one that is listed but gone stops everything. In a folder without one Flux applies all files, until somebody adds a kustomization.yaml.',
  fixable: true,
  check: (repository, say) => {
    const { conventions } = repository.project;
    const manifests = repository.files.filter(({ kind }) => kind === 'manifest');
    for (const { kind, shown } of repository.files) {
      if (kind !== 'kustomization') continue;
      if (conventions.layout === 'recursive') {
        say(
          { file: shown, line: 1, column: 1 },
          'Flux applies this folder as it is; with this file it applies only what is listed: remove it, or say layout: kustomization.',
        );
      } else checkListed(shown, repository, say);
    }
    if (conventions.layout !== 'kustomization') return;
    const folders = new Set(
      repository.files.filter(({ kind }) => kind === 'kustomization').map(({ shown }) => dirname(shown)),
    );
    for (const { shown } of manifests) {
      const isCovered = [...folders].some((folder) => shown.startsWith(folder === '.' ? '' : `${folder}/`));
      const hasObjects = repository.ofFile(shown).some(({ apiVersion }) => apiVersion !== '');
      if (!isCovered && hasObjects && shown.startsWith(`${conventions.folder}/`))
        say(
          { file: shown, line: 1, column: 1 },
          `No kustomization.yaml lists ${basename(shown)}: sallyport deploy generate makes one.`,
        );
    }
  },
};

function checkListed(shown: string, repository: Repository, say: Say): void {
  const { yaml, files, project } = repository;
  const document = yaml.get(shown)?.documents[0];
  if (document === undefined || document.object === null) return;
  const listed = list(mapping(document.object).resources).map(String);
  const folder = dirname(shown);
  const there = new Set(files.map((file) => file.shown));
  for (const [index, entry] of listed.entries()) {
    const path = posix.normalize(posix.join(folder, entry));
    const isLocalFile = /\.ya?ml$/.test(entry) && !entry.includes('://') && !path.startsWith('..');
    if (!isLocalFile || there.has(path)) continue;
    const message = `${entry} is listed and not there, so nothing of this folder can be applied: remove it, or add the file.`;
    say({ file: shown, ...document.at(['resources', index]) }, message, { level: 'error' });
  }
  const missing = unlisted(repository, folder, document);
  const edits = missing.map((name) => insertItem(document, ['resources'], listed.length, name));
  const added =
    listed.length === 0 ? setValue(document, ['resources'], missing) : edits.flatMap((edit) => edit ?? []);
  const isOwn = folder === project.conventions.folder;
  for (const name of missing) {
    const message = `${name} is not listed, so Flux does not apply it: add it to resources.`;
    const level = isOwn ? 'error' : 'warning';
    say({ file: shown, ...document.atKey(['resources']) }, message, { level, fix: added ?? undefined });
  }
}

/** Files with objects that the kustomization of their folder uses in no way. */
function unlisted(
  { files, ofFile }: Repository,
  folder: string,
  { object }: YamlDocument,
): readonly string[] {
  const listed = new Set(list(mapping(object).resources).map((entry) => posix.normalize(`${entry}`)));
  const named = JSON.stringify({ ...mapping(object), resources: [] });
  return files
    .filter(({ kind, shown }) => kind === 'manifest' && dirname(shown) === folder)
    .filter(({ shown }) => ofFile(shown).some(({ apiVersion }) => !/^(kustomize|sallyport)/.test(apiVersion)))
    .map(({ shown }) => basename(shown))
    .filter((name) => !listed.has(name) && !named.includes(`"${name}"`));
}
