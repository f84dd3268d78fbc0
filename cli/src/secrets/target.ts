import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import { madeText } from '../manifests/made-file.ts';
import { namesOf } from '../manifests/names.ts';
import { secretsOf } from '../manifests/secrets.ts';
import { findServers } from '../spec/find.ts';
import { type LoadedServer, loadServer, type Project, shownPath } from '../spec/load.ts';
import { serverName } from '../spec/server-spec.ts';
import type { SealScope, SealTarget } from './seal.ts';

export interface SealPlace {
  /** Of the file of manifests. */
  readonly path: string;
  /** What it says now; `null`: there is none yet. */
  readonly current: string | null;
  /** What a new one begins with. */
  readonly head: string;
  readonly target: SealTarget;
  /** Environment variable → key of the Secret. */
  readonly keyOfVariable: ReadonlyMap<string, string>;
}

/** Where the values of a server belong: by its server.yaml, or by the convention where it has none. */
export async function sealTarget(
  project: Project,
  name: string,
  options: { readonly secret?: string; readonly scope?: SealScope },
): Promise<SealPlace> {
  const { conventions } = project;
  const scope = options.scope ?? conventions.secrets.sealed.scope;
  if (!serverName.safeParse(name).success)
    throw new CommandError('seal.name-invalid', `${name} is no name of a server.`);
  const server = await serverNamed(project, name);
  if (server === undefined) {
    const path = join(project.folder, `${name}${conventions.suffix}.yaml`);
    const current = await readText(path);
    if (current === null) {
      throw new CommandError(
        'seal.unknown-server',
        `There is neither a server.yaml of ${name} nor ${shownPath(project, path)}.`,
      );
    }
    const secret = options.secret ?? `${name}${conventions.suffix}-secrets`;
    return {
      path,
      current,
      head: '',
      target: { scope, namespace: conventions.namespace, name: secret },
      keyOfVariable: new Map(),
    };
  }
  const names = namesOf(server.spec, conventions);
  const sealed = secretsOf(server.spec, conventions).filter(({ from }) => from === 'sealed');
  const chosen =
    sealed.find((one) => one.name === (options.secret ?? names.secret)) ??
    (options.secret === undefined && sealed.length === 1 ? sealed[0] : undefined);
  if (chosen === undefined) {
    throw new CommandError(
      'seal.not-sealed',
      `${shownPath(project, server.path)} has no Secret ${options.secret ?? names.secret} that is sealed.`,
      [
        sealed.length === 0
          ? 'Add secrets: - { from: sealed, env: … } to it.'
          : `--secret names one: ${sealed.map((one) => one.name).join(', ')}.`,
      ],
    );
  }
  const path = join(project.folder, names.file);
  const current = await readText(path);
  const head = madeText([], shownPath(project, server.path));
  const target = { scope, namespace: names.namespace, name: chosen.name };
  return { path, current, head, target, keyOfVariable: new Map(Object.entries(chosen.env)) };
}

async function serverNamed(project: Project, name: string): Promise<LoadedServer | undefined> {
  for (const path of await findServers(project)) {
    const text = (await readText(path)) ?? '';
    if (!new RegExp(`^["']?name["']?:\\s*["']?${name}["']?\\s*(#|$)`, 'm').test(text)) continue;
    const server = await loadServer(project, path);
    if (server.spec.name === name) return server;
  }
  return undefined;
}
