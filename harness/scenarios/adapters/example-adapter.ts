import { createInterface } from 'node:readline/promises';
import { type Adapter, notSupported, type ToolRef } from '../gateway-under-test.ts';

/**
 * A start for judging another gateway: copy it, and put the gateway's own API in the place of what is asked of the person at
 * the terminal. What is left as it is works as it stands, by hand; what the gateway has nothing for says so.
 *
 *     GATEWAY_URL=https://gateway.example/mcp npm run judge -- --adapter ./my-adapter.ts
 */
export const adapter: Adapter = {
  name: process.env.GATEWAY_NAME ?? 'Another gateway',
  worker: { notSupported: 'it calls no workers of the Arcade protocol' },
  async start({ github, atlassian }) {
    const url = process.env.GATEWAY_URL;
    if (url === undefined) throw new Error('GATEWAY_URL must be the MCP endpoint of the gateway');
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const ask = (what: string) => terminal.question(`\n${what}\n> `);
    await ask(
      `Let the gateway stand before these MCP servers, with no tool granted to anybody, and press Enter:\n` +
        `  Github     ${github.mcpUri}\n  Atlassian  ${atlassian.mcpUri}`,
    );
    const said = (tools: readonly ToolRef[]) => tools.map(wireName).join(', ');
    return {
      async connect(user) {
        return { url, headers: { Authorization: `Bearer ${await ask(`An access token for ${user}:`)}` } };
      },
      wireName,
      control: {
        grant: (user, tools) => ask(`Grant ${user}: ${said(tools)}. Type what names the grant:`),
        revoke: async (grant) => void (await ask(`Remove the grant ${grant}, and press Enter.`)),
        blockInput: () => notSupported('it has no rules for inputs'),
        redactOutput: () => notSupported('it has no rules for outputs'),
        removeRule: async (rule) => void (await ask(`Remove the rule ${rule}, and press Enter.`)),
        records: () => notSupported('its log of decisions cannot be queried'),
      },
      stop: async () => terminal.close(),
    };
  },
};

/** How the gateway names tools to clients. */
function wireName({ toolkit, tool }: ToolRef): string {
  return `${toolkit.toLowerCase()}_${tool}`;
}
