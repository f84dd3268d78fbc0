import type { App } from './app.ts';

/** What a person sees once the server is ready: lines to paste, and nothing else. */
export function welcome(
  app: App,
  { ownerLink, version, startedInMs }: { ownerLink: string | null; version: string; startedInMs: number },
): string {
  const lines = [`Sallyport ${version} is ready on ${app.url} (${(startedInMs / 1000).toFixed(1)} s)`];
  const key = app.newAdminKey ?? '<your API key>';
  if (ownerLink !== null) {
    lines.push(
      '',
      `  sign in   ${ownerLink}`,
      '            works once, for an hour: whoever opens it is the owner',
    );
  }
  if (app.newAdminKey !== null) {
    lines.push(
      '',
      `  API key   ${app.newAdminKey}`,
      '            shown this once: keep it; only its hash is stored',
    );
  } else if (!app.keyInEnvironment) {
    lines.push(
      '',
      '  API key   the one of the first start; SALLYPORT_ADMIN_KEY=sp_… sets one of your choice',
    );
  }
  if (app.demoGateway !== null) {
    const gateway = `${app.url}/mcp/${app.demoGateway}`;
    const tools = app.rooms.catalog.view(app.demoGateway)?.tools ?? [];
    lines.push(
      '',
      `  gateway   ${gateway}`,
      `            ${tools.length} tools: ${tools.map(({ wireName }) => wireName).join(', ')}`,
      '',
      'Connect a client; a browser opens, and you sign in:',
      '',
      `  claude mcp add --transport http ${app.demoGateway} ${gateway}`,
      '',
      'or call a tool with the API key, as a user:',
      '',
      `  curl -s ${gateway} -H "Authorization: Bearer ${key}" -H "Arcade-User-ID: you@example.com" -H "Content-Type: application/json" -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ArcadeEvalRef_Whoami"}}'`,
      '',
      'and see it in the log book:',
      '',
      `  curl -s "${app.url}/v1/audit_events?limit=5" -H "Authorization: Bearer ${key}"`,
    );
  }
  return `${lines.join('\n')}\n`;
}
