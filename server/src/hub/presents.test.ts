import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GatewayView, ShownTool } from '#catalog';
import type { Caller } from '#domain';
import { listedTo } from './presents.ts';
import { createScopes } from './scopes.ts';
import { createToolFinder } from './tool-finder.ts';
import { createToolRefs } from './tool-ref.ts';

const caller = {} as Caller;
const shownAs = (wireName: string): ShownTool =>
  ({ wireName, description: 'x'.repeat(40), inputSchema: {}, tool: { outputSchema: null } }) as ShownTool;
const viewOf = (presentation: string, lists: readonly (readonly ShownTool[])[]): GatewayView =>
  ({ gateway: { presentation }, toolLists: lists }) as unknown as GatewayView;

/** `asked`: how many tools policy was asked about at once. */
function looking(mayUse: (shown: ShownTool) => boolean) {
  const asked: number[] = [];
  const scopes = createScopes({
    catalog: { toolLists: () => [] },
    governance: { closedTo: () => new Set() },
    refs: createToolRefs({ get: () => null }),
    finder: createToolFinder(),
    pipeline: {
      visible(_caller, _gateway, tools) {
        asked.push(tools.length);
        return tools.filter(mayUse);
      },
    },
  });
  return { asked, scopes };
}

const many = Array.from({ length: 4 }, (_, source) =>
  Array.from({ length: 10_000 }, (_, at) => shownAs(`s${source}_${at}`)),
);

it('looks at no more of a long list than tells that it is too long', async () => {
  const { asked, scopes } = looking(() => true);
  assert.equal(await listedTo(caller, viewOf('auto', many), { tools: 60, tokens: 20_000 }, scopes), null);
  assert.deepEqual(asked, [10_000]);
});

it('lists what the caller may use of however many, looked at a part at a time', async () => {
  const few = new Set(['s0_7', 's3_9999']);
  const { asked, scopes } = looking(({ wireName }) => few.has(wireName));
  const listed = await listedTo(caller, viewOf('auto', many), { tools: 60, tokens: 20_000 }, scopes);
  assert.deepEqual(
    listed?.map(({ wireName }) => wireName),
    ['s0_7', 's3_9999'],
  );
  assert.deepEqual(asked, [10_000, 10_000, 10_000, 10_000]);
});

it('takes few tools that say much for many', async () => {
  const { scopes } = looking(() => true);
  const view = viewOf('auto', [[shownAs('one'), shownAs('two')]]);
  assert.equal((await listedTo(caller, view, { tools: 60, tokens: 23 }, scopes))?.length, 2);
  assert.equal(await listedTo(caller, view, { tools: 60, tokens: 22 }, scopes), null);
});

it('does not look where the gateway presents the hub', async () => {
  const { asked, scopes } = looking(() => true);
  assert.equal(await listedTo(caller, viewOf('hub', many), { tools: 60, tokens: 1 }, scopes), null);
  assert.deepEqual(asked, []);
});
