import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Audit, AuditEntry } from '#audit';
import { observedAudit } from './observed-audit.ts';

const entry: AuditEntry = { kind: 'tool_call', decision: 'allowed', projectId: 'default' };
const auditThat = (record: Audit['record']) => ({ record }) as Audit;

test('whoever observes hears of a record once it is journalled', () => {
  const told: string[] = [];
  const audit = observedAudit(
    auditThat(() => void told.push('journalled')),
    [() => told.push('first'), () => told.push('second')],
  );
  audit.record(entry);
  assert.deepEqual(told, ['journalled', 'first', 'second']);
});

test('nobody hears of what could not be journalled', () => {
  const told: AuditEntry[] = [];
  const broken = auditThat(() => {
    throw new Error('no journal');
  });
  assert.throws(() => observedAudit(broken, [(heard) => told.push(heard)]).record(entry), /no journal/);
  assert.deepEqual(told, []);
});

test('under strict durability the caller waits for the disk as before', async () => {
  const onDisk = Promise.resolve();
  assert.equal(
    observedAudit(
      auditThat(() => onDisk),
      [() => {}],
    ).record(entry),
    onDisk,
  );
});
