import type { Gateway } from '#domain';
import { plainText } from './plain-text.ts';

/** What a scope allows, in plain words. */
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
      return gateway === null
        ? 'Use this server as you, with everything that you may do'
        : 'Use the tools of this gateway as you';
    default: {
      const tools = gateway?.toolScopes.find((one) => one.scope === scope)?.tools ?? [];
      const named = tools.length === 0 ? '' : `: ${plainText(tools.join(', '), 200)}`;
      return `Use the tools that need “${plainText(scope)}”${named}`;
    }
  }
}
