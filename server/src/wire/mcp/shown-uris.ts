import type { GatewayView } from '#catalog';
import { jsonItems, jsonMembers } from '#foundation';
import type { Answer } from './methods.ts';

/** Puts what a value's bytes hold into other bytes. */
type Rewrite = (value: Buffer) => Buffer;

/**
 * The answer of a source with its URIs as the gateway writes them: those of contents, links and embedded resources. Every
 * other byte stays; all of them, where the gateway renames none of the source's URIs.
 */
export function renamedUris(
  view: GatewayView,
  sourceId: string,
  method: keyof typeof places,
  answer: Answer,
): Answer {
  if (!view.renamesUris(sourceId) || (typeof answer !== 'string' && !Buffer.isBuffer(answer))) return answer;
  const shown = (uri: Buffer): Buffer => {
    const own: unknown = JSON.parse(uri.toString('utf8'));
    return typeof own === 'string' ? Buffer.from(JSON.stringify(view.shownUri(sourceId, own))) : uri;
  };
  return places[method](shown)(typeof answer === 'string' ? Buffer.from(answer) : answer);
}

const places = {
  'resources/read': (uri: Rewrite) => inMember('contents', inItems(inMember('uri', uri))),
  'tools/call': (uri: Rewrite) => inMember('content', inItems(inBlock(uri))),
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

function inMember(name: string, rewrite: Rewrite): Rewrite {
  return (json) => {
    if (json[0] !== 0x7b) return json;
    const named = jsonMembers(json).filter((member) => member.name === name);
    return spliced(
      json,
      named.map(({ valueStart, end }) => ({ start: valueStart, end })),
      rewrite,
    );
  };
}

function inItems(rewrite: Rewrite): Rewrite {
  return (json) => (json[0] === 0x5b ? spliced(json, jsonItems(json), rewrite) : json);
}

function spliced(
  json: Buffer,
  values: readonly { readonly start: number; readonly end: number }[],
  rewrite: Rewrite,
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end } of values) {
    parts.push(json.subarray(at, start), rewrite(json.subarray(start, end)));
    at = end;
  }
  return Buffer.concat([...parts, json.subarray(at)]);
}
