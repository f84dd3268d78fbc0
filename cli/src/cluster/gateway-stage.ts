import { CommandError } from '../command-error.ts';
import { isMapping } from '../files/values.ts';
import type { Io } from '../output/io.ts';
import { declarationOf } from '../remote/declaration.ts';
import { type GatewayClient, openGateway } from '../remote/gateway-client.ts';
import { openRemoteOfRepository } from '../remote/remote.ts';
import type { Project } from '../spec/load.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import type { Stage } from './verify.ts';
import type { VerifiedTool } from './verify-tools.ts';

/**
 * Whether the server's tools are there for a client of the gateways it is registered with. Null where the conventions name no
 * Sallyport.
 */
export async function gatewayStage(
  io: Io,
  { conventions }: Pick<Project, 'conventions'>,
  spec: ServerSpec,
  tools: readonly VerifiedTool[],
): Promise<Stage | null> {
  const { url } = conventions.gateway;
  if (url === undefined) return null;
  const gateways = spec.register?.gateways ?? [];
  if (gateways.length === 0) {
    return { stage: 'gateway', outcome: 'skipped', said: 'register.gateways of server.yaml names none' };
  }
  const { id } = declarationOf(spec, conventions);
  const found: string[] = [];
  try {
    const remote = await openRemoteOfRepository(io, url);
    for (const slug of gateways) {
      const authorization = await remote.gatewayAuthorization(slug);
      // A key speaks for a user; whoever signed in speaks for themselves.
      const user = remote.by === 'key' ? { user: userId } : {};
      const client = await openGateway(io, {
        url: `${remote.url}/mcp/${slug}`,
        authorization,
        ...user,
        era: 'auto',
      });
      try {
        const listed = (await client.tools()).map(({ name }) => name);
        const unlisted = tools.filter(({ name }) => !isListed(id, name, listed));
        const isHub = unlisted.length > 0 && listed.includes(details);
        const missing = isHub ? await unknownToHub(client, id, unlisted) : unlisted;
        if (missing.length > 0) return lacking(slug, missing, listed.length);
        found.push(isHub ? `${slug} (the hub)` : `${slug} (${listed.length} tools)`);
      } finally {
        await client.close();
      }
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const outcome = passedOver.has(error.code) ? 'skipped' : 'failed';
    return { stage: 'gateway', outcome, said: error.message, hint: error.details.join(' ') };
  }
  return { stage: 'gateway', outcome: 'passed', said: `its tools are in ${found.join(', ')}` };
}

function lacking(slug: string, missing: readonly VerifiedTool[], listed: number): Stage {
  const names = missing.slice(0, 5).map(({ name }) => name);
  return {
    stage: 'gateway',
    outcome: 'failed',
    said: `the gateway ${slug} lists ${listed} tools, without ${names.join(', ')}`,
    hint: 'sallyport register adds the server to it; sallyport servers list says what Sallyport makes of the server.',
  };
}

const details = 'get_tool_details';
const detailsMs = 10_000;

/** A gateway that presents the hub lists the six tools of that, whatever is behind them: it is asked for each. */
async function unknownToHub(
  client: GatewayClient,
  source: string,
  tools: readonly VerifiedTool[],
): Promise<readonly VerifiedTool[]> {
  const unknown: VerifiedTool[] = [];
  for (const tool of tools) {
    const asked = { tools: [`${source}.${tool.name}`, tool.name] };
    const { structuredContent } = await client.call(details, asked, detailsMs);
    const answers = isMapping(structuredContent) ? structuredContent.tools : null;
    const isKnown = Array.isArray(answers) && answers.some((one) => isMapping(one) && !('error' in one));
    if (!isKnown) unknown.push(tool);
  }
  return unknown;
}

/** There is nobody to ask as, or another Sallyport is meant. */
const passedOver = new Set(['remote.not_signed_in', 'remote.another_server']);

/** For whom the list is asked with a key: in the audit trail, it is told from people. */
const userId = 'sallyport-deploy-verify';

/**
 * Whether a gateway lists the tool: `proxmox_list_vms`, of the source `proxmox`, or as the server names it (workers, and
 * gateways with the names of their only source). What is longer than 64 characters, or taken, ends with eight digits.
 */
function isListed(source: string, name: string, listed: readonly string[]): boolean {
  const names = [`${source}_${name}`, name].map((plain) => plain.replace(/[^A-Za-z0-9_-]/g, '_'));
  return listed.some((shown) => {
    const kept = /^(.+)_[0-9a-f]{8}(?:_\d+)?$/.exec(shown)?.[1];
    const isCut = shown.length === 64 && kept !== undefined;
    return names.some((plain) => plain === shown || plain === kept || (isCut && plain.startsWith(kept)));
  });
}
