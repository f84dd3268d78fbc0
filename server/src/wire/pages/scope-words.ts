import type { Gateway } from '#domain';
import { plainText } from './plain-text.ts';

/** What somebody allows, in plain words. A token for the API is as much as its person, whatever its scopes are. */
export function allowedWords(scopes: readonly string[], gateway: Gateway | null): readonly string[] {
  const words = scopes.map((scope) => scopeWords(scope, gateway));
  return gateway === null ? [wholeApi, ...words] : words;
}

const wholeApi =
  'Do everything on this server that you may do, as you: see, change and remove gateways, keys, people and settings, as far as you may';

export function scopeWords(scope: string, gateway: Gateway | null): string {
  switch (scope) {
    case 'openid':
      return 'Know who you are here (your user id)';
    case 'profile':
      return 'Know your name';
    case 'email':
      return 'Know your e-mail address';
    case 'offline_access':
      return 'Stay connected while you are away, until you end it or your sign-in is over';
    case 'mcp':
      return 'Use the tools of this gateway as you';
    default: {
      const tools = gateway?.toolScopes.find((one) => one.scope === scope)?.tools ?? [];
      const named = tools.length === 0 ? '' : `: ${plainText(tools.join(', '), 200)}`;
      return `Use the tools that need “${plainText(scope)}”${named}`;
    }
  }
}
