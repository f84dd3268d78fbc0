import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import type { CommandError } from '../command-error.ts';
import { type ClientName, clientNames, type Place, type Target } from './client.ts';
import { checkReferences, clientChange, withoutSecrets } from './connect.ts';
import { knownClients } from './known-clients.ts';

const url = 'https://mcp.example.com/mcp/people';
const signIn: Target = { url, headers: {} };
const byKey: Target = {
  url,
  headers: { Authorization: { env: 'TOOLS_KEY', before: 'Bearer ' }, 'Arcade-User-ID': 'ann@example.com' },
};
const place: Place = { platform: 'linux', home: '/home/ann', project: '/repo', env: {} };

function changed(which: ClientName, before: string | null, target: Target | null, name = 'people') {
  return clientChange(knownClients[which], { path: '/x', before }, name, target).after;
}
const json = (which: ClientName, target: Target) => JSON.parse(changed(which, null, target) ?? '');

test('each client is told of an address in its own words, and signs in by itself', () => {
  const people = { url };
  assert.deepEqual(json('claude-code', signIn), { mcpServers: { people: { type: 'http', url } } });
  assert.deepEqual(json('claude-desktop', signIn), {
    mcpServers: { people: { command: 'npx', args: ['-y', 'mcp-remote', url] } },
  });
  assert.deepEqual(json('cursor', signIn), { mcpServers: { people } });
  assert.deepEqual(json('gemini', signIn), { mcpServers: { people: { httpUrl: url } } });
  assert.deepEqual(json('vscode', signIn), { servers: { people: { type: 'http', url } } });
  assert.deepEqual(json('windsurf', signIn), { mcpServers: { people: { serverUrl: url } } });
  assert.deepEqual(json('zed', signIn), { context_servers: { people } });
  assert.deepEqual(json('opencode', signIn), { mcp: { people: { type: 'remote', url, enabled: true } } });
  assert.equal(changed('codex', null, signIn), `[mcp_servers.people]\nurl = "${url}"\n`);
  assert.equal(
    changed('goose', null, signIn),
    `extensions:\n  people:\n    enabled: true\n    type: streamable_http\n    name: people\n    uri: ${url}\n    timeout: 300\n`,
  );
});

test('a key is only ever referred to, in the way of each client', () => {
  const user = { 'Arcade-User-ID': 'ann@example.com' };
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: as the files have it
  const references: Partial<Record<ClientName, string>> = {
    'claude-code': 'Bearer ${TOOLS_KEY}',
    cursor: 'Bearer ${env:TOOLS_KEY}',
    gemini: 'Bearer ${TOOLS_KEY}',
    opencode: 'Bearer {env:TOOLS_KEY}',
    vscode: 'Bearer ${env:TOOLS_KEY}',
    windsurf: 'Bearer ${env:TOOLS_KEY}',
  };
  for (const [which, Authorization] of Object.entries(references)) {
    const file = json(which as ClientName, byKey);
    const { under } = knownClients[which as ClientName];
    assert.deepEqual(file[under].people.headers, { Authorization, ...user }, which);
  }
  const codex = parseToml(changed('codex', null, byKey) ?? '');
  assert.deepEqual(JSON.parse(JSON.stringify(codex)), {
    mcp_servers: { people: { url, bearer_token_env_var: 'TOOLS_KEY', http_headers: user } },
  });
  assert.deepEqual(parseYaml(changed('goose', null, byKey) ?? '').extensions.people, {
    enabled: true,
    type: 'streamable_http',
    name: 'people',
    uri: url,
    timeout: 300,
    headers: { Authorization: 'Bearer ${TOOLS_KEY}', ...user },
    env_keys: ['TOOLS_KEY'],
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as the files have it
  for (const which of ['zed', 'claude-desktop'] as const) {
    assert.throws(() => checkReferences(knownClients[which], byKey), { code: 'connect.no_references' });
  }
});

test('every client has a file for a person on each system, and connecting twice changes nothing', () => {
  for (const which of clientNames) {
    const client = knownClients[which];
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      assert.ok(client.path('user', { ...place, platform })?.includes('/home/ann') || platform === 'win32');
    }
    const once = changed(which, null, signIn);
    assert.equal(changed(which, once, signIn), once, which);
  }
  const windows: Place = {
    platform: 'win32',
    home: 'C:\\Users\\ann',
    project: 'C:\\repo',
    env: { APPDATA: 'C:\\Users\\ann\\AppData\\Roaming' },
  };
  assert.equal(
    knownClients.vscode.path('user', windows),
    'C:\\Users\\ann\\AppData\\Roaming\\Code\\User\\mcp.json',
  );
  assert.equal(
    knownClients.goose.path('user', windows),
    'C:\\Users\\ann\\AppData\\Roaming\\Block\\goose\\config\\config.yaml',
  );
  assert.equal(
    knownClients.vscode.path('user', { ...place, platform: 'darwin' }),
    '/home/ann/Library/Application Support/Code/User/mcp.json',
  );
  assert.equal(knownClients['claude-code'].path('project', place), '/repo/.mcp.json');
  assert.equal(knownClients.windsurf.path('project', place), null);
});

test('changing from a key to signing in takes the headers out, and keeps what else the entry has', () => {
  const before = `{
  // of the team
  "mcpServers": {
    "people": { "url": "${url}", "disabled": true, "headers": { "Authorization": "x" } },
    "other": { "command": "npx" } // mine
  }
}`;
  assert.equal(
    changed('cursor', before, signIn),
    before.replace(', "headers": { "Authorization": "x" }', ''),
  );
  assert.equal(
    changed('cursor', before, null),
    '{\n  // of the team\n  "mcpServers": {\n    "other": { "command": "npx" } // mine\n  }\n}',
  );
});

const codexFile = `model = "gpt-5"   # mine
[mcp_servers.other]
command = "npx"
args = ["-y", "x"]

# people of the company
[mcp_servers.people]
url = "https://old.example.com/mcp"
startup_timeout_sec = 30  # slow
[mcp_servers.people.http_headers]
"X" = "1"

# last
[profiles.mine]
model = "gpt-5"
`;

test('of a TOML file only the lines of the own table change', () => {
  const after = changed('codex', codexFile, byKey);
  assert.equal(
    after,
    codexFile
      .replace(
        'url = "https://old.example.com/mcp"\n',
        `url = "${url}"\nbearer_token_env_var = "TOOLS_KEY"\nhttp_headers = { "Arcade-User-ID" = "ann@example.com" }\n`,
      )
      .replace('[mcp_servers.people.http_headers]\n"X" = "1"\n', ''),
  );
  const without = changed('codex', codexFile, null) ?? '';
  assert.ok(!without.includes('old.example.com') && without.includes('# last') && without.includes('# mine'));
  assert.equal(
    changed('codex', 'model = "x"', signIn),
    `model = "x"\n\n[mcp_servers.people]\nurl = "${url}"\n`,
  );
});

test('a TOML table that is written otherwise is refused rather than guessed at', () => {
  for (const text of [
    'mcp_servers = { people = { url = "https://x/mcp" } }\n',
    'mcp_servers.people.url = "https://x/mcp"\n',
    '[mcp_servers.people]\nargs = [\n  "a",\n]\n',
  ]) {
    assert.throws(() => changed('codex', text, signIn), { code: 'connect.file_unclear' }, text);
  }
  assert.throws(
    () => changed('codex', 'a = 1\nb =\n', signIn),
    (error: CommandError) => error.code === 'file.invalid_toml' && error.message.startsWith('/x:2:'),
  );
});

const gooseFile = `GOOSE_MODEL: gpt-5   # mine
extensions:
  # built in
  developer:
    enabled:   true
    type: builtin
  people:
    type: sse
    uri: https://old.example.com/sse
    bundled: false

# the rest
GOOSE_MODE: auto
`;

test('of a YAML file only the lines of the own entry change', () => {
  const after = changed('goose', gooseFile, signIn) ?? '';
  assert.deepEqual(parseYaml(after).extensions.people, {
    bundled: false,
    enabled: true,
    type: 'streamable_http',
    name: 'people',
    uri: url,
    timeout: 300,
  });
  const [head = '', tail = ''] = gooseFile.split(/ {2}people:[\s\S]*bundled: false\n/);
  assert.ok(after.startsWith(head) && after.endsWith(tail));
  assert.equal(changed('goose', gooseFile, null), head + tail);
  assert.equal(changed('goose', 'extensions: {}\nA: 1\n', signIn), `${changed('goose', null, signIn)}A: 1\n`);
  const added = changed('goose', gooseFile, signIn, 'more') ?? '';
  assert.deepEqual(Object.keys(parseYaml(added).extensions), ['developer', 'people', 'more']);
  assert.ok(
    added.includes('enabled:   true') && added.includes('# built in') && added.includes('# the rest'),
  );
  assert.equal(changed('goose', added, null, 'more'), gooseFile);
});

test('keys that stand around the change are not shown', () => {
  const shown = withoutSecrets(
    [
      ' "API_KEY": "abcdef",',
      ' "Authorization": "Bearer sk-123456789",',
      " 'X-Token': 'abc'",
      ' password = "hunter2"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as the file has it
      '+"Authorization": "Bearer ${TOOLS_KEY}",',
      '+bearer_token_env_var = "TOOLS_KEY"',
      ' args: [sp_0123456789abcdef]',
      '+"url": "https://mcp.example.com/mcp/people"',
    ].join('\n'),
  );
  for (const secret of ['abcdef', 'sk-123', 'hunter2', 'sp_0', "'abc'"])
    assert.ok(!shown.includes(secret), secret);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as the file has it
  for (const kept of ['${TOOLS_KEY}', '= "TOOLS_KEY"', 'mcp/people']) assert.ok(shown.includes(kept), kept);
});

test('comments and anchors of a YAML file are kept, or it is left as it is', () => {
  const added = changed('goose', 'extensions: null # none yet\nA: 1\n', signIn) ?? '';
  assert.match(added, /^extensions: # none yet\n {2}people:\n/);
  assert.ok(added.endsWith('\nA: 1\n'));
  assert.match(
    changed('goose', 'extensions: {} # none yet\r\nA: 1\r\n', signIn) ?? '',
    /^extensions: # none yet\r\n/,
  );
  const braces = 'extensions: { # mine\n  a: { b: c } }\n';
  assert.match(
    changed('goose', braces, signIn) ?? '',
    /^extensions: \{ # mine\n {2}a: \{ b: c \}, people: \{ /,
  );
  assert.equal(changed('goose', changed('goose', braces, signIn) ?? '', null), braces);
  assert.equal(changed('goose', '# none', signIn), `# none\n${changed('goose', null, signIn)}`);
  for (const text of ['extensions: &e {}\nb: *e\n', 'extensions: [a]\n']) {
    assert.throws(() => changed('goose', text, signIn), { code: 'connect.file_unclear' });
  }
});

test('a YAML file that cannot be read is refused, and it is told where', () => {
  for (const text of ['a: 1\nb: *nowhere\n', 'a: 1\nb: ]\n']) {
    assert.throws(
      () => changed('goose', text, signIn),
      ({ code, details }: CommandError) =>
        code === 'yaml.invalid' && details.every((line) => line.startsWith('/x:')),
    );
  }
  assert.throws(() => changed('goose', 'a: 1\n---\nb: 2\n', signIn), { code: 'file.unexpected_yaml' });
});
