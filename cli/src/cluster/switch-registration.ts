import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import { change, declarationOf } from '../remote/declaration.ts';
import { update, workerOf } from '../remote/register.ts';
import { openRemoteOfRepository } from '../remote/remote.ts';
import type { Project } from '../spec/load.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import type { Missing } from './migrate-cluster.ts';

/** Sends the Sallyport of the conventions, where the server is registered, to its new address. */
export async function switchRegistration(
  io: Io,
  { conventions }: Pick<Project, 'conventions'>,
  spec: ServerSpec,
  say: (line: string) => void,
): Promise<Missing | null> {
  const { url } = conventions.gateway;
  if (url === undefined) return null;
  try {
    const { api } = await openRemoteOfRepository(io, url);
    const declaration = declarationOf(spec, conventions);
    const found = await workerOf(api, declaration.id);
    if (found === null) {
      say(`${declaration.id} is not registered at ${url}: sallyport register does it.`);
      return null;
    }
    const edit = change(found, declaration);
    if (edit === null) return null;
    for (const line of edit.words) say(line);
    await update(api, declaration.id, edit.body);
    return null;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { said: `it could not be registered at its new address: ${error.message}`, advice: error.details };
  }
}
