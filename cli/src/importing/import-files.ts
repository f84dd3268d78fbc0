import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { printYaml } from '../manifests/print.ts';
import { type Project, shownPath } from '../spec/load.ts';
import { schemaFile, schemaLine } from '../spec/schema-line.ts';
import { groupSources } from './group.ts';
import { type Imported, importServer } from './import-server.ts';
import { readSources, type Source } from './source.ts';

export interface ImportPlan {
  readonly servers: readonly (Imported & { readonly file: string })[];
  readonly changes: readonly FileChange[];
  /** Values of Secrets in these files, which nobody is to be shown. */
  readonly secretValues: readonly string[];
}

/** Works out a server.yaml for every server in these manifests. `to`: the folder in which each gets one of its own. */
export async function planImport(
  paths: readonly string[],
  project: Project,
  to: string,
): Promise<ImportPlan> {
  const sources: Source[] = [];
  for (const path of paths) {
    const shown = shownPath(project, path);
    const text = await readText(path);
    if (text === null)
      throw new CommandError('import.no-file', `${shown} cannot be read: there is no such file`);
    sources.push(...readSources(path, shown, text));
  }
  const servers: (Imported & { file: string })[] = [];
  const changes: FileChange[] = [];
  for (const group of groupSources(sources)) {
    const { name } = group.deployment.object.metadata;
    const target = join(project.folder, `${name}.yaml`);
    const imported = importServer(group, project, target);
    const folder = join(to, imported.name);
    const path = join(folder, 'server.yaml');
    const from = [
      ...new Set([group.deployment, ...group.others].map((source) => shownPath(project, source.path))),
    ];
    changes.push(...(await filesOf(imported, project, folder, from)));
    const stale = from.filter((one) => one !== shownPath(project, target));
    const notes = stale.map(
      (one) => `${one} is replaced by ${shownPath(project, target)}: remove it once that is generated`,
    );
    servers.push({ ...imported, notes: [...imported.notes, ...notes], file: shownPath(project, path) });
  }
  return { servers, changes, secretValues: secretValuesOf(sources) };
}

async function filesOf(
  { name, spec, code }: Imported,
  project: Project,
  folder: string,
  from: readonly string[],
): Promise<readonly FileChange[]> {
  const path = join(folder, 'server.yaml');
  const hasSchema = existsSync(join(project.root, schemaFile));
  const head = [
    hasSchema ? schemaLine(project.root, path) : '',
    `# Read from ${from.join(', ')} by sallyport deploy import.\n`,
  ];
  const files = { 'server.yaml': `${head.join('')}${printYaml(spec)}`, ...code };
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
