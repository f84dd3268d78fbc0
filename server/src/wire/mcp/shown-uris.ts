import type { GatewayView } from '#catalog';
import { jsonMembers } from '#foundation';
import { inItems, inMember, type Rewrite } from './json-rewrite.ts';
import type { Answer } from './methods.ts';

/**
 * The answer of a source with its URIs as the gateway writes them: those of contents, links and embedded resources. Every
 * other byte stays; all of them, where the gateway renames none of the source's URIs.
 */
export function renamedUris<Given extends Answer>(
  view: GatewayView,
  sourceId: string,
  method: keyof typeof places,
  answer: Given,
): Given | Buffer {
  if (!view.renamesUris(sourceId) || (typeof answer !== 'string' && !Buffer.isBuffer(answer))) return answer;
  const shown = (uri: Buffer): Buffer => {
    const own: unknown = JSON.parse(uri.toString('utf8'));
    return typeof own === 'string' ? Buffer.from(JSON.stringify(view.shownUri(sourceId, own))) : uri;
  };
  return places[method](shown)(typeof answer === 'string' ? Buffer.from(answer) : answer);
}

const inToolResult = (uri: Rewrite) => inMember('content', inItems(inBlock(uri)));
const nowhere = (): Rewrite => (json) => json;

const places = {
  'resources/read': (uri: Rewrite) => inMember('contents', inItems(inMember('uri', uri))),
  'tools/call': inToolResult,
  'tasks/result': inToolResult,
  'tasks/get': (uri: Rewrite) => inMember('result', inToolResult(uri)),
  'tasks/update': nowhere,
  'tasks/cancel': nowhere,
  'prompts/get': (uri: Rewrite) => inMember('messages', inItems(inMember('content', inBlock(uri)))),
};

/** In a content block that is a link to a resource, or holds one. */
function inBlock(uri: Rewrite): Rewrite {
  const inLink = inMember('uri', uri);
  const inEmbedded = inMember('resource', inMember('uri', uri));
  return (block) => {
    if (block[0] !== 0x7b) return block;
    const type = jsonMembers(block).findLast(({ name }) => name === 'type');
    const said = type === undefined ? '' : block.toString('utf8', type.valueStart, type.end);
    if (said === '"resource_link"') return inLink(block);
    return said === '"resource"' ? inEmbedded(block) : block;
  };
}
