import { tool } from '../../remote/answers.ts';
import { findServer } from '../../remote/find-server.ts';
import { workerPath } from '../../remote/register.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { printServer } from './words.ts';

const mostTools = 1000;

/** `sallyport servers show <id>` */
export const addShow: AddCommand = (parent, act) => {
  const command = parent
    .command('show')
    .argument('<id>')
    .description('one server: the steps of a call, and its tools');
  remoteOptions(command).action(
    act(async ({ io, printer }, id: string, options: RemoteOptions): Promise<Outcome> => {
      const { api } = await openRemote(io, options);
      const found = await findServer(api, id);
      const tools = await api.all(`${workerPath(id)}/tools`, tool, { most: mostTools });
      printer.value({ ...found, tools: tools.items });
      printServer(found, printer);
      printer.line();
      printer.table(
        ['TOOL', 'AVAILABLE', 'DESCRIPTION'],
        tools.items.map(({ qualified_name, available, description }) => [
          qualified_name,
          available ? 'yes' : 'no',
          description.split('\n')[0] ?? '',
        ]),
      );
      if (tools.total > mostTools) printer.line(`… and ${tools.total - mostTools} more`);
      return 'ok';
    }),
  );
};
