import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShownTool } from '#catalog';
import { adviceOnFound, adviceOnNothing } from './search-advice.ts';

const spaces = new Map(
  ['mcp://github', 'mcp://gitlab', 'worker://Google.Gmail'].map((name) => [
    name,
    { description: null, tools: 3 },
  ]),
);
const nothing = (only: object, { isWhole = true, elsewhere = [] as string[], among = spaces } = {}) =>
  adviceOnNothing({ scope: { spaces: among }, isWhole, only, elsewhere: async () => elsewhere });

describe('where nothing is found', () => {
  it('who may use nothing is told so, and whom it takes to change that', async () => {
    assert.match(
      await nothing({}, { among: new Map() }),
      /^There is no tool that you may use here .* grant you/,
    );
    assert.equal(
      await nothing({ namespace: 'mcp://x' }, { among: new Map() }),
      await nothing({}, { among: new Map() }),
    );
  });

  it('other words are asked for', async () => {
    assert.match(await nothing({}), /^Nothing was found\. Search again in other words: .*list_namespaces/);
  });

  it('a namespace that is not there is named, with those that are spelled like it', async () => {
    const advice = await nothing({ namespace: 'git-hub' });
    assert.match(
      advice,
      /^No tool that you may use is in the namespace "git-hub"\. Perhaps mcp:\/\/github is meant\. Search/,
    );
    assert.equal((await nothing({ namespace: 'zzz' })).includes('Perhaps'), false);
  });

  it('kinds that leave nothing are named, with those that there are', async () => {
    const advice = await nothing({ kinds: ['automation_hub'] });
    assert.match(advice, /^No tool that you may use is of automation_hub: all are of worker or mcp\./);
    const there = await nothing({ kinds: ['worker'], namespace: 'mcp://github' });
    assert.match(there, /^No tool there that you may use is of worker: all are of mcp\./);
  });

  it('it is said where else it may be, best first', async () => {
    const elsewhere = ['worker://Google.Gmail', 'mcp://gitlab', 'worker://Google.Gmail'];
    assert.equal(
      await nothing({ namespace: 'github' }, { elsewhere }),
      'Nothing was found there. worker://Google.Gmail or mcp://gitlab may have it: search there, or without namespace and kinds.',
    );
  });

  it('it is said that not every tool can be found yet, while that is so', async () => {
    for (const only of [{}, { namespace: 'github' }])
      assert.match(await nothing(only, { isWhole: false }), /search again in a few seconds/);
  });

  it('what somebody wrote is told back only in part', async () => {
    const advice = await nothing({ namespace: `a\n${'b'.repeat(500)}` });
    assert.ok(advice.length < 500 && !advice.includes('\n'));
  });
});

describe('where something is found', () => {
  const shown = (description: string) =>
    ({
      tool: { ruleName: 'Git.make', mcp: {} },
      description,
      inputSchema: { properties: { title: {} } },
    }) as unknown as ShownTool;
  const found = (text: string, description: string) => ({ text, isMissed: false, best: shown(description) });
  const missed = { text: 'fly to the moon', isMissed: true, best: null };

  it('nothing is said of what fits', () => {
    assert.equal(adviceOnFound([found('open an issue', 'Opens issues')], true, true), undefined);
    assert.equal(adviceOnFound([found('the title', 'x')], true, true), undefined, 'its parameters count');
    assert.equal(adviceOnFound([found('1 2 3?!', 'x')], true, true)?.includes('undefined'), false);
  });

  it('what says little of what was asked for is told to be looked at first', () => {
    const query = 'book a flight from Oslo to Rome for two adults';
    assert.match(
      adviceOnFound([found(query, 'Merges branches')], true, true) ?? '',
      /^These say little .* details .*other words/,
    );
    assert.equal(
      adviceOnFound([found(query, 'Merges branches'), found('merge it', 'Merges branches')], true, true),
      undefined,
    );
    assert.equal(
      adviceOnFound([found(query, 'Merges branches')], false, true),
      undefined,
      'a model may know better',
    );
  });

  it('of several intents it is said which found nothing', () => {
    const advice = adviceOnFound([found('merge it', 'Merges branches'), missed], true, true);
    assert.match(advice ?? '', /^Nothing was found for "fly to the moon"\. Search again/);
  });

  it('it is said that not every tool can be found yet, while that is so', () => {
    assert.match(
      adviceOnFound([found('merge it', 'Merges branches')], true, false) ?? '',
      /^Not every tool .* seconds\.$/,
    );
  });
});
