import { readdir } from 'node:fs/promises';

/**
 * Names of the YAML files of a folder, as git lists a folder: what begins with a dot is left out, and so is what only a
 * symbolic link leads to. Nothing, where there is no folder.
 */
export async function manifestFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) =>
      `${entry.parentPath.slice(folder.length)}/${entry.name}`.replaceAll('\\', '/').replace(/^\/+/, ''),
    )
    .filter((name) => !name.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
    .sort();
}
