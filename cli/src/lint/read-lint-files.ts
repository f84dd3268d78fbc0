import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import { manifestFiles } from '../files/manifest-files.ts';
import { readText } from '../files/read-text.ts';
import { registryPath } from '../ports/registry.ts';
import { findServers } from '../spec/find.ts';
import { type Project, shownPath } from '../spec/load.ts';
import type { LintFile, LintFileKind } from './lint-file.ts';

/**
 * What `deploy lint` looks at: the folder of manifests, `.mcp.json`, and what belongs to each server.yaml of the
 * repository. With paths it speaks of those only, and still knows the others, as manifests refer to each other.
 */
export async function readLintFiles(
  project: Project,
  cwd: string,
  paths: readonly string[] = [],
): Promise<readonly LintFile[]> {
  const usual = await usualFiles(project);
  const chosen = new Map<string, LintFileKind>();
  for (const path of paths) {
    for (const file of await filesAt(resolve(cwd, path), path)) {
      const kind = usual.get(file) ?? kindOf(file, project);
      if (kind !== null) chosen.set(file, kind);
      else if (file === resolve(cwd, path)) {
        throw new CommandError('lint.unknown-file', `${path} is nothing that lint knows.`, [
          'It knows YAML manifests, .mcp.json, Dockerfiles and workflows.',
        ]);
      }
    }
  }
  const all = new Map([...usual, ...chosen]);
  const files: LintFile[] = [];
  for (const [path, kind] of all) {
    const silent = paths.length > 0 && !chosen.has(path);
    files.push(await readLintFile(project, path, kind, silent));
  }
  return files;
}

async function readLintFile(
  project: Project,
  path: string,
  kind: LintFileKind,
  silent: boolean,
): Promise<LintFile> {
  const file = { path, shown: shownPath(project, path), kind, ...(silent && { silent }) };
  const dockerignore = existsSync(join(dirname(path), '.dockerignore')) || existsSync(`${path}.dockerignore`);
  try {
    return { ...file, text: await readText(path), ...(kind === 'dockerfile' && { dockerignore }) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ...file, text: null, unreadable: error.message.replace(path, basename(path)) };
  }
}

async function usualFiles(project: Project): Promise<ReadonlyMap<string, LintFileKind>> {
  const { root, folder, conventions } = project;
  const files = new Map<string, LintFileKind>();
  const add = (path: string) => {
    const kind = kindOf(path, project);
    if (kind !== null) files.set(path, kind);
  };
  for (const name of await manifestFiles(folder)) add(join(folder, name));
  const mcpJson = join(root, conventions.mcpJson);
  if (existsSync(mcpJson)) add(mcpJson);
  const servers = await findServers(project);
  for (const server of servers) {
    add(server);
    const dockerfile = join(dirname(server), 'Dockerfile');
    if (existsSync(dockerfile)) add(dockerfile);
    for (const path of await workflowsOf(dirname(server))) add(path);
  }
  const folders = servers.map((server) => shownPath(project, dirname(server))).filter((one) => one !== '');
  for (const path of await workflowsOf(root)) {
    const text = files.has(path) ? null : await readText(path).catch(() => null);
    if (text !== null && folders.some((one) => text.includes(one))) add(path);
  }
  return files;
}

async function workflowsOf(folder: string): Promise<readonly string[]> {
  const workflows = join(folder, '.github/workflows');
  const names = await readdir(workflows).catch(() => []);
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(workflows, name));
}

async function filesAt(path: string, given: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new CommandError('lint.no-file', `There is no ${given}.`);
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const others = entries.filter((entry) => entry.isFile() && /^(\.mcp\.json|Dockerfile)$/.test(entry.name));
  return [
    ...(await manifestFiles(path)).map((name) => join(path, name)),
    ...others.map(({ name }) => join(path, name)),
    ...(await workflowsOf(path)),
  ];
}

/** `null`: nothing that rules are for. */
function kindOf(path: string, project: Project): LintFileKind | null {
  const name = basename(path);
  if (path === registryPath(project)) return 'ports';
  if (path === join(project.root, project.conventions.mcpJson) || name === '.mcp.json') return 'mcp-json';
  if (/^(Dockerfile|Containerfile)(\..+)?$|\.Dockerfile$/.test(name)) return 'dockerfile';
  if (/^(.*\.)?server\.ya?ml$/.test(name)) return 'server';
  if (name === 'conventions.yaml' || /\.values\.ya?ml$/.test(name)) return null;
  if (/^kustomization\.ya?ml$|^Kustomization$/.test(name)) return 'kustomization';
  if (!/\.ya?ml$/.test(name)) return null;
  return /[/\\]\.github[/\\]workflows[/\\][^/\\]+$/.test(path) ? 'workflow' : 'manifest';
}
