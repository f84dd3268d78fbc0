import { CommandError } from '../command-error.ts';
import { shownUrl } from '../output/shown-url.ts';
import { type Gateway, gateway } from './answers.ts';
import type { Api } from './api.ts';

/** The gateway of this slug, or id. */
export async function findGateway(api: Api, named: string): Promise<Gateway> {
  const { items } = await api.all('/gateways', gateway);
  const found = items.find(({ slug }) => slug === named) ?? items.find(({ id }) => id === named);
  if (found !== undefined) return found;
  const slugs = items.map(({ slug }) => slug);
  throw new CommandError('gateway.unknown', `there is no gateway ${shownUrl(named)}`, [
    slugs.length === 0 ? 'There are none yet.' : `There are: ${slugs.slice(0, 20).join(', ')}`,
  ]);
}
