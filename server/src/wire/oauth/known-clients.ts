/** What a client publishes of itself, as far as it acts here. */
interface KnownClient {
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly application_type?: 'native';
}

const onThisComputer = (...paths: string[]) =>
  paths.flatMap((path) => [`http://localhost${path}`, `http://127.0.0.1${path}`]);

/**
 * Metadata documents of widely used clients, as of November 2026: for installations that cannot reach the internet, where
 * these clients could not be connected otherwise. Used only where the document itself cannot be fetched. All are public
 * clients, whose answers go to this computer or to a host of their vendor.
 */
const knownClients: Readonly<Record<string, KnownClient>> = {
  'https://claude.ai/oauth/claude-code-client-metadata': {
    client_name: 'Claude Code',
    redirect_uris: onThisComputer('/callback'),
  },
  'https://claude.ai/oauth/mcp-oauth-client-metadata': {
    client_name: 'Claude',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
  },
  'https://vscode.dev/oauth/client-metadata.json': {
    client_name: 'Visual Studio Code',
    redirect_uris: ['http://127.0.0.1:33418/', 'http://127.0.0.1/', 'https://vscode.dev/redirect'],
    application_type: 'native',
  },
  'https://chatgpt.com/oauth/codex/client.json': {
    client_name: 'Codex',
    redirect_uris: onThisComputer('/callback', '/auth/callback'),
    application_type: 'native',
  },
};

/** The document at this address, as its client published it; `null` for all others. */
export function knownClientDocument(url: string): string | null {
  if (!Object.hasOwn(knownClients, url)) return null;
  return JSON.stringify({
    client_id: url,
    ...knownClients[url],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
}
