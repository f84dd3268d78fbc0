import { html } from 'hono/html';
import type { Html } from './page.ts';

export function instant(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
