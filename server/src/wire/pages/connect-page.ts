import { html } from 'hono/html';
import type { Html, Page } from './page.ts';

/** How to connect to a gateway, of which nothing is told but its address and how one signs in. */
export function connectPage(of: {
  readonly slug: string;
  readonly url: string;
  /** Whether people sign in in their browser; else clients send an API key. */
  readonly signsIn: boolean;
  readonly takesKeys: boolean;
}): Page {
  const { slug, url } = of;
  return {
    title: `Connect to ${slug}`,
    script: '/oauth2/assets/copy.js',
    isWide: true,
    body: html`<h1>This is a gateway for AI agents</h1>
<p>There is nothing to see here in a browser. Give this address to an application that speaks MCP (Model Context Protocol), and its tools are there:</p>
${copyable('address', url)}
${
  of.signsIn
    ? html`<p>When it connects, a browser opens and you sign in with your account. You need no key.</p>`
    : html`<p>This gateway takes an API key, which whoever runs it gives you. Put it in the place of <code>YOUR_API_KEY</code>, and your own user id (mostly your e-mail address) in the place of <code>you@example.com</code>.</p>`
}
<h2>How to connect</h2>
${clientsFor(url, slug, of.signsIn).map(
  ({ name, steps }, index) =>
    html`<details${index === 0 ? html` open` : ''}><summary>${name}</summary>${steps}</details>`,
)}
${
  of.signsIn && of.takesKeys
    ? html`<h2>Without a browser</h2>
<p class="soft">Programs can send an API key in place of signing in: the headers <code>Authorization: Bearer YOUR_API_KEY</code> and <code>Arcade-User-ID: you@example.com</code>.</p>`
    : ''
}
${of.signsIn ? html`<p class="soft">You can see and end your sessions under <a href="/oauth2/sessions">your sessions</a>, and accounts at other systems that agents use under <a href="/connect">your connections</a>.</p>` : ''}`,
  };
}

export function noGatewayPage(): Page {
  return {
    title: 'There is nothing here',
    body: html`<h1>There is nothing here</h1>
<p>No gateway has this address. Check that it was copied completely, or ask whoever gave it to you.</p>`,
  };
}

const keyHeaders = { Authorization: 'Bearer YOUR_API_KEY', 'Arcade-User-ID': 'you@example.com' };

interface ClientSteps {
  readonly name: string;
  readonly steps: Html;
}

function clientsFor(url: string, name: string, signsIn: boolean): readonly ClientSteps[] {
  const headers = signsIn ? {} : { headers: keyHeaders };
  const remote = json({
    mcpServers: { [name]: { command: 'npx', args: ['-y', 'mcp-remote', url, ...remoteHeaders(signsIn)] } },
  });
  return [
    {
      name: 'Claude Code',
      steps: html`${copyable('command for Claude Code', `claude mcp add --transport http ${name} ${url}${commandHeaders(signsIn)}`)}
${signsIn ? html`<p class="soft">Then sign in: <code>/mcp</code> in a conversation, or <code>claude mcp login ${name}</code>.</p>` : ''}`,
    },
    {
      name: 'Claude (web and desktop)',
      steps: signsIn
        ? html`<p>Settings, Connectors, “Add custom connector”. Paste the address, and press Connect.</p>${copyable('address', url)}`
        : html`<p>Its connectors send no API key. The desktop application can use mcp-remote:</p>${copyable('settings for Claude Desktop', remote)}`,
    },
    {
      name: 'ChatGPT',
      steps: signsIn
        ? html`<p>Settings, Apps & Connectors, Advanced: switch on developer mode. Then “Create”, paste the address, and choose OAuth.</p>${copyable('address', url)}`
        : html`<p>Its connectors send no API key, so it cannot connect to this gateway.</p>`,
    },
    {
      name: 'VS Code',
      steps: html`<p>Put this into <code>.vscode/mcp.json</code>:</p>${copyable(
        'settings for VS Code',
        json({ servers: { [name]: { type: 'http', url, ...headers } } }),
      )}`,
    },
    {
      name: 'Cursor',
      steps: html`<p>Put this into <code>~/.cursor/mcp.json</code>:</p>${copyable(
        'settings for Cursor',
        json({ mcpServers: { [name]: { url, ...headers } } }),
      )}`,
    },
    {
      name: 'Codex',
      steps: signsIn
        ? copyable('commands for Codex', `codex mcp add ${name} --url ${url}\ncodex mcp login ${name}`)
        : html`<p>Put this into <code>~/.codex/config.toml</code>:</p>${copyable(
            'settings for Codex',
            `[mcp_servers.${name}]\nurl = "${url}"\nhttp_headers = { "Authorization" = "Bearer YOUR_API_KEY", "Arcade-User-ID" = "you@example.com" }`,
          )}`,
    },
    {
      name: 'MCP Inspector',
      steps: copyable(
        'command for MCP Inspector',
        `npx @modelcontextprotocol/inspector --cli ${url} --transport http --method tools/list${commandHeaders(signsIn)}`,
      ),
    },
    {
      name: 'mcp-remote (for clients that only start programs)',
      steps: copyable('settings for mcp-remote', remote),
    },
    {
      name: 'Any other client',
      steps: html`<p>Most read something like this:</p>${copyable(
        'settings',
        json({ mcpServers: { [name]: { type: 'http', url, ...headers } } }),
      )}`,
    },
  ];
}

function commandHeaders(signsIn: boolean): string {
  return signsIn
    ? ''
    : Object.entries(keyHeaders)
        .map(([name, value]) => ` --header "${name}: ${value}"`)
        .join('');
}

function remoteHeaders(signsIn: boolean): string[] {
  return signsIn
    ? []
    : Object.entries(keyHeaders).flatMap(([name, value]) => ['--header', `${name}:${value}`]);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function copyable(what: string, text: string): Html {
  return html`<div class="copyable"><pre data-what="${what}">${text}</pre></div>`;
}
