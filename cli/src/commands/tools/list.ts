import { foundTools, tool } from '../../remote/answers.ts';
import { openRemote, type Remote } from '../../remote/remote.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';
import { remoteOptions } from '../remote-options.ts';
import { wholeNumber } from '../whole-number.ts';
import { clientOf, type GatewayOptions, gatewayOptions } from './gateway-options.ts';

interface Options extends GatewayOptions {
  readonly search?: string;
  readonly limit: number;
}

/** A search answers with no more. */
const mostFound = 25;

/** `sallyport tools list` */
export const addList: AddCommand = (parent, act) => {
  const command = parent
    .command('list')
    .description('all tools, those of one gateway, or those that fit some words')
    .option('-s, --search <words>', 'what somebody wants to do, in words')
    .option('-n, --limit <number>', 'at most so many', wholeNumber(1, 1_000_000), 200);
  remoteOptions(gatewayOptions(command)).action(act(list));
};

async function list({ io, printer }: Context, options: Options): Promise<Outcome> {
  const remote = await openRemote(io, options);
  const { columns, rows, values, more } = await found({ io, printer }, remote, options);
  printer.value(values);
  printer.table(columns, rows);
  if (more !== null) printer.line(more);
  return 'ok';
}

interface Found {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly values: readonly unknown[];
  readonly more: string | null;
}

async function found({ io }: Context, remote: Remote, options: Options): Promise<Found> {
  const { gateway, search, user, limit } = options;
  if (search !== undefined) return await searched(remote, search, options);
  if (gateway !== undefined) {
    const client = await clientOf(io, remote, gateway, options);
    try {
      const all = await client.tools();
      return {
        columns: ['TOOL', 'DESCRIPTION'],
        rows: all.slice(0, limit).map(({ name, description }) => [name, firstLine(description)]),
        values: all.slice(0, limit),
        more: moreOf(all.length, limit),
      };
    } finally {
      await client.close();
    }
  }
  const { items, total } = await remote.api.all('/tools', tool, {
    most: limit,
    query: { user_id: user },
  });
  return {
    columns: ['TOOL', 'AVAILABLE', 'DESCRIPTION'],
    rows: items.map(({ qualified_name, available, description }) => [
      qualified_name,
      available ? 'yes' : 'no',
      firstLine(description),
    ]),
    values: items,
    more: moreOf(total, limit),
  };
}

/** By meaning, as the server's own search finds it. */
async function searched(
  { api }: Remote,
  query: string,
  { limit, user: user_id, gateway }: Options,
): Promise<Found> {
  const { tools, advice } = await api.ask('POST', '/hub/search_tools', {
    answer: foundTools,
    body: { query, limit: Math.min(limit, mostFound), user_id, gateway },
  });
  return {
    columns: ['TOOL', 'SCORE', 'SUMMARY'],
    rows: tools.map(({ tool, score, summary }) => [tool, score.toFixed(2), summary]),
    values: tools,
    more: tools.length === 0 ? `Nothing fits. ${advice ?? ''}`.trim() : null,
  };
}

function firstLine(text: string | undefined): string {
  const [first = ''] = (text ?? '').trim().split('\n');
  return first.length > 100 ? `${first.slice(0, 99)}…` : first;
}

function moreOf(total: number, limit: number): string | null {
  if (total === 0) return 'There are none.';
  return total > limit ? `… and ${total - limit} more: --limit ${total}` : null;
}
