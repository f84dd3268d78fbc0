import { worker } from '../../remote/answers.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { addressOf, stateOf } from './words.ts';

/** `sallyport servers list` */
export const addList: AddCommand = (parent, act) => {
  const command = parent.command('list').description('all of them, and which step of a call fails');
  remoteOptions(command).action(
    act(async ({ io, printer }, options: RemoteOptions): Promise<Outcome> => {
      const { api } = await openRemote(io, options);
      const { items } = await api.all('/workers', worker);
      printer.value(items);
      printer.table(
        ['ID', 'TYPE', 'STATE', 'TOOLS', 'FROM', 'ADDRESS'],
        items.map((one) => [
          one.id,
          one.type,
          stateOf(one, printer),
          String(one.status.tool_count),
          one.binding.type === 'static' ? 'file' : 'api',
          addressOf(one),
        ]),
      );
      if (items.length === 0) printer.line('There are none yet: sallyport register adds one.');
      return 'ok';
    }),
  );
};
