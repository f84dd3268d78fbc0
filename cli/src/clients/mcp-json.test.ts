import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import type { CommandError } from '../command-error.ts';
import { editMcpJson, type McpJsonEdit } from './mcp-json.ts';

const path = '/repo/.mcp.json';
const github = { url: 'http://github-mcp.ai-platform.svc.cluster.local:3000/mcp' };
const edited = (before: string | null, ...edits: McpJsonEdit[]) => editMcpJson(path, before, edits).after;

test('a missing file is made, with the type that Claude Code needs', () => {
  assert.equal(
    edited(null, { set: 'github', entry: github }),
    `{
  "mcpServers": {
    "github": {
      "type": "http",
      "url": "http://github-mcp.ai-platform.svc.cluster.local:3000/mcp"
    }
  }
}
`,
  );
});

test('comments, spacing, trailing commas and line ends of a file stay', () => {
  const before = [
    '// servers of the platform team',
    '{',
    '\t"mcpServers" : {',
    '\t\t"proxmox": { "type":"http",   "url": "http://10.20.0.5:31180/mcp" }, // keep',
    '\t},',
    '\t"other":  [1,2 , 3],',
    '}',
    '',
  ].join('\r\n');
  assert.equal(
    edited(before, { set: 'github', entry: github }),
    before.replace(
      '// keep\r\n',
      `// keep\r\n\t\t"github": {\r\n\t\t\t"type": "http",\r\n\t\t\t"url": "${github.url}"\r\n\t\t},\r\n`,
    ),
  );
});

test('a comment behind the last entry stays behind it when another one follows', () => {
  const before = '{\n  "mcpServers": {\n    "a": {} // of a\n    // the end\n  }\n}\n';
  const after = edited(before, { set: 'b', entry: { url: 'http://b/mcp' } });
  assert.equal(
    after,
    '{\n  "mcpServers": {\n    "a": {}, // of a\n    "b": {\n      "type": "http",\n      "url": "http://b/mcp"\n    }\n    // the end\n  }\n}\n',
  );
});

test('an entry of the address it has already changes nothing', () => {
  const before = `{"mcpServers":{"github":{"url":"${github.url}","type":"http","headers":{"X":"mine"}}}}`;
  assert.equal(edited(before, { set: 'github', entry: github }), before);
});

test('another address replaces just the address, and what starts a process goes', () => {
  const before =
    '{ "mcpServers": { "github": { "command": "npx", "args": ["x"], "disabled": false, "url": "http://old/" } } }';
  assert.equal(
    edited(before, { set: 'github', entry: github }),
    `{ "mcpServers": { "github": { "disabled": false, "url": "${github.url}", "type": "http" } } }`,
  );
});

test('a removed entry takes its line and its comma with it, and no more', () => {
  const before = '{\n  "mcpServers": {\n    "a": { "url": "x" }, // of a\n    // of b\n    "b": {}\n  }\n}\n';
  assert.equal(edited(before, { remove: 'a' }), '{\n  "mcpServers": {\n    // of b\n    "b": {}\n  }\n}\n');
  assert.equal(
    edited(before, { remove: 'b' }),
    '{\n  "mcpServers": {\n    "a": { "url": "x" } // of a\n    // of b\n  }\n}\n',
  );
  assert.equal(edited(before, { remove: 'c' }), before);
  assert.equal(edited(null, { remove: 'c' }), null);
});

test('a header that holds a value instead of a reference is refused', () => {
  assert.throws(
    () =>
      edited(null, { set: 'x', entry: { url: 'http://x/mcp', headers: { Authorization: 'Bearer sp_123' } } }),
    { code: 'mcp_json.plain_header' },
  );
  assert.match(
    edited(null, {
      set: 'x',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as the file has it
      entry: { url: 'http://x/mcp', headers: { Authorization: 'Bearer ${X_TOKEN}' } },
    }) ?? '',
    /"Authorization": "Bearer \$\{X_TOKEN\}"/,
  );
});

test('an address without the path of the endpoint is refused', () => {
  for (const url of ['http://x:8080', 'http://x:8080/', 'x/mcp', 'ftp://x/mcp']) {
    assert.throws(() => edited(null, { set: 'x', entry: { url } }), { code: 'mcp_json.url_invalid' });
  }
  const withPassword = { set: 'x', entry: { url: 'http://ann:the-password@x:8080' } };
  assert.throws(() => edited(null, withPassword), {
    message: /^the address of x is http:\/\/\*\*\*@x:8080:/,
  });
});

test('a file that is no JSON is refused with the place', () => {
  const broken = '{\n  "mcpServers": {\n    "a" 1\n  }\n}';
  assert.throws(
    () => edited(broken, { set: 'x', entry: github }),
    (error: CommandError) =>
      error.code === 'file.invalid_json' && error.message.startsWith('/repo/.mcp.json:3:9:'),
  );
  assert.throws(() => edited('{"mcpServers": []}', { set: 'x', entry: github }), {
    code: 'file.unexpected_json',
  });
});

test('whatever a file looks like, an entry that is added and removed again leaves its meaning as it was', () => {
  const name = fc.stringMatching(/^[a-z]{1,4}$/);
  const file = fc.record({
    servers: fc.option(fc.dictionary(name, fc.record({ url: fc.constant('http://x/mcp') })), {
      nil: undefined,
    }),
    other: fc.option(fc.jsonValue(), { nil: undefined }),
    indent: fc.constantFrom(0, 2, 4, '\t'),
    eol: fc.constantFrom('\n', '\r\n'),
    bom: fc.constantFrom('', '\uFEFF'),
  });
  fc.assert(
    fc.property(file, name, ({ servers, other, indent, eol, bom }, added) => {
      const meaning = {
        ...(servers === undefined ? {} : { mcpServers: servers }),
        ...(other === undefined ? {} : { other }),
      };
      const before = bom + JSON.stringify(meaning, null, indent).replaceAll('\n', eol);
      const withIt = edited(before, { set: added, entry: github }) ?? '';
      const expected = {
        ...meaning,
        mcpServers: { ...servers, [added]: { ...servers?.[added], ...github, type: 'http' } },
      };
      assert.deepEqual(JSON.parse(withIt.slice(bom.length)), JSON.parse(JSON.stringify(expected)));
      if (servers?.[added] !== undefined) return;
      const without = edited(withIt, { remove: added }) ?? '';
      assert.deepEqual(parse(without.slice(bom.length)), {
        mcpServers: {},
        ...parse(JSON.stringify(meaning)),
      });
      if (servers !== undefined && Object.keys(servers).length > 0) assert.equal(without, before);
    }),
  );
});
