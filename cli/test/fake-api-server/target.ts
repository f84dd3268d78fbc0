import { noSuchPath } from './api-fault.ts';
import { apiVersionOf, type Kind } from './kinds.ts';

/** What a path of the API means. */
export interface Target {
  readonly kind: Kind;
  /** Null: every namespace, or a kind that has none. */
  readonly namespace: string | null;
  /** Null: all of them. */
  readonly name: string | null;
  readonly subresource: string | null;
}

export function targetOf(kinds: readonly Kind[], path: string): Target {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const rest = parts[0] === 'api' ? parts.slice(2) : parts.slice(3);
  const apiVersion = parts[0] === 'api' ? parts[1] : `${parts[1]}/${parts[2]}`;
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2;
  const namespace = isNamespaced ? (rest[1] as string) : null;
  const [plural, name = null, subresource = null] = isNamespaced ? rest.slice(2) : rest;
  const kind = kinds.find((known) => apiVersionOf(known) === apiVersion && known.plural === plural);
  if (kind === undefined || kind.namespaced === (namespace === null && name !== null)) throw noSuchPath();
  return { kind, namespace, name, subresource };
}
