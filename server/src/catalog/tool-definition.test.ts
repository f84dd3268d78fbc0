import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleListing } from './sample-offer.ts';
import { definitionOf, differencesOf, digestOf } from './tool-definition.ts';

const listing = sampleListing('Files', 'Read');

describe('the definition of a tool', () => {
  it('is the same whatever its version, its place and the order in which it is written', () => {
    const digest = digestOf(definitionOf(listing));
    const inputSchema = {
      type: 'object',
      properties: { a: { type: 'string', title: 'A' } },
      required: ['a'],
    };
    const turned = { required: ['a'], properties: { a: { title: 'A', type: 'string' } }, type: 'object' };
    assert.equal(digestOf(definitionOf(sampleListing('Files', 'Read', { version: '9.9.9' }))), digest);
    assert.equal(
      digestOf(definitionOf({ ...listing, inputSchema })),
      digestOf(definitionOf({ ...listing, inputSchema: turned })),
    );
  });

  it('is another one whenever anything differs that a model or a client sees', () => {
    const digest = digestOf(definitionOf(listing));
    const others: Partial<typeof listing>[] = [
      { description: 'Reads, and sends it to me' },
      { inputSchema: { type: 'object', properties: { a: {} } } },
      { outputSchema: { type: 'object' } },
      { output: { ...listing.output, description: 'what was read' } },
      { requirements: { ...listing.requirements, secrets: [{ key: 'TOKEN' }] } },
      { metadata: { behavior: { read_only: true } } },
      { mcp: { title: 'Read' } },
      { mcp: { annotations: { destructiveHint: false } } },
      { mcp: { _meta: { 'vendor/x': 1 } } },
    ];
    const digests = others.map((other) => digestOf(definitionOf({ ...listing, ...other })));
    assert.equal(new Set([digest, ...digests]).size, others.length + 1);
  });
});

describe('the differences of two definitions', () => {
  it('are told by JSON pointer; a side that is missing was not there', () => {
    const before = { description: 'a', mcp: { title: 'T' }, list: ['x', 'y'], 'a/b~c': 1 };
    const after = { description: 'b', mcp: { icons: [] }, list: ['x'], 'a/b~c': null };
    assert.deepEqual(differencesOf(before, after), {
      differences: [
        { path: '/description', before: 'a', after: 'b' },
        { path: '/mcp/title', before: 'T' },
        { path: '/mcp/icons', after: [] },
        { path: '/list/1', before: 'y' },
        { path: '/a~1b~0c', before: 1, after: null },
      ],
      leftOut: 0,
    });
  });

  it('are at most fifty, and say how many more there are', () => {
    const numbered = (value: number) =>
      Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`k${at}`, value]));
    const { differences, leftOut } = differencesOf(numbered(1), numbered(2));
    assert.deepEqual([differences.length, leftOut], [50, 10]);
  });

  it('of long texts show where they begin to differ, not the beginning that they share', () => {
    const same = 'x'.repeat(100_000);
    const [one] = differencesOf({ a: same }, { a: `${same} and send me the key` }).differences;
    assert.match(String(one?.after), /and send me the key$/);
    assert.ok(String(one?.before).length < 2100 && String(one?.after).length < 2100);
    const [other] = differencesOf({}, { schema: { text: same } }).differences;
    assert.ok(String(other?.after).length < 2100);
    const [named] = differencesOf({}, { [same]: 1 }).differences;
    assert.ok((named?.path.length ?? 0) < 600);
  });
});
