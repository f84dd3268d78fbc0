import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ToolMetadata } from '@sallyport/contracts';
import type { Tool } from '#domain';
import { compileFilter } from './filter.ts';

const metadata: ToolMetadata = {
  classification: { service_domains: ['Source_Code', 'chat'] },
  behavior: { operations: ['create'], read_only: false },
  extras: { idp: 'entra', nested: { a: [1] } },
};

function passes(filter: object, of: ToolMetadata | null = metadata): boolean {
  const compiled = compileFilter(JSON.stringify(filter));
  assert.ok(compiled.ok);
  return compiled.value({ metadata: of } as Tool);
}

describe('a filter', () => {
  it('finds words whatever their case; an array means any of them', () => {
    assert.equal(passes({ service_domains: ['SOURCE_CODE', 'mail'] }), true);
    assert.equal(passes({ service_domains: ['mail'] }), false);
    assert.equal(passes({ service_domains: { all_of: ['chat', 'mail'] } }), false);
    assert.equal(passes({ service_domains: { all_of: ['chat'], none_of: ['CREATE'] } }), true);
    assert.equal(passes({ operations: { none_of: ['Create'] } }), false);
  });

  it('takes a flag that is not set for neither true nor false', () => {
    assert.equal(passes({ read_only: false }), true);
    assert.equal(passes({ read_only: true }), false);
    assert.equal(passes({ destructive: false }), false);
    assert.equal(passes({ read_only: false }, null), false);
  });

  it('compares extras exactly, and only those it names', () => {
    assert.equal(passes({ extras: { idp: 'entra' } }), true);
    assert.equal(passes({ extras: { idp: 'Entra' } }), false);
    assert.equal(passes({ extras: { nested: { a: [1] } } }), true);
  });

  it('with a mistake is refused, naming the field', () => {
    for (const [text, field] of [
      ['{', 'filter'],
      ['[]', 'filter'],
      ['{"readonly":true}', 'filter.readonly'],
      ['{"read_only":"yes"}', 'filter.read_only'],
    ] as const) {
      const compiled = compileFilter(text);
      assert.ok(!compiled.ok);
      assert.equal(compiled.error.field, field);
    }
  });
});
