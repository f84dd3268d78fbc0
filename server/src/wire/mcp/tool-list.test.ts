import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownTool } from '#catalog';
import type { Gateway } from '#domain';
import { toolPages, withoutRedacted } from './tool-list.ts';

test('a tool refers to its interface as the gateway writes that, also while its source is down', () => {
  const mcpWith = (resourceUri: string) => ({ title: 'T', _meta: { ui: { resourceUri }, kept: 1 } });
  const textWhere = (available: boolean) => {
    const shown = {
      tool: { available, outputSchema: null, mcp: mcpWith('ui://app') },
      wireName: 'wiki_show',
      description: 'd',
      inputSchema: { type: 'object' },
      mcp: mcpWith('wiki+ui://app'),
    } as unknown as ShownTool;
    const page = toolPages.any([shown], [shown], undefined);
    return page.ok ? page.value : '';
  };
  const meta = '{"ui":{"resourceUri":"wiki+ui://app"},"kept":1';
  assert.ok(textWhere(true).includes(`"_meta":${meta}},"name":"wiki_show"`));
  assert.ok(textWhere(false).includes(`"_meta":${meta},"sallyport/available":false},"name":"wiki_show"`));
});

test('how a tool runs as a task of 2025-11-25 is told only to clients that have those', () => {
  const execution = { taskSupport: 'optional' };
  const shown = {
    tool: { available: true, outputSchema: null },
    wireName: 'run',
    description: '',
    inputSchema: { type: 'object' },
    mcp: { title: 'Run', execution },
  } as unknown as ShownTool;
  const toolIn = (root: 'any' | 'object') => {
    const page = toolPages[root]([shown], [shown], undefined);
    return page.ok ? JSON.parse(`{${page.value}}`).tools[0] : null;
  };
  const tool = { title: 'Run', name: 'run', inputSchema: { type: 'object' } };
  assert.deepEqual(toolIn('any'), tool);
  assert.deepEqual(toolIn('object'), { ...tool, execution });
});

test('a list under the same redactions is the same list, and the one without them stays as it was', () => {
  const outputSchema = { type: 'object' };
  const toolOf = (wireName: string) =>
    ({
      tool: { available: true, outputSchema },
      wireName,
      description: '',
      inputSchema: {},
      mcp: {},
    }) as never;
  const tools: readonly ShownTool[] = [toolOf('a'), toolOf('b')];
  const gateway = {} as Gateway;
  const concerning = (name: string) => ({
    concern: (_: unknown, target: unknown) => target === toolIn(name),
  });
  const toolIn = (name: string) => tools.find(({ wireName }) => wireName === name)?.tool;
  const page = (list: readonly ShownTool[]) => {
    const text = toolPages.any(list, list, undefined);
    const shown = text.ok ? JSON.parse(`{${text.value}}`).tools : [];
    return shown.map((tool: object) => 'outputSchema' in tool);
  };
  const first = concerning('a');
  assert.equal(withoutRedacted(tools, gateway, null), tools);
  const list = withoutRedacted(tools, gateway, first);
  assert.equal(withoutRedacted(tools, gateway, first), list);
  assert.equal(withoutRedacted([...tools].reverse(), gateway, first)[1], list[0]);
  assert.deepEqual(page(list), [false, true]);
  assert.deepEqual(page(tools), [true, true]);
  assert.deepEqual(page(withoutRedacted(tools, gateway, concerning('b'))), [true, false]);
  assert.deepEqual(page(list), [false, true]);
});
