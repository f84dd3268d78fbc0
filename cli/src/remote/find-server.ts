import { CommandError } from '../command-error.ts';
import { type Worker, worker } from './answers.ts';
import type { Api } from './api.ts';
import { workerOf } from './register.ts';

export async function findServer(api: Api, id: string): Promise<Worker> {
  const found = await workerOf(api, id);
  if (found !== null) return found;
  const ids = (await api.all('/workers', worker)).items.map((one) => one.id);
  throw new CommandError('server.unknown', `there is no server ${id}`, [
    ids.length === 0 ? 'There are none yet.' : `There are: ${ids.slice(0, 20).join(', ')}`,
  ]);
}
