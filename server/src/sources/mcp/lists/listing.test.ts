import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { valueSchema } from '@sallyport/contracts';
import fc from 'fast-check';
import { sourceOf } from '../../fixtures/dispatched-call.ts';
import { takenFrom } from '../../fixtures/taken-tools.ts';
import { encodeHeaderValue, paramHeaderLines, sourceHeaders } from '../headers.ts';
import { type About, serverForm } from './listing.ts';
import { parametersOf, valueSchemaOf } from './parameters.ts';

const about = { toolkit: 'docs', serverInfo: { name: 's', version: '2.0' }, modern: true };
const schema = { type: 'object' };

const listed = (entries: readonly unknown[], from: About) => takenFrom(serverForm(from), entries);

describe('the tools of an MCP server', () => {
  it('keep every member that we do not know', async () => {
    const rest = {
      title: 'T',
      annotations: { readOnlyHint: true, vendor: 1 },
      icons: [{ src: 'x' }],
      _meta: { a: 1 },
    };
    const { tools } = await listed([{ name: 'a.b', description: 'd', inputSchema: schema, ...rest }], about);
    assert.deepEqual(tools[0]?.mcp, rest);
    assert.deepEqual(tools[0]?.toolkit, { name: 'docs', version: '2.0', description: null });
    assert.deepEqual(tools[0]?.metadata, { behavior: { read_only: true } });
  });

  it('that cannot be used are left out with the reason', async () => {
    const header = (annotation: unknown, type = 'string') => ({
      name: 'h',
      inputSchema: { type: 'object', properties: { a: { type, 'x-mcp-header': annotation } } },
    });
    let deep: object = {};
    for (let depth = 0; depth < 500; depth++) deep = { properties: { deep } };
    const bad: [unknown, RegExp][] = [
      [null, /not an object/],
      [{ inputSchema: schema }, /no name/],
      [{ name: 'x'.repeat(129), inputSchema: schema }, /128/],
      [{ name: 'a\nb', inputSchema: schema }, /control/],
      [{ name: 'a' }, /inputSchema is not an object/],
      [{ name: 'a', inputSchema: { type: 'string' } }, /does not describe an object/],
      [{ name: 'a', inputSchema: schema, outputSchema: 1 }, /outputSchema/],
      [{ name: 'a', inputSchema: schema, description: 1 }, /description/],
      [{ name: 'a', inputSchema: schema, _meta: deep }, /64 deep/],
      [header('not a token'), /x-mcp-header of a is not a valid header name/],
      [header('X', 'number'), /string, integer or boolean/],
      ...['items', 'unevaluatedProperties'].map((keyword): [unknown, RegExp] => [
        { name: 'l', inputSchema: { type: 'object', [keyword]: { type: 'string', 'x-mcp-header': 'A' } } },
        /reached/,
      ]),
    ];
    for (const [entry, reason] of bad) {
      const { tools, rejected } = await listed([entry], about);
      assert.equal(tools.length, 0, String(reason));
      assert.match(rejected[0]?.reason ?? '', reason);
    }
    assert.equal((await listed([header('not a token')], { ...about, modern: false })).tools.length, 1);
  });

  it('of one name are the first of them', async () => {
    const twice = ['first', 'second'].map((description) => ({ name: 'a', description, inputSchema: schema }));
    const { tools, rejected } = await listed(twice, about);
    assert.deepEqual([tools.length, tools[0]?.description, rejected[0]?.name], [1, 'first', 'a']);
  });
});

describe('the schema of arguments in the words of the REST API', () => {
  it('says what it can, and json for the rest', () => {
    const properties = {
      text: { type: 'string', enum: ['a', 'b'], description: 'which' },
      maybe: { type: ['integer', 'null'] },
      list: { type: 'array', items: { type: 'string', enum: ['x'] } },
      any: { type: 'array' },
      objects: {
        type: 'array',
        items: { type: 'object', properties: { k: { type: 'number' } }, required: ['k'] },
      },
      choice: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      elsewhere: { $ref: '#/$defs/x' },
      odd: { enum: ['p', 'q'] },
      always: true,
    };
    const parameters = parametersOf({ type: 'object', properties, required: ['text'] });
    assert.deepEqual(Object.fromEntries(parameters.map(({ name, value_schema }) => [name, value_schema])), {
      text: { val_type: 'string', enum: ['a', 'b'] },
      maybe: { val_type: 'integer', nullable: true },
      list: { val_type: 'array', inner_val_type: 'string', enum: ['x'] },
      any: { val_type: 'array', inner_val_type: 'json' },
      objects: {
        val_type: 'array',
        inner_val_type: 'json',
        inner_properties: { k: { val_type: 'number' } },
        inner_required_keys: ['k'],
      },
      choice: { val_type: 'json' },
      elsewhere: { val_type: 'json' },
      odd: { val_type: 'string', enum: ['p', 'q'] },
      always: { val_type: 'json' },
    });
    assert.deepEqual([parameters[0]?.required, parameters[0]?.description], [true, 'which']);
    assert.equal(parameters[1]?.required, false);
  });

  it('is always one that the contract accepts, whatever the schema', () => {
    const keyword = fc.constantFrom(
      'type',
      'properties',
      'items',
      'enum',
      'required',
      'description',
      'anyOf',
    );
    const { node } = fc.letrec((tie) => ({
      node: fc.dictionary(
        keyword,
        fc.oneof(fc.constantFrom('string', 'array', 'object', 'null'), fc.jsonValue(), tie('node')),
      ),
    }));
    fc.assert(fc.property(node, (given) => valueSchema.safeParse(valueSchemaOf(given, 0)).success));
  });
});

describe('the headers for an MCP server', () => {
  it('carry names as they are, or in base64 where that is not safe', () => {
    assert.equal(encodeHeaderValue('get weather'), 'get weather');
    for (const value of ['', ' a', 'a ', 'ü', 'a\r\nx: y', '=?base64?YQ==?=']) {
      const encoded = encodeHeaderValue(value);
      assert.match(encoded, /^=\?base64\?[A-Za-z0-9+/=]*\?=$/);
      assert.equal(Buffer.from(encoded.slice(9, -2), 'base64').toString(), value);
    }
  });

  it('repeat the arguments that the schema marks, and no others', () => {
    const inputSchema = {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        inner: { type: 'object', properties: { n: { type: 'integer', 'x-mcp-header': 'N' } } },
        gone: { type: 'boolean', 'x-mcp-header': 'Gone' },
        plain: { type: 'string' },
      },
    };
    const args = { region: 'zürich', inner: { n: 4 }, gone: null, plain: 'x' };
    const region = `=?base64?${Buffer.from('zürich').toString('base64')}?=`;
    assert.equal(paramHeaderLines(inputSchema, args), `mcp-param-Region: ${region}\r\nmcp-param-N: 4\r\n`);
  });

  it('hold the secrets of the source, else those of the project as they are now, and name one that is missing', async () => {
    const ofProject: Record<string, string> = { T: 'unused', P: 'p3', LINES: 'a\nhush' };
    const headersOf = (headers: Record<string, string>) =>
      sourceHeaders(
        sourceOf({ kind: 'mcp', uri: 'http://x', headers, secrets: { T: 's3' } }),
        (_projectId, name) => ofProject[name] ?? null,
      );
    const made = headersOf({ Authorization: `Bearer \${secret:T}`, 'x-key': `\${secret:P}!` });
    assert.ok(made.ok);
    assert.equal(made.value.authorizes, true);
    assert.equal(made.value.fixed, 'Authorization: Bearer s3\r\n');
    const { secret } = made.value;
    assert.ok(secret !== null);
    assert.deepEqual(await secret(), { ok: true, value: 'x-key: p3!\r\n' });
    ofProject.P = 'p4';
    assert.deepEqual(await secret(), { ok: true, value: 'x-key: p4!\r\n' });
    delete ofProject.P;
    const missing = await secret();
    assert.match(missing.ok ? '' : missing.error, /header x-key refers to the secret P, which is neither/);
    const unfit = headersOf({ 'x-a': `\${secret:LINES}` });
    const lined = unfit.ok ? await unfit.value.secret?.() : unfit;
    assert.ok(lined !== undefined);
    assert.match(lined.ok ? '' : String(lined.error), /x-a would hold characters that a header cannot carry/);
    assert.doesNotMatch(JSON.stringify([missing, lined]), /s3|hush/);
    for (const [name, value, words] of [
      ['Mcp-Session-Id', 'x', /set by the gateway/],
      ['a b', 'x', /not a valid header name/],
      ['x-a', 'x\r\ny: z', /cannot carry/],
    ] as const) {
      const refused = headersOf({ [name]: value });
      assert.match(refused.ok ? '' : refused.error.message, words);
    }
  });
});
