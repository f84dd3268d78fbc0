import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock, ok } from '#foundation';
import { silentOwner } from './capabilities.ts';
import type { Hearing } from './hearing.ts';
import { createSessions, type Lease, type Session } from './sessions.ts';
import type { Line } from './transports/transport.ts';

const line: Line = {
  isChannel: false,
  request: () => assert.fail('nothing is asked'),
  tell: async () => {},
  listen: () => ({ ready: Promise.resolve(), stop() {} }),
  end: async () => {},
};

const hearing: Hearing = {
  level: null,
  start: async () => {},
  begin() {},
  finish() {},
  follow: () => () => {},
  updated() {},
  stop() {},
};

function setUp(options: { max?: number; stateless?: boolean } = {}) {
  const clock = manualClock();
  const ended: (string | null)[] = [];
  let opened = 0;
  const sessions = createSessions({
    clock,
    ...(options.max === undefined ? {} : { max: options.max }),
    async open() {
      opened++;
      const id = options.stateless === true ? null : `s${opened}`;
      return ok<Session>({
        id,
        line,
        owner: silentOwner('a'),
        hearing,
        keepsNothing: id === null,
        version: '2025-06-18',
        offer: { serverInfo: null, capabilities: {}, tools: true, listChanged: false, instructions: '' },
      });
    },
    async end({ id }) {
      ended.push(id);
    },
  });
  const acquire = async (owner: string, user = owner): Promise<Lease> => {
    const lease = await sessions.acquire({ ...silentOwner(owner), user });
    assert.ok(lease.ok);
    return lease.value;
  };
  return { clock, ended, sessions, acquire, opened: () => opened };
}

describe('sessions with a server', () => {
  it('are one for each owner, opened once however many ask at once', async () => {
    const { acquire, opened } = setUp();
    const [a, again, b] = await Promise.all([acquire('a'), acquire('a'), acquire('b')]);
    assert.equal(a.session, again.session);
    assert.notEqual(a.session.id, b.session.id);
    assert.equal(opened(), 2);
  });

  it('end when there are too many, the one unused for longest first, never one in use', async () => {
    const { acquire, ended } = setUp({ max: 3 });
    const a = await acquire('a');
    (await acquire('b')).release();
    (await acquire('c')).release();
    (await acquire('b')).release();
    (await acquire('d')).release();
    await Promise.resolve();
    assert.deepEqual(ended, ['s3']);
    assert.equal((await acquire('a')).session, a.session);
  });

  it('of one user end before those of others, however many that user opens', async () => {
    const { acquire, ended } = setUp({ max: 3 });
    (await acquire('b')).release();
    for (const key of ['a1', 'a2', 'a3', 'a4']) (await acquire(key, 'a')).release();
    await Promise.resolve();
    assert.deepEqual(ended, ['s2', 's3']);
    assert.equal((await acquire('b')).session.id, 's1');
  });

  it('end when nobody used them for ten minutes', async () => {
    const { acquire, clock, ended, opened } = setUp();
    const busy = await acquire('busy');
    (await acquire('idle')).release();
    clock.advance(9 * 60_000);
    assert.deepEqual(ended, []);
    clock.advance(2 * 60_000);
    await Promise.resolve();
    assert.deepEqual(ended, ['s2']);
    busy.release();
    await acquire('idle');
    assert.equal(opened(), 3);
  });

  it('are opened anew once lost, and a late loss of the old one does not lose the new one', async () => {
    const { acquire, opened } = setUp();
    const first = await acquire('a');
    const late = await acquire('a');
    first.lose();
    const second = await acquire('a');
    late.lose();
    assert.equal((await acquire('a')).session, second.session);
    assert.equal(opened(), 2);
  });

  it('are opened once for all where the server keeps none', async () => {
    const { acquire, opened } = setUp({ stateless: true });
    const a = await acquire('a');
    const b = await acquire('b');
    assert.equal(a.session, b.session);
    assert.equal(opened(), 1);
    a.lose();
    await acquire('b');
    assert.equal(opened(), 2);
  });
});
