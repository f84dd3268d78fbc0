import { gateway } from '../../remote/answers.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';

/** `sallyport gateways list` */
export const addList: AddCommand = (parent, act) => {
  const command = parent.command('list').description('all of them');
  remoteOptions(command).action(
    act(async ({ io, printer }, options: RemoteOptions): Promise<Outcome> => {
      const { api } = await openRemote(io, options);
      const { items } = await api.all('/gateways', gateway);
      printer.value(items);
      printer.table(
        ['SLUG', 'STATUS', 'SIGN-IN', 'ACCESS', 'SHOWS', 'ADDRESS'],
        items.map(({ slug, status, auth_types, access, presentation, url }) => [
          slug,
          printer.style(status === 'active' ? 'green' : 'dim', status),
          auth_types.join(', '),
          access,
          presentation,
          url,
        ]),
      );
      if (items.length === 0) printer.line('There are none yet.');
      return 'ok';
    }),
  );
};
