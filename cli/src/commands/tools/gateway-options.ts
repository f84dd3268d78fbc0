import { type Command, Option } from 'commander';
import type { Io } from '../../output/io.ts';
import { findGateway } from '../../remote/find-gateway.ts';
import { type Era, eras, type GatewayClient, openGateway } from '../../remote/gateway-client.ts';
import type { Remote, RemoteOptions } from '../../remote/remote.ts';
import { ServerRefusal } from '../../remote/server-refusal.ts';

export interface GatewayOptions extends RemoteOptions {
  readonly gateway?: string;
  readonly user?: string;
  readonly era: Era;
}

export function gatewayOptions(command: Command): Command {
  return command
    .option('-g, --gateway <slug>', 'through this gateway, as a client of MCP')
    .option('-u, --user <id>', 'as this user, where an API key speaks')
    .addOption(new Option('--era <revision>', 'of MCP, with --gateway').choices(eras).default('auto'));
}

/** The gateway where this server is reached, not where it says it is: both may differ inside a cluster. */
export async function clientOf(
  io: Io,
  remote: Remote,
  slug: string,
  { user, era }: GatewayOptions,
): Promise<GatewayClient> {
  const authorization = await remote.gatewayAuthorization(slug);
  try {
    return await openGateway(io, { url: `${remote.url}/mcp/${slug}`, authorization, user, era });
  } catch (error) {
    // Which gateways there are, where that may be known.
    if (error instanceof ServerRefusal && error.code === 'gateway.unknown') {
      await findGateway(remote.api, slug).catch((better: unknown) => {
        if (better instanceof ServerRefusal) throw error;
        throw better;
      });
    }
    throw error;
  }
}
