import { findGateway } from '../../remote/find-gateway.ts';
import { openRemote, type RemoteOptions } from '../../remote/remote.ts';
import type { AddCommand, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';

/** `sallyport gateways show <slug>` */
export const addShow: AddCommand = (parent, act) => {
  const command = parent.command('show').argument('<slug>').description('one gateway');
  remoteOptions(command).action(
    act(async ({ io, printer }, slug: string, options: RemoteOptions): Promise<Outcome> => {
      const { api } = await openRemote(io, options);
      const found = await findGateway(api, slug);
      printer.value(found);
      const { name, url, status, description, auth_types, access, presentation, naming, tool_filter } = found;
      printer.line(`${printer.style('bold', found.slug)}  ${status}  ${url}`);
      printer.line(`  ${name}${description === '' ? '' : `: ${description}`}`);
      printer.line(`  who comes in: ${auth_types.join(', ')}; access: ${access}`);
      printer.line(`  shows: ${presentation}, named by ${naming}`);
      printer.line(`  tools: ${tool_filter.allowed_tools?.join(', ') ?? 'all'}`);
      printer.line(`  declared in ${found.binding.type === 'static' ? 'the config file' : 'the API'}`);
      printer.line();
      printer.line(`Connect a client: sallyport connect claude-code --gateway ${found.slug}`);
      return 'ok';
    }),
  );
};
