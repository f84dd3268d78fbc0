import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { madeFrom } from '../manifests/made-file.ts';
import { printYaml } from '../manifests/print.ts';
import { registryPath } from '../ports/registry.ts';
import { type Project, shownPath } from '../spec/load.ts';
import { schemaFile, schemaLine } from '../spec/schema-line.ts';
import { commentsOf } from './comments.ts';
import { groupSources } from './group.ts';
import { type Imported, importServer } from './import-server.ts';
import { readSources, type Source } from './source.ts';

export interface ImportPlan {
  readonly servers: readonly (Imported & { readonly file: string })[];
  readonly changes: readonly FileChange[];
  /** Values of Secrets in these files, which nobody is to be shown. */
  readonly secretValues: readonly string[];
  /** Files that were left out, with the reason. */
  readonly leftOut: readonly string[];
}

/** Works out a server.yaml for every server in these manifests. `to`: the folder in which each gets one of its own. */
export async function planImport(
  paths: readonly string[],
  project: Project,
  to: string,
): Promise<ImportPlan> {
  const { sources, comments, leftOut } = await readAll(paths, project);
  const secretValues = secretValuesOf(sources);
  const servers: (Imported & { file: string })[] = [];
  const changes: FileChange[] = [];
  for (const group of groupSources(sources)) {
    const { name } = group.deployment.object.metadata;
    const target = join(project.folder, `${name}.yaml`);
    const imported = importServer(group, project, target);
    const folder = join(to, imported.name);
    const path = join(folder, 'server.yaml');
    const from = [...new Set([group.deployment, ...group.others].map((source) => source.path))];
    changes.push(
      ...(await filesOf(imported, project, folder, headOf(from, project, comments, secretValues))),
    );
    const stale = from.filter((one) => one !== target);
    const notes = stale.map(
      (one) =>
        `${shownPath(project, one)} is replaced by ${shownPath(project, target)}: remove it once that is generated`,
    );
    servers.push({ ...imported, notes: [...imported.notes, ...notes], file: shownPath(project, path) });
  }
  return { servers, changes, secretValues, leftOut };
}

/** The objects of all files but those that only list others, or were made of a server.yaml that is there. */
async function readAll(paths: readonly string[], project: Project) {
  const sources: Source[] = [];
  const comments = new Map<string, readonly string[]>();
  const leftOut: string[] = [];
  for (const path of paths) {
    const shown = shownPath(project, path);
    const text = await readText(path);
    if (text === null)
      throw new CommandError('import.no-file', `${shown} cannot be read: there is no such file`);
    const made = madeFrom(text);
    const isMade = made !== null && existsSync(join(project.root, made));
    if (isMade) leftOut.push(`${shown} is made from ${made} already`);
    else if (paths.length === 1 || !/^(kustomization\.ya?ml|Kustomization)$/.test(basename(path))) {
      if (path === registryPath(project)) continue;
      sources.push(...readSources(path, shown, text));
      comments.set(path, commentsOf(text));
    }
  }
  const [first] = leftOut;
  if (sources.length === 0 && first !== undefined) {
    throw new CommandError('import.made', first, [
      'Change that, and run sallyport deploy generate: there is nothing to import.',
    ]);
  }
  return { sources, comments, leftOut };
}

/** Where a server.yaml comes from, and what people said there that is no part of the manifests. */
function headOf(
  from: readonly string[],
  project: Project,
  comments: ReadonlyMap<string, readonly string[]>,
  secretValues: readonly string[],
): string {
  const files = from.map((path) => shownPath(project, path)).join(', ');
  const lines = from.flatMap((path) => comments.get(path) ?? []);
  const isSecret = (line: string) => secretValues.some((value) => line.includes(value));
  const told = lines.map((line) => `#   ${isSecret(line) ? line.slice(line.lastIndexOf(' #') + 1) : line}\n`);
  const title = told.length === 0 ? '' : '# Its comments:\n';
  return `# Read from ${files} by sallyport deploy import.\n${title}${told.join('')}`;
}

async function filesOf(
  { name, spec, code }: Imported,
  project: Project,
  folder: string,
  told: string,
): Promise<readonly FileChange[]> {
  const path = join(folder, 'server.yaml');
  const hasSchema = existsSync(join(project.root, schemaFile));
  const head = hasSchema ? schemaLine(project.root, path) : '';
  const files = { 'server.yaml': `${head}${told}${printYaml(spec)}`, ...code };
  if ('server.yaml' in code) {
    throw new CommandError('import.code-name', `the code of ${name} has a file server.yaml`, [
      'It would be taken for the spec: give it another name in the ConfigMap first.',
    ]);
  }
  const changes: FileChange[] = [];
  for (const [file, after] of Object.entries(files)) {
    const at = join(folder, file);
    const before = await readText(at);
    if (before !== null && before !== after) {
      throw new CommandError('import.exists', `${shownPath(project, at)} is there already`, [
        'Nothing was written: remove it first, or import to another folder with --to.',
      ]);
    }
    changes.push({ path: at, before, after });
  }
  return changes;
}

function secretValuesOf(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ object }) => object.kind === 'Secret')
    .flatMap(({ object }) => [object.data, object.stringData])
    .flatMap((values) => Object.values((values ?? {}) as Record<string, unknown>))
    .map((value) => String(value))
    .filter((value) => value !== '');
}

/** Where people keep the specs of servers whose code is elsewhere. */
export const usualFolder = (project: Project): string => join(project.root, 'mcp-servers');
