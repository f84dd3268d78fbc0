import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLike, readRef } from './tool-ref.ts';

describe('a tool reference', () => {
  it('is read with its scheme, or without, in any case', () => {
    assert.deepEqual(readRef('mcp://github.create_issue'), [
      { kind: 'mcp', name: 'github.create_issue', version: null },
    ]);
    assert.deepEqual(readRef(' WORKER://Mail.Send '), [{ kind: 'worker', name: 'Mail.Send', version: null }]);
    assert.deepEqual(readRef('Mail_Send'), [{ kind: null, name: 'Mail_Send', version: null }]);
    assert.deepEqual(readRef('two/Mail.Send')[0]?.name, 'two/Mail.Send');
  });

  it('may end with a version, or with a name that looks like one', () => {
    assert.deepEqual(readRef('worker://Mail.Send@1.2.0'), [
      { kind: 'worker', name: 'Mail.Send@1.2.0', version: null },
      { kind: 'worker', name: 'Mail.Send', version: '1.2.0' },
    ]);
    assert.equal(readRef('@scope').length, 1);
    assert.equal(readRef('Mail.Send@').length, 1);
  });

  it('of another scheme is none, and neither is nothing', () => {
    for (const text of ['', '   ', 'worker://', 'file:///etc/passwd', 'http://x.y']) {
      assert.deepEqual(readRef(text), [], text);
    }
  });

  it('is like a name that differs by case and by what stands between its words', () => {
    assert.ok(isLike('github.create_issue', 'GitHub_create-issue'));
    assert.ok(!isLike('github.create_issue', 'github.create_issues'));
    assert.ok(!isLike('github.create_issue', 'gitlab.create_issue'));
  });

  it('in any script is like no other name', () => {
    assert.ok(isLike('почта.Отправить', 'Почта_отправить'));
    assert.ok(!isLike('邮件.删除', '邮件.发送'));
    assert.ok(!isLike('mail.sénd', 'mail.sând'));
  });
});
