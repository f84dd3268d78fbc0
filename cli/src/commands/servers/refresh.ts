import { worker, workerHealth } from '../../remote/answers.ts';
import { findServer } from '../../remote/find-server.ts';
import { workerPath } from '../../remote/register.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { printServer } from './words.ts';

/** `sallyport servers refresh <id>` */
export const addRefresh: AddCommand = (parent, act) => {
  const command = parent
    .command('refresh')
    .argument('<id>')
    .description('take the steps of a call now, and fetch its tools; ends with 1 where a step fails');
  remoteOptions(command).action(
    act(async ({ io, printer }, id: string, options: RemoteOptions) => {
      const { api } = await openRemote(io, options);
      await findServer(api, id);
      printer.progress(`asking ${id} for its tools`);
      const { healthy } = await api.ask('GET', `${workerPath(id)}/health`, {
        answer: workerHealth,
        timeoutMs: 120_000,
      });
      const found = await api.ask('GET', workerPath(id), { answer: worker });
      printer.value(found);
      printServer(found, printer);
      return healthy ? 'ok' : 'problems';
    }),
  );
};
