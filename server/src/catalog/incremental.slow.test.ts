import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type Gateway, newGatewayFromRequest, packed } from '#domain';
import { compileAllowed } from './allowed.ts';
import { newTool } from './kept-tool.ts';
import { createDifferences } from './offer-differences.ts';
import { createIndexer, type OfferIndex } from './offer-index.ts';
import { sampleListing, withInterface } from './sample-offer.ts';
import type { Offered } from './section.ts';
import type { StoredOffer } from './stored-offer.ts';
import { toolId } from './tool-id.ts';
import { type CompiledView, changedLists, compileView } from './view.ts';
import { nameAll, plainName } from './wire-names.ts';

const nothingUnread = () => assert.fail('everything is read');

/** Names that are easily taken for each other. */
const project = 'p';
const sourceIds = ['a', 'b', 'A', 'a.b'] as const;
const madeBy = (source: string) => toolId(project, source, 'a', 'c').slice(-8);
const toolkits = ['a', 'A', 'a_b', 'a.b', 'a/b', 'é', 'x'.repeat(60)];
const names = [
  'c',
  'C',
  'b_c',
  'b.c',
  'é',
  'c/d',
  `c_${madeBy('a')}`,
  `c_${madeBy('b')}_2`,
  'long'.repeat(10),
];

const tool = fc.record({
  toolkit: fc.constantFrom(...toolkits, ...sourceIds),
  name: fc.constantFrom(...names),
  version: fc.constantFrom('1.0.0', '1.0.1'),
  says: fc.integer({ min: 0, max: 1 }),
  hasInterface: fc.boolean(),
});

const change = fc.record({
  source: fc.constantFrom(...sourceIds),
  what: fc.constantFrom('list', 'list', 'list', 'forget', 'flip', 'hold', 'disown'),
  tools: fc.array(tool, { maxLength: 6 }),
  resources: fc.array(fc.constantFrom('r://x', 'ui://x/c', 'r://y/z'), { maxLength: 2 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The offers of a project, as its memory would have them. */
function createOffers() {
  const offers = new Map<string, Offered>();
  const owners = new Map<string, string>();
  let nowMs = 1000;

  function listed({ source, tools, resources }: Change): StoredOffer {
    const place = { projectId: project, sourceId: source };
    const before = offers.get(source)?.kept;
    const known = new Map(before?.tools.map((one) => [`${one.id}@${one.toolkit.version}`, one]));
    const kept = new Map<string, typeof known extends Map<string, infer T> ? T : never>();
    for (const { toolkit, name, version, says, hasInterface } of tools) {
      const plain = { ...sampleListing(toolkit, name, { version }), description: `${says}` };
      const [listing] = packed([hasInterface ? withInterface(plain, `ui://x/${name}`) : plain]);
      assert.ok(listing !== undefined);
      const id = toolId(project, source, toolkit, name);
      const one = known.get(`${id}@${version}`);
      const isSame = one?.listing.digest === listing.digest;
      kept.set(
        `${id}@${version}`,
        isSame ? one : newTool({ id, place, firstSeenMs: one?.firstSeenMs ?? nowMs }, listing),
      );
      if (!owners.has(toolkit.toLowerCase()) && !toolkit.includes('/'))
        owners.set(toolkit.toLowerCase(), source);
    }
    const entry = (uri: string) => ({
      target: { ...place, id: uri, ruleName: '' },
      ...{ own: uri, listed: { uri }, available: true, firstSeenMs: nowMs },
    });
    return {
      ...place,
      available: true,
      capabilities: before?.capabilities ?? {},
      instructions: '',
      firstSeenMs: before?.firstSeenMs ?? nowMs,
      revision: `${nowMs}`,
      tools: [...kept.values()],
      unread: null,
      ...{ prompts: [], templates: [], resources: [...new Set(resources)].map(entry) },
    };
  }

  return {
    offers,
    owners,
    apply(change: Change): void {
      nowMs += 1;
      const { source, what } = change;
      const before = offers.get(source);
      if (what === 'list') {
        const kept = listed(change);
        offers.set(source, { kept, held: before?.held ?? null, available: before?.available ?? true });
      } else if (what === 'forget') offers.delete(source);
      else if (what === 'disown') {
        for (const [toolkit, owner] of owners) if (owner === source) owners.delete(toolkit);
      } else if (before !== undefined && what === 'flip') {
        offers.set(source, { ...before, available: !before.available });
      } else if (before !== undefined) {
        const ids = before.kept.tools.filter((_, at) => at % 2 === 0).map(({ id }) => id);
        offers.set(source, { ...before, held: before.held === null ? new Set(ids) : null });
      }
    },
  };
}

const noArguments = { fixed: {}, defaults: {}, hidden: [] };
const gateways = [
  {},
  { allowedTools: ['a.*', 'b/*'] },
  { naming: 'source', allowedTools: ['a.*'] },
  {
    curation: [
      { tool: 'a.c', name: 'a_b_c', description: null, arguments: noArguments },
      { tool: 'A.b_c', name: null, description: 'other', arguments: { ...noArguments, defaults: { x: 1 } } },
    ],
  },
].map((more, at) => ({
  ...newGatewayFromRequest({ name: 'g', slug: `g${at}` }, { projectId: project }),
  ...{ id: `g${at}`, origin: 'api', createdAt: '', updatedAt: '' },
  ...more,
})) as readonly Gateway[];

const standing = (index: OfferIndex) =>
  index.all.map(({ id, ruleName, available, quarantined, toolkit, description }) => [
    ...[id, ruleName, available, quarantined, toolkit.version, description],
  ]);
const asked = [...toolkits, ...sourceIds].flatMap((kit) =>
  names.flatMap((name) => [`${kit}.${name}`, `${kit}_${name}`]),
);

function facesOf(view: CompiledView) {
  return view.tools.map(({ tool, wireName, description, inputSchema, mcp }) => [
    ...[wireName, description, inputSchema, mcp, tool.outputSchema, tool.available],
  ]);
}

/** The names on a gateway as they are defined: given to all of its tools in one go. */
function namesByDefinition(index: OfferIndex, gateway: Gateway, ownNames: boolean) {
  const allowed = compileAllowed(gateway.allowedTools);
  const chosen = index.latest.filter(({ ruleName }) => allowed.passes(ruleName));
  const curated = new Map(gateway.curation.map((one) => [one.tool.toLowerCase(), one.name]));
  const given = nameAll(
    chosen.map((one) => ({
      id: one.id,
      chosen: curated.get(one.ruleName.toLowerCase()) ?? null,
      plain: ownNames ? one.name : plainName(one.toolkit.name, one.name),
      isOwner: ownNames || one.ruleName === one.qualifiedName,
      firstSeenMs: one.firstSeenMs,
    })),
    ownNames ? Number.POSITIVE_INFINITY : undefined,
  );
  return chosen.filter(({ quarantined }) => !quarantined).map(({ id }) => given.get(id));
}

const changes = fc.array(change, { minLength: 1, maxLength: 12 });

type Offers = ReturnType<typeof createOffers>;
type Index = ReturnType<ReturnType<typeof createIndexer>['index']>;

/** Random changes, one after the other; what `begin` gives is told the index after each, as one indexer has changed it. */
function afterEachChange(begin: (made: Offers, indexNow: () => Index) => (index: Index) => void): void {
  const changed = (all: readonly Change[]) => {
    const made = createOffers();
    const indexer = createIndexer();
    const indexNow = () => indexer.index(made.offers.values(), made.owners);
    const check = begin(made, indexNow);
    for (const one of all) {
      made.apply(one);
      check(indexNow());
    }
  };
  fc.assert(fc.property(changes, changed), { numRuns: 50 });
}

describe('an index that was changed again and again', () => {
  test('is the one that is made from nothing', () => {
    afterEachChange(({ offers, owners }) => (now) => {
      const anew = createIndexer().index(offers.values(), owners);
      assert.deepEqual(standing(now), standing(anew));
      assert.deepEqual(
        now.latest.map(({ id }) => id),
        anew.latest.map(({ id }) => id),
      );
      assert.deepEqual([...now.servers.keys()], [...anew.servers.keys()]);
      assert.deepEqual(now.resources, anew.resources);
      for (const name of asked) assert.equal(now.find(name)?.id, anew.find(name)?.id, name);
    });
  });

  test('gives gateways the views that are compiled from nothing, with names by their definition', () => {
    afterEachChange(({ offers, owners }) => {
      const before = new Map<string, CompiledView>();
      return (index) => {
        const fresh = createIndexer().index(offers.values(), owners);
        for (const gateway of gateways) {
          const view = compileView(gateway, index, 1, before.get(gateway.id), nothingUnread);
          const anew = compileView(gateway, fresh, 1, undefined, nothingUnread);
          assert.deepEqual(facesOf(view), facesOf(anew));
          const wireNames = view.tools.map(({ wireName }) => wireName);
          const ways = [true, false].map((own) => namesByDefinition(fresh, gateway, own));
          assert.ok(
            ways.some((way) => isDeepStrictEqual(way, wireNames)),
            wireNames.join(),
          );
          assert.equal(new Set(wireNames).size, wireNames.length);
          for (const shown of view.tools) assert.equal(view.find(shown.wireName), shown);
          for (const name of asked) assert.equal(view.find(name)?.tool.id, anew.find(name)?.tool.id, name);
          before.set(gateway.id, view);
        }
      };
    });
  });

  test('tells of a gateway whose list of tools looks different, and of no other', () => {
    afterEachChange(() => {
      const before = new Map<string, CompiledView>();
      return (index) => {
        for (const gateway of gateways) {
          const was = before.get(gateway.id);
          const view = compileView(gateway, index, 1, was, nothingUnread);
          if (was !== undefined)
            assert.equal(
              changedLists(was, view).has('tools'),
              !isDeepStrictEqual(facesOf(was), facesOf(view)),
            );
          before.set(gateway.id, view);
        }
      };
    });
  });

  test('tells its listeners enough to know every tool as it is', () => {
    afterEachChange((_made, indexNow) => {
      let index = indexNow();
      const differences = createDifferences(() => index);
      const toolsNow = () => index.latest.filter(({ quarantined }) => !quarantined);
      const known = new Map<string, string>();
      const textOf = (one: { id: string; ruleName: string; available: boolean; description: string }) =>
        `${one.ruleName} ${one.available} ${one.description}`;
      differences.on((_, told) => {
        if (told === null) for (const one of toolsNow()) known.set(one.id, textOf(one));
        for (const id of told?.removed ?? []) known.delete(id);
        for (const one of told?.put ?? []) known.set(one.id, textOf(one));
      });
      differences.changed(project);
      return (now) => {
        index = now;
        differences.changed(project);
        assert.deepEqual(known, new Map(toolsNow().map((one) => [one.id, textOf(one)])));
      };
    });
  });
});
