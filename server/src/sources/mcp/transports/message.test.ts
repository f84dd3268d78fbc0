import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/any-character.ts';
import { messagesIn, parseMessage, resultBytes } from './message.ts';

const parse = (text: string, id = 7) => parseMessage(Buffer.from(text), id);

function resultOf(text: string, id = 7): string | null {
  const message = parse(text, id);
  return message.ok && message.value.kind === 'result' ? message.value.bytes.toString('utf8') : null;
}

describe('an answer in JSON-RPC', () => {
  it('gives the bytes of its result as the server wrote them', () => {
    const result = '{ "content":[{"type":"text","text":"a\\u00fc \\"}"}],"n":1e2, "vendor":{"x":null} }';
    const shapes = [
      `{"jsonrpc":"2.0","id":7,"result":${result}}`,
      `{"result":${result},"jsonrpc":"2.0","id":7}\n`,
      ` {"id" : 7 , "result" :${result}, "jsonrpc":"2.0", "more":[{"result":1}] } `,
      `{"jsonrpc":"2.0","id":7,"r\\u0065sult":${result}}`,
      `{"jsonrpc":"2.0","id":7,"result":{"old":1},"result":${result}}`,
      `{"result":{"old":1},"result":${result},"jsonrpc":"2.0","id":7}`,
    ];
    for (const shape of shapes) assert.equal(resultOf(shape), result, shape);
  });

  it('may be of any depth, and nothing else may, as that is written anew', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    assert.equal(resultOf(`{"jsonrpc":"2.0","id":7,"result":{"a":${deep}}}`), `{"a":${deep}}`);
    for (const text of [
      `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":${deep}}}`,
      `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"x":${deep}}}`,
      `{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x","data":${deep}}}`,
    ]) {
      const message = parse(text);
      assert.equal(message.ok ? '' : message.error, 'it is nested more than 64 deep');
    }
  });

  it('is not taken from another request, nor from what is not JSON', () => {
    assert.equal(resultOf('{"jsonrpc":"2.0","id":8,"result":{}}'), null);
    assert.equal(resultOf('{"jsonrpc":"2.0","id":"7","result":{}}'), null);
    const bad = [
      '{"jsonrpc":"2.0","id":7,"result":{}',
      '{"jsonrpc":"2.0","id":7,"result":{}}}',
      '{"jsonrpc":"2.0","id":7,"result":{},}',
      '{"jsonrpc":"2.0","id":7,"result":}',
      '{"jsonrpc":"2.0","id":7,"result":[]}',
      '{"jsonrpc":"2.0","id":7}',
      '{"jsonrpc":"1.0","id":7,"result":{}}',
      '[{"jsonrpc":"2.0","id":7,"result":{}}]',
      '{"result":{},"jsonrpc":"2.0","id":7',
      'Internal Server Error',
      '',
    ];
    for (const text of bad) assert.equal(parse(text).ok, false, text);
    const latin = Buffer.from('{"jsonrpc":"2.0","id":7,"result":{"a":"\xfc"}}', 'latin1');
    assert.equal(parseMessage(latin, 7).ok, false);
  });

  it('may be an error, even of a server that could not read the id', () => {
    for (const id of ['7', 'null']) {
      const message = parse(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32602,"message":"no","data":[1]}}`);
      assert.deepEqual(message, {
        ok: true,
        value: { kind: 'error', error: { code: -32602, message: 'no', data: [1] } },
      });
    }
  });

  it('is told from notifications and requests of the server', () => {
    const kindOf = (text: string) => {
      const message = parse(text);
      return message.ok ? message.value.kind : null;
    };
    assert.equal(kindOf('{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'), 'notification');
    assert.equal(kindOf('{"jsonrpc":"2.0","id":7,"method":"ping"}'), 'request');
    assert.equal(kindOf('{"jsonrpc":"2.0","id":3,"result":{}}'), 'foreign');
  });

  it('gives what a JSON parser finds, whatever the result, the order and the spaces', () => {
    const member = fc.tuple(
      fc.constantFrom('jsonrpc', 'id', 'result', 'extra', 'res\\u0075lt'),
      fc.jsonValue(),
    );
    const space = fc.constantFrom('', ' ', '\n', '\t ');
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), space, (members, gap) => {
        const inner = members.map(
          ([name, value]) => `${gap}"${name}"${gap}:${gap}${JSON.stringify(value)}${gap}`,
        );
        const text = `${gap}{${inner.length === 0 ? gap : inner.join(',')}}${gap}`;
        const parsed = JSON.parse(text) as { result?: unknown };
        const bytes = resultBytes(Buffer.from(text)).toString('utf8');
        assert.deepEqual(bytes === '' ? undefined : JSON.parse(bytes), parsed.result);
      }),
      { numRuns: 500 },
    );
  });

  it('is cut the same in the usual shapes as in any other', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue()),
        fc.nat(),
        (result, id) => {
          const text = JSON.stringify(result);
          assert.equal(resultOf(`{"jsonrpc":"2.0","id":${id},"result":${text}}`, id), text);
          assert.equal(resultOf(`{"result":${text},"jsonrpc":"2.0","id":${id}}`, id), text);
          assert.equal(resultOf(`{"id":${id},"result":${text},"jsonrpc":"2.0"}`, id), text);
        },
      ),
    );
  });

  it('never throws, whatever bytes come', () => {
    const nearly = fc
      .tuple(
        fc.constantFrom('{"jsonrpc":"2.0","id":7,"result":', '{"result":', '{"jsonrpc":"2.0",'),
        fc.string(),
      )
      .map(([head, tail]) => Buffer.from(head + tail));
    const bytes = fc.oneof(
      fc.uint8Array().map((given) => Buffer.from(given)),
      nearly,
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const message = parseMessage(given, 7);
        if (message.ok && message.value.kind === 'result') JSON.parse(message.value.bytes.toString('utf8'));
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a server says at once', () => {
  const told = (text: string) => messagesIn(Buffer.from(text)).map(String);

  it('is one message, or several in an array, each as it was written', () => {
    assert.deepEqual(told('{"a":[1]}'), ['{"a":[1]}']);
    assert.deepEqual(told('\n [ {"a": 1.0} ,{"b":"]"}]'), ['{"a": 1.0}', '{"b":"]"}']);
  });

  it('stays whole where it holds no message', () => {
    for (const text of ['[]', '[info] started', '[{"a":1}', '', ' ']) assert.deepEqual(told(text), [text]);
  });
});
