import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { refusal } from '#domain';
import { checkUserSource, newUserSourceFromRequest } from '#identity';
import { anyCharacter } from '../../test/any-character.ts';
import type { FurtherChecks } from './check.ts';
import { emptyConfig, loadConfigFile } from './config-file.ts';
import { formatMistake } from './mistakes.ts';
import { redact } from './redact.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
const path = join(directory, 'sallyport.yaml');
after(() => rmSync(directory, { recursive: true }));

async function load(text: string | Uint8Array, env: Record<string, string> = {}) {
  writeFileSync(path, text);
  return loadConfigFile(path, env, checks);
}

/** In the place of what other rooms say of patterns and keys. */
const checks: FurtherChecks = {
  rule: ({ match }) =>
    match?.pattern?.includes('(')
      ? refusal('request.params_invalid', 'match.pattern: ( is not closed', { field: 'match.pattern' })
      : null,
  gateway: ({ user_assertion: asked }) =>
    asked?.public_key_pem?.includes('NotAKey')
      ? refusal('request.params_invalid', 'is no key', { field: 'user_assertion.public_key_pem' })
      : null,
  userSource: ({ id, name = id, ...request }) =>
    checkUserSource(newUserSourceFromRequest({ name, ...request }, { id, projectId: '' })),
  authProvider: () => null,
};

/** Every mistake as `line:column path: message`. */
async function mistakesOf(text: string | Uint8Array, env: Record<string, string> = {}): Promise<string[]> {
  const loaded = await load(text, env);
  assert.ok(!loaded.ok, 'the file was accepted');
  return loaded.error.map((mistake) => formatMistake(mistake).slice(path.length + 1));
}

async function configOf(text: string, env: Record<string, string> = {}) {
  const loaded = await load(text, env);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value;
}

describe('a config file that is right', () => {
  it('gives validated requests with their defaults and places', async () => {
    const config = await configOf(
      [
        'workers:',
        '  - id: reference',
        '    http: { uri: "http://127.0.0.1:8002", secret: dev }',
        'gateways:',
        '  - name: For Engineering',
        '  - slug: demo',
        '    tool_filter: { allowed_tools: ["Github.*"] }',
        'egress: { allow: [10.0.0.0/8] }',
        'audit: { durability: strict }',
      ].join('\n'),
    );
    assert.deepEqual(config.workers, [
      {
        request: {
          id: 'reference',
          enabled: true,
          http: { uri: 'http://127.0.0.1:8002', secret: 'dev', timeout: 30, retry: 3 },
        },
        at: { file: path, line: 2, column: 5, path: 'workers[0]' },
      },
    ]);
    assert.deepEqual(
      config.gateways.map(({ id, request, at }) => [id, request.name, request.slug, at.line]),
      [
        ['gw_file_for-engineering', 'For Engineering', 'for-engineering', 5],
        ['gw_file_demo', 'demo', 'demo', 6],
      ],
    );
    assert.deepEqual(config.egressAllow, ['10.0.0.0/8']);
    assert.equal(config.auditDurability, 'strict');
  });

  it('may be empty, and so may its sections', async () => {
    assert.deepEqual(await configOf(''), emptyConfig);
    assert.deepEqual(await configOf('workers:\ngateways: []\ngrants: []\nrules:\nmodels: {}\n'), emptyConfig);
  });

  it('may use anchors, aliases and JSON', async () => {
    const config = await configOf(
      '{"workers": [&a {"id": "a", "mcp": {"uri": "http://x/mcp"}}], "egress": {"allow": &e []}}',
    );
    assert.equal(config.workers[0]?.request.mcp?.timeout, 30);
    const shared = await configOf('workers:\n- id: a\n  mcp: &m { uri: "http://x" }\n- id: b\n  mcp: *m\n');
    assert.equal(shared.workers[1]?.request.mcp?.uri, 'http://x');
  });
});

describe('references to secrets', () => {
  const worker = (secret: string) =>
    `workers:\n  - id: a\n    http: { uri: "http://x", secret: ${secret} }\n`;
  const secretOf = async (secret: string, env = {}) =>
    (await configOf(worker(secret), env)).workers[0]?.request.http?.secret;

  it('come from the environment, from a file beside the config, or from the text itself', async () => {
    writeFileSync(join(directory, 'secret.txt'), 'from file\n\n');
    assert.equal(await secretOf('{ fromEnv: TOKEN }', { TOKEN: 'from env' }), 'from env');
    assert.equal(await secretOf('{ fromFile: secret.txt }'), 'from file\n');
    assert.equal(await secretOf(`{ fromFile: ${join(directory, 'secret.txt')} }`), 'from file\n');
    assert.equal(await secretOf('{ value: plain }'), 'plain');
  });

  it('that lead nowhere are mistakes with their place', async () => {
    writeFileSync(join(directory, 'empty.txt'), '\n');
    const at = '3:38 workers[0].http.secret:';
    const cases = {
      '{ fromEnv: NOPE }': 'expected environment variable NOPE to be set and not empty',
      '{ fromEnv: toString }': 'expected environment variable toString to be set and not empty',
      '{ fromEnv: "a b" }': 'expected the name of an environment variable for fromEnv',
      '{ fromEnv: [x] }': 'expected a text for fromEnv',
      '{ fromFile: nope.txt }': 'expected file nope.txt to exist',
      '{ fromFile: . }': 'expected file . to be a regular file',
      '{ fromFile: empty.txt }': 'expected file empty.txt not to be empty',
    };
    for (const [reference, message] of Object.entries(cases)) {
      assert.deepEqual(await mistakesOf(worker(reference)), [`${at} ${message}`]);
    }
    for (const reference of ['{}', '{ fromEnv: A, value: b }', '{ from_env: A }']) {
      assert.match((await mistakesOf(worker(reference))).join(), /exactly one of \{ fromEnv: NAME \}/);
    }
  });

  it('are looked for only where a string is expected', async () => {
    const config = await configOf(
      [
        'workers:',
        '  - id: a',
        `    mcp: { uri: "http://x", secrets: { value: s }, headers: { value: "\${secret:value}" } }`,
        'gateways:',
        '  - slug: g',
        '    tools: [{ tool: A.B, arguments: { fixed: { value: 5 }, defaults: { where: { value: x } } } }]',
      ].join('\n'),
    );
    assert.deepEqual(config.workers[0]?.request.mcp?.secrets, { value: 's' });
    assert.deepEqual(config.gateways[0]?.request.tools?.[0]?.arguments, {
      fixed: { value: 5 },
      defaults: { where: { value: 'x' } },
      hidden: [],
    });
  });

  it('are never printed, and neither are secrets written into the file', async () => {
    const config = await configOf(
      [
        'workers:',
        '  - id: a',
        '    http: { uri: { fromEnv: U }, secret: SEKRET-1 }',
        '  - id: b',
        '    mcp:',
        '      uri: http://x',
        '      headers: { Authorization: "Bearer SEKRET-2" }',
        '      secrets: { T: SEKRET-3, V: { fromEnv: V } }',
        '      oauth2: { client_id: app, client_secret: SEKRET-4 }',
        '  - id: c',
        '    mcp: { stdio: { command: run, env: { A: SEKRET-7, V: { fromEnv: V } } } }',
        'gateways:',
        '  - { slug: g, user_assertion: { issuer: i, secret: SEKRET-8-which-is-as-long-as-it-must-be } }',
        'plugins:',
        '  - id: hooks',
        '    name: Hooks',
        '    plugin_type: webhook',
        '    webhook_config:',
        '      endpoints: { pre: { url: "https://h.example" } }',
        '      auth: { token: SEKRET-9 }',
        '  - id: groups',
        '    name: Groups',
        '    plugin_type: group_access',
        '    group_access_config:',
        '      backend: okta',
        '      okta: { org_url: "https://o.example", api_token: SEKRET-10 }',
        '      rules: [{ match: "*", required_groups: [a] }]',
        'secrets:',
        '  - { key: API_TOKEN, value: SEKRET-11 }',
      ].join('\n'),
      { U: 'http://x/?key=SEKRET-5', V: 'SEKRET-6' },
    );
    const printed = JSON.stringify(redact(config));
    assert.doesNotMatch(printed, /SEKRET/);
    assert.match(printed, /"client_id":"app"/);
    assert.equal(config.workers[1]?.request.mcp?.secrets.V, 'SEKRET-6');
  });
});

describe('an MCP server that is started by us', () => {
  const worker = (mcp: string) => `workers:\n  - id: a\n    mcp: ${mcp}\n`;

  it('needs a command, and may have what it is to know by reference', async () => {
    const config = await configOf(
      worker(
        '{ stdio: { command: npx, args: [-y, { fromEnv: P }], env: { K: { fromEnv: K } } }, tool_timeouts: { b: 9 } }',
      ),
      { P: 'package', K: 'key' },
    );
    const mcp = config.workers[0]?.request.mcp;
    assert.deepEqual(mcp?.stdio, {
      command: 'npx',
      args: ['-y', 'package'],
      env: { K: 'key' },
      per_user: false,
    });
    assert.deepEqual([mcp?.uri, mcp?.tool_timeouts], [undefined, { b: 9 }]);
  });

  it('is refused with what is wrong about it', async () => {
    const cases = {
      '{}': 'mcp.uri: is missing; expected a uri, or stdio with a command to start',
      '{ uri: "http://x", stdio: { command: a } }': 'mcp.stdio: expected either uri or stdio, got both',
      '{ stdio: {} }': 'mcp.stdio.command: is missing; expected a string',
      '{ stdio: { command: a, arg: [] } }': 'mcp.stdio.arg: unknown key; did you mean "args"?',
      '{ stdio: { command: a, env: { "A-B": c } } }':
        'mcp.stdio.env.A-B: the key is not a valid name of an environment variable',
      '{ stdio: { command: a }, headers: { X: y } }':
        'mcp.headers: belongs to a uri; what a process is to know stands in stdio.env',
      '{ stdio: { command: a }, tool_timeouts: { b: 0 } }': 'mcp.tool_timeouts.b: expected number to be >=1',
    };
    for (const [mcp, message] of Object.entries(cases)) {
      const [first, ...others] = await mistakesOf(worker(mcp));
      assert.equal(first?.slice(first.indexOf('].') + 2), message);
      assert.deepEqual(others, []);
    }
  });
});

describe('mistakes', () => {
  it('are reported all at once, in the order of the file', async () => {
    const text = [
      'workers:',
      '  - id: a',
      '    http: { uri: "ftp://x", secret: 7 }',
      '  - id: a',
      '    mcp: { uri: "http://x", header: {}, timeout: soon }',
      '  - 5',
      'gatways: []',
      'gateways:',
      '  - slug: Not OK',
      '    toolFilter: {}',
      '  - name: Hello World',
      '  - slug: hello-world',
      '  - description: nothing',
      'egress: { allow: ["10.0.0.0/33"] }',
      'audit: { durability: maybe }',
    ].join('\n');
    assert.deepEqual(await mistakesOf(text), [
      '3:18 workers[0].http.uri: must be an http:// or https:// URL without user name and password',
      '3:37 workers[0].http.secret: expected a string, got a number; put it in quotes',
      '4:9 workers[1].id: is the same as workers[0].id (line 2); expected another',
      '5:29 workers[1].mcp.header: unknown key; did you mean "headers"?',
      '5:50 workers[1].mcp.timeout: expected a number, got a string',
      '6:5 workers[2]: expected a mapping, got a number',
      '7:1 gatways: unknown key; did you mean "gateways"?',
      '9:11 gateways[0].slug: must be lower-case letters, digits and single hyphens between them',
      '10:5 gateways[0].toolFilter: unknown key; did you mean "tool_filter"?',
      '12:11 gateways[2].slug: is the same as gateways[1].slug (line 11); expected another',
      '13:5 gateways[3].name: is missing; expected a name or a slug',
      '14:19 egress.allow[0]: expected scheme://host:port, a pattern such as *.corp.example, an IP address or a CIDR block',
      '15:22 audit.durability: expected one of "relaxed"|"strict"',
    ]);
  });

  it('a user assertion is held to what can be checked with it', async () => {
    const pem = (body: string) => `-----BEGIN PUBLIC KEY-----${body}-----END PUBLIC KEY-----`;
    const mistakes = await mistakesOf(
      [
        'gateways:',
        `  - { slug: a, user_assertion: { issuer: i, public_key_pem: "${pem('NotAKey')}" } }`,
        '  - { slug: b, user_assertion: { issuer: i, secret: SEKRET } }',
        '  - { slug: c, user_assertion: { issuer: i, jwks_uri: "ftp://x", algorithms: [HS256] } }',
        '  - { slug: d, user_assertion: { issuer: i } }',
      ].join('\n'),
    );
    assert.deepEqual(mistakes, [
      '2:61 gateways[0].user_assertion.public_key_pem: is no key',
      '3:53 gateways[1].user_assertion.secret: expected string to have >=32 characters',
      '4:55 gateways[2].user_assertion.jwks_uri: must be an http or https URL',
      '4:79 gateways[2].user_assertion.algorithms[0]: is not for this kind of key; it takes RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519',
      '5:32 gateways[3].user_assertion: needs exactly one of jwks, jwks_uri, public_key_pem, secret',
    ]);
  });

  it('the policy is held to the API’s schemas, and rules to what the policy says of them', async () => {
    const mistakes = await mistakesOf(
      [
        'grants:',
        '  - { subject: { usr: alice }, tools: ["*"], effect: allow }',
        '  - { subject: { everyone: true }, tools: ["Git[hub]"], effect: permit, expires_at: soon }',
        'rules:',
        '  - { name: a, direction: input, tools: ["*"], match: { pattern: "(x" }, action: block }',
        '  - name: b',
        '    direction: output',
        '    tools: ["*"]',
        '    action: redact',
        '    replacment: x',
        'limits:',
        '  - { name: c, tools: ["*"], per: [user, user], rate: { limit: 0, per_seconds: 1 } }',
      ].join('\n'),
    );
    assert.deepEqual(mistakes, [
      '2:16 grants[0].subject: must be one of {"user": id}, {"group": name}, {"claim": {"name", "value"}}, {"everyone": true}',
      '3:44 grants[1].tools[0]: character 4: [ is not known in globs: only * and ? stand for other characters',
      '3:65 grants[1].effect: expected one of "allow"|"deny"',
      '3:85 grants[1].expires_at: must be an ISO 8601 date and time with a zone',
      '5:66 rules[0].match.pattern: ( is not closed',
      '6:5 rules[1].match: is required without a condition',
      '10:5 rules[1].replacment: unknown key; did you mean "replacement"?',
      '12:35 limits[0].per: names something twice',
      '12:64 limits[0].rate.limit: expected number to be >=1',
    ]);
  });

  it('plugins and hooks are held to the API’s schemas, and to each other', async () => {
    const mistakes = await mistakesOf(
      [
        'plugins:',
        '  - { id: bad, name: Bad, plugin_type: webhook, webhook_config: { endpoints: { pre: { url: "ftp://x" } } } }',
        '  - id: good',
        '    name: Good',
        '    plugin_type: webhook',
        '    webhook_config:',
        '      endpoints:',
        '        pre: { url: "https://h.example/pre", failure_mode: fail_closed, phase: before }',
        '        post: { url: "https://h.example/post" }',
        '  - { id: good, name: Again, plugin_type: rate_limit, rate_limit_config: { rules: [] } }',
        '  - { id: few, name: Few, plugin_type: rate_limit, rate_limit_config: { rules: [{ match: "*", limit: 1, time_unit: m }] } }',
        'hooks:',
        '  - { name: a, plugin_id: good, hook_point: tool.pre, failure_mode: fail_open, phase: before }',
        '  - { name: b, plugin_id: good, hook_point: tool.post, failure_mode: fail_open, phase: before }',
        '  - { name: c, plugin_id: good, hook_point: tool.post, failure_mode: fail_open, phase: after }',
        '  - { name: d, plugin_id: goood, hook_point: tool.post, failure_mode: fail_open, phase: after }',
        '  - { name: e, plugin_id: few, hook_point: tool.pre, failure_mode: fail_open, phase: after }',
        '  - { name: f, plugin_id: bad, hook_point: tool.access, failure_mode: fail_open, phase: after }',
        '  - { name: g, plugin_id: plg_made_over_the_api, hook_point: tool.access, failure_mode: never, phase: after }',
      ].join('\n'),
    );
    assert.deepEqual(
      mistakes.map((mistake) => mistake.replace(/^\d+:\d+ /, '')),
      [
        'plugins[0].webhook_config.endpoints.pre.url: must be an http:// or https:// URL without user name, password and fragment',
        'plugins[2].id: is the same as plugins[1].id (line 3); expected another',
        'plugins[2].rate_limit_config.rules: expected array to have >=1 items',
        'hooks[0].hook_point: the plugin has a hook at this point already',
        'hooks[2].hook_point: the plugin has a hook at this point already',
        'hooks[3].plugin_id: expected the id of an entry of plugins',
        'hooks[4].plugin_id: expected a plugin of the type "webhook"; others take no hooks',
        'hooks[5].hook_point: expected a point for which the plugin has an endpoint',
        'hooks[6].failure_mode: expected one of "fail_closed"|"fail_open"',
      ],
    );
  });

  it('user sources are held to what only they can see, and their secrets come by reference', async () => {
    const text = (more: string) =>
      `user_sources:\n  - { id: corp, issuer: "https://idp.example", client_id: c, ${more} }\n`;
    assert.deepEqual(await mistakesOf(text('client_secret: { fromEnv: SECRET }, scopes: openid email')), [
      '2:77 user_sources[0].client_secret: expected environment variable SECRET to be set and not empty',
    ]);
    for (const [more, words] of [
      ['scopes: [email]', /scopes: must have openid/],
      ['preset: google', /allowed_domains: is required for Google/],
      ['client_private_key: "{}"', /client_private_key: must be a private RSA, EC or Ed25519 key/],
      ['skip_validation: true', /skip_validation: unknown key/],
    ] as const)
      assert.match((await mistakesOf(text(more))).join(), words);
    const common = text('').replace('https://idp.example', 'https://login.microsoftonline.com/common/v2.0');
    assert.match((await mistakesOf(common)).join(), /issuer: stands for every tenant/);
    const generated = text('').replace('id: corp', 'id: usrc_1');
    assert.match((await mistakesOf(generated)).join(), /id: must not begin with usrc_/);
  });

  it('secrets come by reference, each key once, and none is quoted', async () => {
    const { secrets } = await configOf(
      'secrets:\n  - { key: A.b-1, value: { fromEnv: A }, description: of CI }\n  - { key: B, value: two }\n',
      { A: 'line\none' },
    );
    assert.deepEqual(
      secrets.map(({ request }) => request),
      [
        { key: 'A.b-1', value: 'line\none', description: 'of CI' },
        { key: 'B', value: 'two' },
      ],
    );
    const mistakes = await mistakesOf(
      `secrets:\n  - { key: A, value: ${'SEKRET'.repeat(900)} }\n  - { key: A, value: '' }\n  - { key: a b, value: SEKRET }\n`,
    );
    assert.doesNotMatch(mistakes.join(), /SEKRET/);
    for (const field of ['secrets[0].value', 'secrets[1].key', 'secrets[1].value', 'secrets[2].key'])
      assert.match(mistakes.join('\n'), new RegExp(field.replace(/[[\]]/g, '\\$&')));
  });

  it('a section of a later version is refused while it holds anything', async () => {
    const sections = ['models'];
    const text = sections.map((name) => `${name}: [{ name: x }]`).join('\n');
    const mistakes = await mistakesOf(text);
    assert.equal(mistakes.length, sections.length);
    for (const [index, name] of sections.entries()) {
      assert.match(mistakes[index] ?? '', new RegExp(`^${index + 1}:1 ${name}: this version does not act`));
    }
  });

  it('broken YAML is told with its place, without quoting the file', async () => {
    assert.deepEqual(await mistakesOf('workers: "x\n'), [
      '2:1: a character is missing here: a closing quote or bracket, a comma, or a colon',
    ]);
    assert.deepEqual(await mistakesOf('a: 1\n\tb: 2\n'), ['2:1: tabs cannot indent; use spaces']);
    assert.deepEqual(await mistakesOf('workers: []\n---\nworkers: []\n'), [
      '2:1: expected one document; remove "---" and what follows',
    ]);
    for (const text of [
      'secret: *SEKRET',
      'secret: !SEKRET x',
      'secret: "a" SEKRET',
      'secret: @SEKRET',
      '- "\\SEKRET"',
    ]) {
      assert.doesNotMatch((await mistakesOf(text)).join(), /SEKRET/);
    }
  });

  it('an alias of nothing and a key of nothing are told', async () => {
    assert.deepEqual(await mistakesOf('egress:\n  allow: *nothing\nworker:\n'), [
      '2:10 egress.allow: unknown alias; a text that begins with * must be in quotes',
      '3:1 worker: unknown key; did you mean "workers"?',
    ]);
  });

  it('a key given twice is told beside the other mistakes', async () => {
    const mistakes = await mistakesOf('workers: []\nworkers: []\nworker: []\n');
    assert.deepEqual(mistakes, [
      '2:1: this key is already there in the same block',
      '3:1 worker: unknown key; did you mean "workers"?',
    ]);
  });

  it('never hold a value that came by reference', async () => {
    const text = [
      'workers:',
      '  - id: { fromEnv: BAD }',
      '    mcp: { uri: { fromEnv: BAD }, headers: { A: { fromEnv: BAD } }, secrets: { "a b": { fromEnv: BAD } } }',
      '  - id: b',
      '    mcp: { uri: "http://x", headers: { A: { fromEnv: BAD } } }',
      'gateways: [{ slug: { fromEnv: BAD }, status: { fromEnv: BAD } }, { name: { fromEnv: BAD } }]',
    ].join('\n');
    const mistakes = await mistakesOf(text, { BAD: `\${secret:SEKRET}` });
    assert.ok(mistakes.length >= 4);
    assert.doesNotMatch(mistakes.join('\n'), /SEKRET/i);
  });

  it('a file that cannot be read, is too large or is not text is a mistake', async () => {
    const missing = await loadConfigFile(join(directory, 'missing.yaml'), {}, checks);
    assert.match(missing.ok ? '' : (missing.error[0]?.message ?? ''), /there is no such file/);
    assert.deepEqual(await mistakesOf(Uint8Array.of(0xff, 0xfe, 0x00)), ['1:1: expected UTF-8 text']);
    assert.deepEqual(await mistakesOf(`#${' '.repeat(1024 * 1024)}`), ['1:1: expected at most 1 MiB']);
    assert.match((await mistakesOf('just text')).join(), /expected a mapping with any of workers, gateways/);
  });

  it('endless, exploding and hostile structures are refused', async () => {
    assert.match((await mistakesOf('workers: &a [*a]')).join(), /at most 64 levels/);
    const levels = Array.from(
      { length: 12 },
      (_, n) => `x${n}: &x${n} [${`*x${n - 1},`.repeat(n === 0 ? 0 : 9)}]`,
    );
    assert.match((await mistakesOf(levels.join('\n'))).join(), /100000 values, aliases counted/);
    assert.match((await mistakesOf(`workers: ${'['.repeat(20_000)}`)).join(), /1:/);
    assert.match(
      (await mistakesOf('__proto__: { polluted: 1 }')).join(),
      /expected a key that is plain text/,
    );
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});

describe('whatever the file holds', () => {
  const check = async (text: string) => {
    const loaded = await load(text, { HOME: 'x' });
    if (loaded.ok) {
      redact(loaded.value);
      return;
    }
    assert.ok(loaded.error.length > 0);
    for (const mistake of loaded.error) {
      assert.ok(mistake.line >= 1 && mistake.column >= 1 && mistake.message !== '');
    }
  };

  it('any text is answered, never thrown at', async () => {
    const scraps = fc
      .array(
        fc.constantFrom(
          'workers',
          'gateways',
          'egress',
          'id',
          ': ',
          '- ',
          '\n',
          '  ',
          '{',
          '}',
          '[',
          ']',
          ',',
          '&a',
          '*a',
          '!t ',
          '"',
          "'",
          '|',
          '>',
          '#',
          '?',
          '%',
          '---',
          '\t',
          '<<',
          'fromEnv',
          'value',
          '~',
          '0x1',
          '.nan',
          '\u0000',
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(''));
    const text = fc.oneof(scraps, fc.string({ unit: anyCharacter }));
    await fc.assert(fc.asyncProperty(text, check), { numRuns: 120 });
  });

  it('any structure under the known keys is answered, never thrown at', async () => {
    const keys = fc.constantFrom(
      'workers',
      'gateways',
      'egress',
      'audit',
      'grants',
      'rules',
      'limits',
      'subject',
      'match',
      'rate',
      'plugins',
      'hooks',
      'plugin_id',
      'hook_point',
      'webhook_config',
      'endpoints',
      'id',
      'http',
      'mcp',
      'uri',
      'secret',
      'secrets',
      'headers',
      'fromEnv',
      'value',
      'slug',
      'name',
      'tools',
      'arguments',
      'fixed',
      'allow',
      'tool_filter',
      'constructor',
      'toString',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(
          fc.constantFrom('http://x', 'a-b', 'HOME', `\${secret:x}`),
          fc.boolean(),
          fc.integer(),
          fc.constant(null),
          fc.double(),
        ),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const files = fc.dictionary(keys, fc.oneof(fc.array(tree, { maxLength: 3 }), tree), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(files, (file) => check(stringify(file))),
      { numRuns: 120 },
    );
  });
});
