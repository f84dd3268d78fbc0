import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import type { Io } from '../output/io.ts';
import { type Conventions, conventions } from './conventions.ts';
import { readDocument } from './document.ts';
import type { Mistake } from './mistake.ts';

/** The repository that a command works on. */
export interface Project {
  /** The folder of conventions.yaml, else of the git repository, else where the command runs. */
  readonly root: string;
  readonly conventions: Conventions;
  /** Absolute, of the manifests. */
  readonly folder: string;
}

export async function loadProject(io: Io, options: { readonly conventions?: string } = {}): Promise<Project> {
  const path = options.conventions === undefined ? find(io.cwd) : resolve(io.cwd, options.conventions);
  if (path === null) {
    const root = findUp(io.cwd, '.git') ?? io.cwd;
    const defaults = conventions.parse({});
    return { root, conventions: defaults, folder: join(root, defaults.folder) };
  }
  const shown = relative(io.cwd, path) || path;
  const text = await readText(path, shown);
  if (text === null) throw new CommandError('conventions.unreadable', `There is no ${shown}.`);
  const { value } = readDocument(conventions, shown, text, rules, { mayBeEmpty: true });
  const root = dirname(path);
  return { root, conventions: value, folder: resolve(root, value.folder) };
}

/** Upwards from where the command runs, not beyond the repository. */
function find(from: string): string | null {
  const above = findUp(from, 'conventions.yaml', '.git');
  return above === null ? null : join(above, 'conventions.yaml');
}

function findUp(from: string, name: string, until?: string): string | null {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === dirname(folder) || (until !== undefined && existsSync(join(folder, until)))) return null;
  }
}

function rules(value: Partial<Conventions>): readonly Mistake[] {
  const { cluster, clusters } = value;
  if (cluster === undefined || clusters === undefined || Object.hasOwn(clusters, cluster)) return [];
  return [
    { path: ['cluster'], message: `(${cluster}) is none of clusters: ${Object.keys(clusters).join(', ')}` },
  ];
}
