import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorCodes } from '@sallyport/contracts';

const folder = join(import.meta.dirname, '../../docs/errors');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const codes = Object.entries(errorCodes);

describe('the documentation of refusals', () => {
  for (const [code, { status, rpc, retry }] of codes) {
    it(`explains ${code}`, () => {
      const page = read(`${code}.md`);
      const wire = rpc === null ? 'a tool result with `isError: true`' : `JSON-RPC error ${rpc}`;
      const again = `Sending the same request again ${retry ? 'can' : 'does not'} help.`;
      assert.ok(
        page.startsWith(`# ${code}\n\nHTTP ${status}; on \`/mcp\` ${wire}. ${again}\n`),
        'the head is not true',
      );
      assert.match(page, /\n## Cause\n\n\S/);
      assert.match(page, /\n## What to do\n\n- \S/);
    });
  }

  it('has no page for a code that nobody is refused with', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md');
    assert.deepEqual(pages.sort(), codes.map(([code]) => `${code}.md`).sort());
  });

  it('lists every code with its answer in the index', () => {
    const rows = codes.map(
      ([code, { status, rpc, retry }]) =>
        `| [${code}](${code}.md) | ${status} | ${rpc ?? 'tool result'} | ${retry ? 'yes' : 'no'} |`,
    );
    const listed = read('README.md')
      .split('\n')
      .filter((line) => line.startsWith('| ['));
    assert.deepEqual(listed, rows);
  });
});
