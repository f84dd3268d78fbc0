import { createHash } from 'node:crypto';
import { isMembers, type Members } from '#foundation';
import { inItems, inMember, type Rewrite } from '../json-rewrite.ts';
import type { LegacyVersion } from './versions.ts';

/** Kinds of content that came with a revision, and the words for them before. */
const kinds: Readonly<Record<string, { readonly since: LegacyVersion; readonly before: Reworded }>> = {
  audio: { since: '2025-03-26', before: audioAsResource },
  resource_link: { since: '2025-06-18', before: linkAsText },
};

type Reworded = (block: Members) => Members;

const places: Readonly<Record<string, (inBlock: Rewrite) => Rewrite>> = {
  'tools/call': (inBlock) => inMember('content', inItems(inBlock)),
  'prompts/get': (inBlock) => inMember('messages', inItems(inMember('content', inBlock))),
};

/**
 * A result in the kinds of content that the client's revision has: its clients refuse all of a result for one block that they
 * do not know. Every other byte stays.
 */
export function olderContent(
  method: string,
  result: string | Buffer,
  version: LegacyVersion,
): string | Buffer {
  const place = Object.hasOwn(places, method) ? places[method] : undefined;
  const isNewer = (kind: string) => version < (kinds[kind]?.since ?? '');
  const newer = Object.keys(kinds).filter((kind) => isNewer(kind) && result.includes(`"${kind}"`));
  if (place === undefined || newer.length === 0) return result;
  const inBlock: Rewrite = (json) => {
    const block: unknown = JSON.parse(json.toString('utf8'));
    const kind = isMembers(block) ? newer.find((one) => one === block.type) : undefined;
    const before = kind === undefined ? undefined : kinds[kind]?.before;
    return before === undefined ? json : Buffer.from(JSON.stringify(before(block as Members)));
  };
  return place(inBlock)(Buffer.from(result));
}

/** Named by its digest, as it has no URI of its own (RFC 6920). */
function audioAsResource({ data, mimeType, ...rest }: Members): Members {
  const digest = createHash('sha256').update(String(data), 'base64').digest('base64url');
  return { ...rest, type: 'resource', resource: { uri: `ni:///sha-256;${digest}`, mimeType, blob: data } };
}

function linkAsText({ name, title, uri, description, annotations, _meta }: Members): Members {
  const words = `${title ?? name}: ${uri}${description === undefined ? '' : `\n${description}`}`;
  return {
    type: 'text',
    text: words,
    ...(annotations === undefined ? {} : { annotations }),
    ...(_meta === undefined ? {} : { _meta }),
  };
}
