import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import { readDocument } from './document.ts';
import type { Mistake } from './mistake.ts';
import type { Project } from './project.ts';
import { specMistakes } from './rules.ts';
import { type ServerSpec, serverSpec } from './server-spec.ts';

export { loadProject, type Project } from './project.ts';

/** A server.yaml with everything that it refers to. */
export interface LoadedServer {
  readonly spec: ServerSpec;
  /** Absolute. */
  readonly path: string;
  /** Where `path` is. */
  readonly folder: string;
  /** Contents of the files of the pattern `configmap`, by their name below the mount. */
  readonly code: Readonly<Record<string, string>>;
}

/** What etcd takes of one ConfigMap. */
const maxCodeBytes = 1024 * 1024;

/** Reads one server.yaml by its absolute path; refuses it with all its mistakes. */
export async function loadServer(project: Project, path: string): Promise<LoadedServer> {
  const shown = shownPath(project, path);
  const text = await readText(path, shown);
  if (text === null) {
    throw new CommandError('spec.unreadable', `${shown} cannot be read: there is no such file`, [
      'sallyport server new <name> makes one',
    ]);
  }
  const document = readDocument(serverSpec, shown, text, (spec) => specMistakes(spec, project.conventions));
  const spec = document.value;
  const folder = dirname(path);
  const code: Record<string, string> = {};
  const mistakes: Mistake[] = [];
  let bytes = 0;
  for (const [name, file] of Object.entries(spec.code ?? {})) {
    try {
      const contents = await readCode(project, join(folder, file));
      bytes += Buffer.byteLength(contents);
      code[name] = contents;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      mistakes.push({ path: ['code', name], message: error.message.trim() });
    }
  }
  if (bytes > maxCodeBytes) {
    mistakes.push({
      path: ['code'],
      message: 'is more than 1 MiB, which no ConfigMap holds: build an image',
      ofKey: true,
    });
  }
  if (mistakes.length > 0) document.refuse(mistakes);
  return { spec, path, folder, code };
}

/** As people are told of it: from the root of the repository, with `/`. */
export function shownPath({ root }: Pick<Project, 'root'>, path: string): string {
  const inside = relative(root, path);
  return inside.startsWith('..') ? path : inside.replaceAll('\\', '/');
}

/** A link must not bring into the cluster what lies elsewhere on this machine. */
async function readCode({ root }: Pick<Project, 'root'>, path: string): Promise<string> {
  const contents = await readText(path, '').catch((error: CommandError) => {
    const isBinary = error.code === 'file.not-text';
    throw isBinary ? new CommandError(error.code, 'is not text in UTF-8: build an image for it') : error;
  });
  if (contents === null) throw new CommandError('spec.code', 'cannot be read: there is no such file');
  const inside = relative(await realpath(root), await realpath(path));
  if (inside.startsWith('..') || isAbsolute(inside))
    throw new CommandError('spec.code', 'leads out of the repository, by a link');
  return contents;
}
