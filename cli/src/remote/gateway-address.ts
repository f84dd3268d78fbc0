import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import { shownUrl } from '../output/shown-url.ts';
import { findGateway } from './find-gateway.ts';
import { openRemote, type RemoteOptions } from './remote.ts';

export interface GatewayAddress {
  readonly slug: string;
  readonly url: string;
  /** Nobody can sign in there. */
  readonly needsKey: boolean;
}

/** Where clients reach a gateway: named by its slug at the Sallyport that we are signed in to, or by its whole address. */
export async function gatewayAddress(io: Io, named: string, options: RemoteOptions): Promise<GatewayAddress> {
  if (/^https?:\/\//.test(named)) {
    const url = URL.parse(named);
    const slug = /\/mcp\/([^/]+)\/?$/.exec(url?.pathname ?? '')?.[1];
    if (
      url === null ||
      slug === undefined ||
      url.username !== '' ||
      url.password !== '' ||
      url.search !== ''
    ) {
      throw new CommandError(
        'gateway.address_invalid',
        `"${shownUrl(named)}" is no address of a gateway: …/mcp/<slug>`,
      );
    }
    return { slug, url: url.href.replace(/\/$/, ''), needsKey: false };
  }
  const { api } = await openRemote(io, options);
  const { slug, url, auth_types, status } = await findGateway(api, named);
  if (status !== 'active') {
    throw new CommandError('gateway.inactive', `the gateway ${slug} is switched off`, [
      'see docs/errors/gateway.inactive.md',
    ]);
  }
  return { slug, url, needsKey: auth_types.every((type) => type === 'arcade_header') };
}
