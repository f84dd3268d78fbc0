import assert from 'node:assert/strict';
import { it } from 'node:test';
import { auditKinds } from '@sallyport/contracts';
import type { AuditEntry } from '#audit';
import { createLog } from '#telemetry';
import { logDecisions } from './log-decisions.ts';

function toldOf(entry: AuditEntry): Record<string, unknown> {
  const lines: string[] = [];
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) });
  logDecisions(log, (slug) => slug === 'main')(entry);
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

const entry = {
  projectId: 'default',
  decision: 'allowed',
  source: 'files',
  tool: 'Files.file:///home/ann/secret-plans.txt',
  toolId: 'tool_1',
  gateway: 'main',
} as const;

it('every kind of decision has words of its own', () => {
  const words = auditKinds.map((kind) => toldOf({ ...entry, kind }).msg);
  assert.equal(new Set(words).size, auditKinds.length);
  assert.ok(words.every((one) => typeof one === 'string' && one.length > 3));
});

it('names tools and operations that there are; no URI, and nothing that a client made up', () => {
  const named = auditKinds.filter((kind) => 'tool' in toldOf({ ...entry, kind }));
  assert.deepEqual(named, ['tool_call', 'prompt_get', 'tool_change', 'admin', 'sign_in', 'credential']);
  assert.ok(!('tool' in toldOf({ ...entry, kind: 'tool_call', toolId: null })));
  assert.ok(!('gateway' in toldOf({ ...entry, kind: 'sign_in', gateway: "x' or 1=1" })));
});

it('holds neither the user, nor the reason, nor what was changed', () => {
  const told = toldOf({
    ...entry,
    kind: 'admin',
    userId: 'ann@example.com',
    reason: 'ann wrote this',
    changes: { name: 'ann' },
    principal: 'key_1',
    clientId: 'cli_1',
    executionId: 'te_1',
    traceId: 'f'.repeat(32),
    durationMs: 1.5,
    code: null,
  });
  assert.deepEqual(Object.keys(told).sort(), [
    'client_id',
    'decision',
    'duration_ms',
    'execution_id',
    'gateway',
    'kind',
    'level',
    'msg',
    'principal',
    'project',
    'source',
    'time',
    'tool',
    'trace_id',
  ]);
});
