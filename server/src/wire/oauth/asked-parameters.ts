import type { Target, Targets } from './targets.ts';

/** Scopes about the person, beside those for a resource. */
export const personScopes = ['openid', 'profile', 'email', 'offline_access'];
/** The least that lets a client use a gateway. */
export const gatewayScope = 'mcp';
const prompts = ['none', 'login', 'consent'];

/** Those that exist at a target, beside `personScopes`. */
export function scopesOf({ gateway }: Target): string[] {
  if (gateway === null) return [];
  return [...new Set([gatewayScope, ...gateway.toolScopes.map(({ scope }) => scope)])];
}

/**
 * What a client asks for, as it can be had: the resource by its one name, or by default; scopes that do not exist left out,
 * and the least that makes sense where nothing is asked. A resource that is unknown stays, and is refused.
 */
export function actingParameters(asked: URLSearchParams, targets: Targets): URLSearchParams {
  const acting = new URLSearchParams(asked);
  // Every other way of answering needs a page with a script, or leaves codes where scripts read them.
  const isOther = asked.getAll('response_mode').some((mode) => mode !== '' && mode !== 'query');
  if (isOther) acting.set('response_mode', 'none of ours');
  const target = actingResource(acting, targets);
  if (target === null) return acting;
  if (asked.getAll('scope').length > 1) return acting;
  acting.set('scope', actingScopes(asked.get('scope') ?? '', target).join(' '));
  const prompt = actingPrompts(acting, target);
  if (prompt !== null) acting.set('prompt', prompt);
  if (prompt === '') acting.delete('prompt');
  return acting;
}

function actingScopes(asked: string, target: Target): string[] {
  const all = [...personScopes, ...scopesOf(target)];
  const known = new Set(all.filter((scope) => asked.split(' ').includes(scope)));
  if ([...known].every((scope) => scope === 'offline_access')) known.add('openid');
  // Without it a token would open nothing there.
  if (target.gateway !== null) known.add(gatewayScope);
  return all.filter((scope) => known.has(scope));
}

/** Sets it; the target, where there is exactly one that is ours. */
export function actingResource(acting: URLSearchParams, targets: Targets): Target | null {
  const named = acting.getAll('resource').filter((resource) => resource !== '');
  const found =
    named.length === 0 ? [targets.unnamed(acting.get('client_id') ?? '')] : named.map(targets.ofResource);
  const audiences = new Set(found.map((target) => target?.audience));
  const [target] = found;
  if (audiences.size !== 1 || target == null) return null;
  acting.set('resource', target.audience);
  return target;
}

function actingPrompts(acting: URLSearchParams, { gateway }: Target): string | null {
  const asked = acting.get('prompt');
  if (asked === null) return null;
  const skips = isConsentSkipped(acting, gateway);
  const known = asked
    .split(' ')
    .filter((prompt) => prompts.includes(prompt) && !(prompt === 'consent' && skips));
  return known.join(' ');
}

/** Whether the gateway's own list says that people are not asked about this client: who keeps the list decides, whatever it is. */
export function isConsentSkipped(
  acting: { get(name: string): string | null },
  gateway: Target['gateway'],
): boolean {
  return gateway?.consentSkipClientIds.includes(acting.get('client_id') ?? '') === true;
}
