import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { newGatewayFromRequest, type Source, type Tool } from '#domain';
import type { NewSource, Sources } from '#sources';
import type { Db } from '#storage';
import { type ChangingServer, startChangingServer, toolOf } from './changing-server.ts';
import { openTestDatabase } from './database.ts';
import { callOf, clearShared, newSource, openRoomsBeside, type RoomsBeside } from './rooms-beside.ts';

const project = 'default';
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };

describe('a process that calls sources, beside one that watches them', () => {
  let db: Db;
  let server: ChangingServer;
  let watcher: RoomsBeside;
  let reader: RoomsBeside;

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearShared(db);
    server = await startChangingServer();
    watcher = await openRoomsBeside(db);
    reader = await openRoomsBeside(db, { watches: false });
  });
  afterEach(async () => {
    await reader.close();
    await watcher.close();
    await server.close();
  });

  const create = async (given: Partial<NewSource> = {}) => {
    assert.ok((await watcher.sources.create(newSource(server.uri, given))).ok);
    await reader.changes.look();
  };
  const tool = (name = 'w.Read') => reader.catalog.findTool(project, name);
  const call = async (sources: Sources = reader.sources) => {
    const returned = await sources.call(callOf(tool() as Tool));
    return returned.ok ? 'answered' : returned.error.code;
  };

  it('knows and calls what the other found, and asks no source what it offers', async () => {
    await create();
    assert.deepEqual(
      reader.catalog.tools(project).map(({ ruleName }) => ruleName),
      ['w.Read', 'w.Write'],
    );
    assert.equal(await call(), 'answered');
    const listed = server.listed;
    await reader.sources.refresh(project, 'w');
    reader.sources.secretsChanged(null);
    reader.clock.advance(60_000);
    assert.equal(server.listed, listed);
    assert.deepEqual([reader.sources.status(project, 'w').state, reader.hints], ['unknown', []]);
  });

  it('shows it as unavailable while the other cannot reach it, and as available when that is over', async () => {
    await create();
    const { port } = server;
    await server.close();
    await watcher.sources.refresh(project, 'w');
    await reader.changes.look();
    assert.equal(tool()?.available, false);
    server = await startChangingServer(port);
    await watcher.sources.refresh(project, 'w');
    await reader.changes.look();
    assert.equal(tool()?.available, true);
  });

  it('hints at a source that fails a call, not at every one of many, and writes nothing', async () => {
    await create();
    await server.close();
    for (let n = 0; n < 10; n++) assert.equal(await call(), 'source.unreachable');
    assert.deepEqual(reader.hints, ['default/w']);
    reader.clock.advance(500);
    assert.equal(await call(), 'source.unreachable');
    assert.deepEqual(reader.hints, ['default/w', 'default/w']);
    assert.deepEqual(await db.query('select distinct available from offers'), [{ available: true }]);
  });

  it('calls with a definition as soon as it has heard of it, and not at all what is gone', async () => {
    await create();
    const shown = tool() as Tool;
    await watcher.sources.update(project, 'w', { enabled: false });
    await reader.changes.look();
    const returned = await reader.sources.call(callOf(shown));
    assert.deepEqual([returned.ok ? '' : returned.error.code, tool()], ['source.disabled', null]);
    await watcher.sources.update(project, 'w', { enabled: true });
    await reader.changes.look();
    assert.equal(await call(), 'answered');
    await watcher.sources.remove(project, 'w');
    await reader.changes.look();
    const gone = await reader.sources.call(callOf(shown));
    assert.equal(gone.ok ? '' : gone.error.code, 'catalog.tool_unavailable');
    assert.deepEqual([reader.catalog.tools(project), reader.sources.list(project)], [[], []]);
  });

  it('has the sources of its file, with what the other found of them', async () => {
    const ofFile: Source = { ...newSource(server.uri, { id: 'w' }), origin: 'file', ...undated };
    await watcher.sources.applyFile([ofFile]);
    await watcher.sources.refresh(project, 'w');
    await reader.changes.look();
    assert.equal(tool(), null, 'its own file does not have it yet');
    await reader.sources.applyFile([ofFile]);
    assert.equal(await call(), 'answered');
    await reader.sources.applyFile([]);
    assert.equal(tool(), null);
    assert.equal(watcher.catalog.tools(project).length, 2, 'it has taken nothing from the other');
  });

  it('tells clients of lists that changed', async () => {
    await create();
    const gateway = newGatewayFromRequest({ name: 'g', slug: 'g' }, { projectId: project });
    assert.ok((await reader.catalog.createGateway(gateway)).ok);
    assert.equal(reader.catalog.view('g')?.tools.length, 2);
    reader.told.length = 0;
    server.tools = [toolOf('Read')];
    await watcher.sources.refresh(project, 'w');
    await reader.changes.look();
    assert.deepEqual(reader.told, ['g']);
    assert.equal(reader.catalog.view('g')?.tools.length, 1);
    await reader.changes.look();
    assert.deepEqual(reader.told, ['g'], 'once');
  });
});
