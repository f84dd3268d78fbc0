import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isWrite,
  legacyServer,
  namespace,
  convention as wanted,
} from '../../../test/fake-api-server/legacy-server.ts';
import { startMcp } from '../../../test/fake-api-server/mcp-processes.ts';

const migrate = ['deploy', 'migrate', 'proxmox', 'labels', '--yes'];

test('killed after any of its writes, it goes on from there, and endpoints were never empty', async (t) => {
  const reference = await startMcp(t);
  const whole = await legacyServer(t, reference, { replicas: 2 });
  assert.equal((await whole.run(migrate)).code, 0);
  const count = whole.writes().length;
  assert.ok(count >= 6, `${count}`);
  for (let at = 1; at <= count; at += 1) {
    const { fake, run, neverEmpty, writes } = await legacyServer(t, reference, { replicas: 2 });
    const isDead = () => writes().length >= at;
    fake.faults.push(
      { on: () => isDead(), cut: true },
      { on: (seen) => isWrite(seen) && writes().length === at - 1, cut: 'after' },
    );
    const killed = await run(migrate);
    assert.equal(killed.code, 1, `after write ${at}`);
    fake.faults.length = 0;
    const { code, out, err } = await run(migrate);
    assert.equal(code, 0, `after write ${at}: ${out}${err}`);
    neverEmpty();
    assert.deepEqual(fake.get('Deployment', namespace, 'proxmox-mcp').spec.selector.matchLabels, wanted);
  }
});
