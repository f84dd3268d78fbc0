import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CommandError } from '../command-error.ts';
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
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const advice = error.code === 'ENOENT' ? ['sallyport server new <name> makes one'] : [];
    throw new CommandError('spec.unreadable', `${shown} cannot be read: ${whyUnreadable(error)}`, advice);
  });
  const document = readDocument(serverSpec, shown, text, (spec) => specMistakes(spec, project.conventions));
  const spec = document.value;
  const folder = dirname(path);
  const code: Record<string, string> = {};
  const mistakes: Mistake[] = [];
  let bytes = 0;
  for (const [name, file] of Object.entries(spec.code ?? {})) {
    const contents = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => error);
    if (contents instanceof Error) {
      mistakes.push({ path: ['code', name], message: `cannot be read: ${whyUnreadable(contents)}` });
    } else if (!isUtf8(contents)) {
      mistakes.push({ path: ['code', name], message: 'is not text in UTF-8: build an image for it' });
    } else {
      bytes += contents.byteLength;
      code[name] = contents.toString('utf8');
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

const whyUnreadable = (error: NodeJS.ErrnoException): string =>
  ({ ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'no permission' })[
    error.code ?? ''
  ] ?? error.message;
