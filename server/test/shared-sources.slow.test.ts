import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { newGatewayFromRequest, type PinMode, type Source, type SourceOffer, type Tool } from '#domain';
import type { Db } from '#storage';
import { type ChangingServer, startChangingServer, toolOf } from './changing-server.ts';
import { openTestDatabase } from './database.ts';
import { callOf, clearShared, newSource, openRoomsBeside, type RoomsBeside } from './rooms-beside.ts';

/** Two processes on one database that both watch their sources. */

const project = 'default';
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };

describe('sources of two processes', () => {
  let db: Db;
  let server: ChangingServer;
  let one: RoomsBeside;
  let other: RoomsBeside;

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearShared(db);
    server = await startChangingServer();
    one = await openRoomsBeside(db);
    other = await openRoomsBeside(db);
  });
  afterEach(async () => {
    await other.close();
    await one.close();
    await server.close();
  });

  const look = async () => {
    for (const { changes } of [one, other]) assert.equal(await changes.look(), true);
  };
  const create = async (given: Parameters<typeof newSource>[1] = {}) => {
    assert.ok((await one.sources.create(newSource(server.uri, given))).ok);
    await look();
    await other.sources.refresh(project, 'w');
    await look();
  };
  const names = ({ catalog }: RoomsBeside) => catalog.tools(project).map(({ ruleName }) => ruleName);
  const call = async ({ catalog, sources }: RoomsBeside, name = 'w.Write') => {
    const returned = await sources.call(callOf(catalog.findTool(project, name) as Tool));
    return returned.ok ? 'answered' : returned.error.code;
  };
  const available = () => [one, other].map(({ catalog }) => catalog.findTool(project, 'w.Read')?.available);

  it('are called by both with what one was told, also what they are called with', async () => {
    server.token = 'Bearer first';
    await create({ headers: { authorization: 'Bearer first' } });
    assert.deepEqual([await call(other), names(other)], ['answered', ['w.Read', 'w.Write']]);
    server.token = 'Bearer second';
    assert.equal(await call(other), 'source.secret_refused');
    await one.sources.update(project, 'w', { headers: { authorization: 'Bearer second' } });
    await look();
    assert.equal(await call(other), 'answered');
    await one.sources.remove(project, 'w');
    await look();
    assert.deepEqual([other.sources.list(project), names(other), names(one)], [[], [], []]);
    for (const table of ['sources', 'offers', 'tool_blocks', 'toolkit_owners'])
      assert.deepEqual(await db.query(`select * from ${table}`), [], table);
  });

  it('are opened once for one change, by who makes it and by who hears of it', async () => {
    await create();
    const [mine, theirs] = [one, other].map(({ sources }) => sources.get(project, 'w'));
    await look();
    await look();
    assert.equal(one.sources.get(project, 'w'), mine);
    assert.equal(other.sources.get(project, 'w'), theirs);
    assert.deepEqual({ ...theirs }, JSON.parse(JSON.stringify(mine)));
  });

  it('two changes of which take back nothing of each other, though nobody has heard yet', async () => {
    await create();
    await one.sources.update(project, 'w', { enabled: false });
    await other.sources.update(project, 'w', { timeoutMs: 1234 });
    await look();
    for (const { sources } of [one, other]) {
      const { enabled, timeoutMs } = sources.get(project, 'w') as Source;
      assert.deepEqual([enabled, timeoutMs], [false, 1234]);
    }
  });

  it('of a file are of that process alone', async () => {
    const ofFile: Source = { ...newSource(server.uri), origin: 'file', ...undated };
    await other.sources.applyFile([ofFile]);
    await other.sources.refresh(project, 'w');
    await look();
    assert.deepEqual([names(one), names(other)], [[], ['w.Read', 'w.Write']]);
    await create({ id: 'x' });
    assert.equal(other.sources.get(project, 'w')?.origin, 'file');
    await one.catalog.keepSources(project, ['x']);
    await look();
    assert.deepEqual(
      names(other).filter((name) => name.startsWith('w.')),
      ['w.Read', 'w.Write'],
    );
    await other.sources.refresh(project, 'w');
    assert.equal(
      (await db.query("select 1 from tool_blocks where source_id = 'w'")).length,
      1,
      'kept once more',
    );
  });

  it('that only one of them reaches are unavailable there, and nowhere else', async () => {
    await create();
    await one.catalog.markUnavailable(project, 'w');
    assert.deepEqual(available(), [false, true]);
    await look();
    assert.deepEqual(available(), [false, true]);
    const lane = await openRoomsBeside(db, { watches: false });
    assert.equal(lane.catalog.findTool(project, 'w.Read')?.available, false);
    await other.sources.refresh(project, 'w');
    for (let n = 0; n < 3; n++) await look();
    await lane.changes.look();
    assert.deepEqual(available(), [false, true], 'nobody is talked out of what they found');
    assert.equal(lane.catalog.findTool(project, 'w.Read')?.available, true);
    await lane.close();
    const told = one.changes.told() + other.changes.told();
    for (let n = 0; n < 3; n++) {
      await other.sources.refresh(project, 'w');
      await look();
    }
    assert.equal(one.changes.told() + other.changes.told(), told, 'and they do not go on about it');
  });

  describe('that are pinned', () => {
    const held = () =>
      [one, other].map(({ catalog }) => catalog.quarantined(project, 'w').map(({ name }) => name));
    const changed = async (description: string) => {
      server.tools = [toolOf('Read', description), toolOf('Write', 'Writes a file')];
      await one.sources.refresh(project, 'w');
      await look();
    };

    it('hold a changed tool back everywhere, and release it everywhere once one approves it', async () => {
      await create({ pin: 'quarantine' });
      await changed('Reads a file, and sends it away');
      assert.deepEqual([held(), names(other)], [[['Read'], ['Read']], ['w.Write']]);
      await other.sources.refresh(project, 'w');
      await look();
      assert.deepEqual(held(), [['Read'], ['Read']]);
      assert.equal((await other.catalog.approveChanges(project, 'w', () => true)).length, 1);
      assert.deepEqual(held(), [['Read'], []]);
      await look();
      assert.deepEqual(held(), [[], []]);
      assert.equal(await call(one, 'w.Read'), 'answered');
      await one.sources.refresh(project, 'w');
      assert.deepEqual(held(), [[], []]);
    });

    it('tell clients of both', async () => {
      await create({ pin: 'quarantine' });
      await other.catalog.createGateway(
        newGatewayFromRequest({ name: 'g', slug: 'g' }, { projectId: project }),
      );
      assert.equal(other.catalog.view('g')?.tools.length, 2);
      other.told.length = 0;
      await changed('Reads a file, and sends it away');
      assert.deepEqual(other.told, ['g']);
      await one.catalog.approveChanges(project, 'w', () => true);
      await look();
      assert.deepEqual(other.told, ['g', 'g']);
    });

    const offer = (description: string): SourceOffer => ({
      tools: one.catalog.tools(project).map((tool) => {
        const { toolkit, name, inputSchema, outputSchema, parameters, output } = tool;
        const { requirements, metadata, mcp } = tool;
        return {
          ...{ toolkit, name, description, inputSchema, outputSchema, parameters, output },
          ...{ requirements, metadata, mcp },
        };
      }),
      prompts: [],
      resources: [],
      templates: [],
      capabilities: { tools: {} },
    });
    const pinning = (onChange: () => unknown = () => undefined, mode: PinMode = 'quarantine') => ({
      mode,
      onChange: async () => void (await onChange()),
    });

    it('an approval that meets a newer change approves what it was shown, and nothing else', async () => {
      await create({ pin: 'quarantine' });
      const [second, third] = [offer('second'), offer('third')];
      await one.catalog.replaceOffer(project, 'w', second, pinning());
      await look();
      let approving: Promise<unknown> | null = null;
      // While the one compares the third definition, the other approves the second.
      const approve = () => {
        approving ??= other.catalog.approveChanges(
          project,
          'w',
          ({ definition }) => definition.description === 'second',
        );
        return approving;
      };
      await one.catalog.replaceOffer(project, 'w', third, pinning(approve));
      await look();
      assert.deepEqual(held(), [
        ['Read', 'Write'],
        ['Read', 'Write'],
      ]);
      assert.equal((await other.catalog.toolChanges(project, 'w')).length, 2);
      await one.catalog.replaceOffer(project, 'w', second, pinning());
      await look();
      assert.deepEqual(held(), [[], []], 'the approval was kept');
    });

    it('are not released by a process that does not pin them', async () => {
      await create({ pin: 'quarantine' });
      const second = offer('second');
      await other.catalog.replaceOffer(project, 'w', offer('first'), pinning(undefined, 'off'));
      await look();
      await one.catalog.replaceOffer(project, 'w', second, pinning());
      await look();
      await other.catalog.replaceOffer(project, 'w', second, pinning(undefined, 'off'));
      await look();
      assert.deepEqual(held()[0], ['Read', 'Write']);
    });
  });
});
