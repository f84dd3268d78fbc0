import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import type { Inspection, SourceConnection } from '../../contract.ts';
import { sourceOf, unheard } from '../../fixtures/dispatched-call.ts';
import { type OfferingServer, startOfferingServer } from '../../fixtures/offering-server.ts';
import { healthyStatus } from '../../status.ts';
import { mcpKind } from '../mcp.ts';

const stops: (() => unknown)[] = [];
let egress: Egress;
beforeEach(() => {
  egress = createEgress({ allow: [] });
  stops.push(() => egress.close());
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Lists = OfferingServer['lists'];
const everything = { tools: {}, prompts: {}, resources: {} };
const tools: Lists = { 'tools/list': () => ({ tools: [{ name: 'Echo', inputSchema: { type: 'object' } }] }) };
const prompt = (name: string, more: object = {}) => ({ name, ...more });
const resource = (uri: string, more: object = {}) => ({ uri, name: 'r', ...more });

for (const era of ['legacy', 'modern'] as const) {
  describe(`what a server of the ${era} era offers`, () => {
    async function start(capabilities: object, lists: Lists) {
      const clock = manualClock();
      const server = await startOfferingServer(era, capabilities, lists);
      stops.push(() => server.stop());
      const opened = mcpKind.open(
        sourceOf({ kind: 'mcp', uri: `${server.origin}/mcp` }),
        { egress, clock, log: silentLog },
        unheard,
      );
      assert.ok(opened.ok);
      stops.push(() => opened.value.close());
      return { server, clock, connection: opened.value };
    }

    async function inspect(connection: SourceConnection): Promise<Inspection> {
      const found = await connection.inspect();
      assert.ok(found.ok, found.ok ? '' : found.error.message);
      return found.value;
    }

    const messageOf = (inspection: Inspection) => healthyStatus(inspection, '').message;

    it('is every page of its prompts, resources and templates, as they came, and what it declared', async () => {
      const capabilities = { ...everything, completions: {}, experimental: { 'vendor/x': { a: 1 } } };
      const { connection } = await start(capabilities, {
        ...tools,
        'prompts/list': (cursor) =>
          cursor === ''
            ? { prompts: [prompt('a', { title: 'A', _meta: { 'vendor/kept': 1 } })], nextCursor: 'second' }
            : { prompts: [prompt(`b of ${cursor}`, { arguments: [{ name: 'x', required: true }] })] },
        'resources/list': () => ({ resources: [resource('file:///a', { mimeType: 'text/plain', size: 3 })] }),
        'resources/templates/list': () => ({
          resourceTemplates: [{ uriTemplate: 'file:///{path}', name: 't' }],
        }),
      });
      const found = await inspect(connection);
      const { offer } = found;
      assert.deepEqual(offer.prompts, [
        { name: 'a', listed: { name: 'a', title: 'A', _meta: { 'vendor/kept': 1 } } },
        {
          name: 'b of second',
          listed: { name: 'b of second', arguments: [{ name: 'x', required: true }] },
        },
      ]);
      assert.deepEqual(offer.resources, [
        { uri: 'file:///a', listed: resource('file:///a', { mimeType: 'text/plain', size: 3 }) },
      ]);
      assert.deepEqual(offer.templates, [
        { uriTemplate: 'file:///{path}', listed: { uriTemplate: 'file:///{path}', name: 't' } },
      ]);
      assert.deepEqual(offer.capabilities, capabilities);
      assert.deepEqual(
        offer.tools.map(({ name }) => name),
        ['Echo'],
      );
      assert.equal(
        messageOf(found),
        'healthy: it offers 1 tool, 2 prompts, 1 resource and 1 resource template',
      );
      const { promptCount, resourceCount } = healthyStatus(found, '');
      assert.deepEqual([promptCount, resourceCount], [2, 1]);
    });

    it('is not asked for where it is not declared', async () => {
      const { connection, server } = await start({ tools: {} }, tools);
      const { offer } = await inspect(connection);
      assert.deepEqual([offer.prompts, offer.resources, offer.templates], [[], [], []]);
      assert.deepEqual(
        server.asked.filter((method) => method.endsWith('/list')),
        ['tools/list'],
      );
    });

    it('is well without tools where it has prompts', async () => {
      const { connection } = await start(
        { prompts: {} },
        { 'prompts/list': () => ({ prompts: [prompt('a'), prompt('b')] }) },
      );
      const found = await inspect(connection);
      assert.deepEqual(found.offer.tools, []);
      assert.equal(messageOf(found), 'healthy: it offers 2 prompts');
    });

    it('is none of a kind whose list fails, which is said, and the tools all the same', async () => {
      const { connection } = await start(everything, {
        ...tools,
        'resources/list': () => {
          throw new Error('the disk is full');
        },
      });
      const found = await inspect(connection);
      assert.deepEqual([found.offer.tools.length, found.offer.prompts, found.offer.resources], [1, [], []]);
      assert.match(messageOf(found), /left out: all prompts \(.*-32601\)\), all resources \(.*disk is full/);
      assert.doesNotMatch(messageOf(found), /templates/);
    });

    it('is without the entries that cannot be used, each said with the reason, and of two of one name the first', async () => {
      let deep: object = {};
      for (let depth = 0; depth < 100; depth++) deep = { deep };
      const prompts: [unknown, RegExp][] = [
        [3, /^prompt 2: it is not an object/],
        [{ title: 'no name' }, /^prompt 3: it has no name/],
        [prompt('x'.repeat(129)), /^prompt x+: its name is longer than 128/],
        [prompt('a\nb'), /control characters/],
        [prompt('nul', { description: 'a\0b' }), /^prompt nul: it holds text that is no text/],
        [prompt('deep', { _meta: deep }), /^prompt deep: it is nested more than 64 deep/],
        [prompt('good', { title: 'second' }), /^prompt good: it is listed twice/],
      ];
      const { connection } = await start(everything, {
        ...tools,
        'prompts/list': () => ({ prompts: [prompt('good'), ...prompts.map(([entry]) => entry)] }),
        'resources/list': () => ({
          resources: [resource(`file:///${'x'.repeat(2048)}`), resource('a:\u0001'), resource('a:b')],
        }),
        'resources/templates/list': () => ({ resourceTemplates: [{ name: 'no template' }] }),
      });
      const { offer, rejected } = await inspect(connection);
      assert.deepEqual(offer.prompts, [{ name: 'good', listed: { name: 'good' } }]);
      assert.deepEqual(
        offer.resources.map(({ uri }) => uri),
        ['a:b'],
      );
      assert.deepEqual(offer.templates, []);
      const said = rejected.map(({ name, reason }) => `${name}: ${reason}`);
      for (const [, words] of prompts)
        assert.ok(
          said.some((one) => words.test(one)),
          String(words),
        );
      assert.equal(rejected.length, prompts.length + 3, said.join('\n'));
    });

    it('is the same object while no list changes, and another one when any does', async () => {
      const { connection, server } = await start(everything, {
        ...tools,
        'prompts/list': () => ({ prompts: [] }),
        'resources/list': () => ({ resources: [] }),
        'resources/templates/list': () => ({ resourceTemplates: [] }),
      });
      let before = (await inspect(connection)).offer;
      assert.equal((await inspect(connection)).offer, before);
      for (const [method, member, entry] of [
        ['prompts/list', 'prompts', prompt('new')],
        ['resources/list', 'resources', resource('a:b')],
        ['resources/templates/list', 'resourceTemplates', { uriTemplate: 'a:{b}', name: 't' }],
      ] as const) {
        server.lists[method] = () => ({ [member]: [entry] });
        const { offer } = await inspect(connection);
        assert.notEqual(offer, before, method);
        before = offer;
      }
    });

    it('is bounded: too many entries, and pages in circles, offer none of the kind', async () => {
      const { connection } = await start(everything, {
        ...tools,
        'prompts/list': () => ({ prompts: Array.from({ length: 10_001 }, (_, at) => prompt(`p${at}`)) }),
        'resources/list': () => ({ resources: [resource('a:b')], nextCursor: 'again' }),
      });
      const found = await inspect(connection);
      assert.deepEqual([found.offer.prompts, found.offer.resources, found.offer.tools.length], [[], [], 1]);
      assert.match(messageOf(found), /all prompts \(it lists 10001; at most 10000/);
      assert.match(messageOf(found), /all resources \(resources\/list goes in circles/);
    });

    it('is what the server declares by now, some minutes after it was upgraded at the latest', async () => {
      const capabilities: Record<string, object> = { tools: {} };
      const { connection, clock, server } = await start(capabilities, { ...tools });
      assert.deepEqual((await inspect(connection)).offer.prompts, []);
      capabilities.prompts = {};
      server.lists['prompts/list'] = () => ({ prompts: [prompt('new')] });
      server.restart();
      clock.advance(5 * 60_000);
      assert.deepEqual(
        (await inspect(connection)).offer.prompts.map(({ name }) => name),
        ['new'],
      );
    });
  });
}
