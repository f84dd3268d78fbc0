import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayView, ShownTool } from '#catalog';
import { toolPages } from './tool-list.ts';

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
    const page = toolPages.any({ tools: [shown] } as unknown as GatewayView, [shown], undefined);
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
  const view = { tools: [shown] } as unknown as GatewayView;
  const toolIn = (root: 'any' | 'object') => {
    const page = toolPages[root](view, [shown], undefined);
    return page.ok ? JSON.parse(`{${page.value}}`).tools[0] : null;
  };
  const tool = { title: 'Run', name: 'run', inputSchema: { type: 'object' } };
  assert.deepEqual(toolIn('any'), tool);
  assert.deepEqual(toolIn('object'), { ...tool, execution });
});
