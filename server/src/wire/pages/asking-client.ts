import { html } from 'hono/html';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { cliClientId } from '../oauth/targets.ts';
import type { Html } from './page.ts';
import { plainText } from './plain-text.ts';

type Client = PendingAuthorization['client'];

export function clientName({ name, host }: Client): string {
  return plainText(name) || plainText(host ?? '') || 'An application';
}

/** Who asks, as far as anybody knows, and where the answer goes. */
export function askingClient(client: Client): Html {
  return html`<div><dt>Application</dt><dd>${clientName(client)}
<small>${
    client.id === cliClientId
      ? 'It comes with this server, but every program on your computer can ask in its name.'
      : client.host === null
        ? 'It gave itself this name. Nobody vouches for it.'
        : html`Published by <strong>${plainText(client.host)}</strong>`
  }</small></dd></div>
<div><dt>Sends you back to</dt><dd><strong>${plainText(client.redirectHost, 120)}</strong></dd></div>`;
}
