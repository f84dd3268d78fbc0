import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { issuesRefusal, refusalAnswer } from './answer.ts';

test('a mistake is told as a sentence about its field', () => {
  const schema = z.strictObject({
    text: z.string(),
    list: z.array(z.string()).max(2),
    map: z.record(z.string(), z.unknown()),
    whole: z.coerce.number().int().min(1),
    small: z.number().max(10),
    kind: z.enum(['a', 'b']),
    absent: z.string(),
  });
  const body = { text: 5, list: ['', '', ''], map: [], whole: 'x', small: 11, kind: 'c', more: 1 };
  const parsed = schema.safeParse(body);
  assert.ok(!parsed.success);
  const { issues, message } = issuesRefusal(parsed.error);
  assert.deepEqual(Object.fromEntries((issues ?? []).map(({ field, message }) => [field, message])), {
    text: 'must be a string',
    list: 'must have at most 2 items',
    map: 'must be an object',
    whole: 'must be a number',
    small: 'must be at most 10',
    kind: 'must be one of "a", "b"',
    absent: 'is required',
    more: 'is not a known field',
  });
  assert.equal(message, 'text: must be a string (and 7 more)');
});

test('what a program can do about a refusal stands beside the words', async () => {
  const details = { approval: { id: 'apr_1' } };
  const answer = refusalAnswer({ code: 'policy.approval_required', message: 'it waits', details });
  assert.equal(answer.status, 403);
  assert.deepEqual(await answer.json(), { name: 'policy.approval_required', message: 'it waits', details });
});

test('when to come back is told in milliseconds, and in whole seconds that are not too few', () => {
  const { headers } = refusalAnswer({ code: 'policy.rate_limited', message: 'wait', retryAfterMs: 2001 });
  assert.deepEqual([headers.get('retry-after-ms'), headers.get('retry-after')], ['2001', '3']);
});
