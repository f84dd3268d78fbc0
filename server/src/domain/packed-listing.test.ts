import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPacker, type PackedListing, packed } from './packed-listing.ts';
import type { ToolListing } from './tool.ts';

function listing(name: string, more: Partial<ToolListing> = {}): ToolListing {
  return {
    toolkit: { name: 'Kit', version: '1.0.0', description: null },
    name,
    description: `what ${name} does,\nand more`,
    inputSchema: { type: 'object', properties: { z: { type: 'string' }, a: { const: ' \\u2028"' } } },
    outputSchema: null,
    parameters: [],
    output: { description: null, availableModes: ['value'], valueSchema: null },
    requirements: { authorization: null, secrets: null, metadata: null },
    metadata: null,
    mcp: { title: name },
    ...more,
  };
}

const one = (given: ToolListing, text?: string): PackedListing => {
  const packer = createPacker();
  packer.add(given, text);
  return packer.finish()[0] as PackedListing;
};

test('a packed listing says what the listing said, whatever has been looked at since', () => {
  const given = Array.from({ length: 3000 }, (_, nth) => listing(`tool${nth}`));
  const kept = packed(given);
  const names = Object.keys(listing('any')) as (keyof ToolListing)[];
  for (const again of [0, 1]) {
    for (const [nth, before] of given.entries()) {
      const now = kept[nth] as PackedListing;
      for (const name of names) assert.deepEqual(now[name], before[name], `${name}, ${again}`);
      assert.equal(now.text, JSON.stringify(before));
    }
  }
});

test('a definition that is asked for again at once is the same object', () => {
  const [kept] = packed([listing('a')]);
  assert.ok(kept !== undefined);
  assert.equal(kept.inputSchema, kept.inputSchema);
});

test('the digest follows what is said of a tool, not its name, its version or the order in which it was kept', () => {
  const { digest } = one(listing('a'));
  const newer = { name: 'Kit', version: '2.0.0', description: null };
  assert.equal(one(listing('a', { toolkit: newer })).digest, digest);
  const reordered = JSON.stringify(Object.fromEntries(Object.entries(listing('a')).reverse()));
  assert.equal(one(listing('a'), reordered).digest, digest);
  assert.equal(one(listing('a'), JSON.stringify(listing('a'))).digest, digest);
  const others: Partial<ToolListing>[] = [
    { description: 'x' },
    { inputSchema: {} },
    { outputSchema: {} },
    { metadata: { behavior: { read_only: true } } },
    { requirements: { authorization: null, secrets: [{ key: 'K' }], metadata: null } },
    { mcp: {} },
    { toolkit: { name: 'Kit', version: '1.0.0', description: 'new' } },
  ];
  const digests = others.map((more) => one(listing('a', more)).digest);
  assert.equal(new Set([digest, ...digests]).size, 8);
});
