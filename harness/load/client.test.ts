import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { listen } from '../conformance/fixture-server.ts';
import { type Job, type Measurement, measure } from './client.ts';

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params: { readonly arguments: { readonly text: string } };
}

type Reply = (request: Request, res: ServerResponse) => void;

/** Runs a job of one call on each of two connections against a server that replies so. */
async function measureAgainst(reply: Reply, change: Partial<Job> = {}): Promise<Measurement> {
  const http = createServer((req: IncomingMessage, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    req.on('end', () => (body === '' ? res.end() : reply(JSON.parse(body) as Request, res)));
  });
  await listen(http);
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  try {
    const job: Job = {
      url,
      headers: {},
      style: 'stateless',
      method: 'tools/call',
      tool: 'Echo',
      argument: 'text',
      connections: 2,
      durationMs: 1,
      ...change,
    };
    return await measure(job);
  } finally {
    http.close();
  }
}

const textResult = (text: string) => ({ content: [{ type: 'text', text }] });
const answer = (id: number | undefined, result: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result });

describe('the load generator', () => {
  it('takes an answer with its id and its text as right', async () => {
    const measured = await measureAgainst(({ id, params }, res) => {
      res.end(answer(id, textResult(params.arguments.text)));
    });
    assert.ok(measured.answers >= 2);
    assert.equal(measured.wrong, 0);
  });

  it('takes a right answer from an event stream in pieces', async () => {
    const measured = await measureAgainst(({ id, params }, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n');
      res.end(`event: message\ndata: ${answer(id, textResult(params.arguments.text))}\n\n`);
    });
    assert.equal(measured.wrong, 0);
  });

  const wrong: readonly (readonly [string, Reply])[] = [
    ["another call's text", ({ id }, res) => void res.end(answer(id, textResult('token-0')))],
    [
      'another id',
      ({ id = 0, params }, res) => void res.end(answer(id + 1, textResult(params.arguments.text))),
    ],
    [
      'a tool error',
      ({ id, params }, res) =>
        void res.end(answer(id, { isError: true, ...textResult(params.arguments.text) })),
    ],
    ['a refusal', (_, res) => void res.writeHead(401).end('{}')],
  ];
  for (const [what, reply] of wrong) {
    it(`counts ${what} as wrong and shows the first`, async () => {
      const measured = await measureAgainst(reply);
      assert.equal(measured.wrong, measured.answers);
      assert.match(measured.firstWrong ?? '', /^HTTP \d+: \{/);
    });
  }

  it('counts a list that is not complete over its pages as wrong', async () => {
    const pages: Reply = ({ id, params }, res) => {
      const more = 'cursor' in params ? {} : { nextCursor: 'second' };
      res.end(answer(id, { tools: [{}, {}], ...more }));
    };
    const list = { method: 'tools/list', connections: 1 } as const;
    assert.equal((await measureAgainst(pages, { ...list, expectTools: 4 })).wrong, 0);
    const short = await measureAgainst(pages, { ...list, expectTools: 5 });
    assert.equal(short.firstWrong, '4 tools instead of 5');
  });

  it('opens a session for each connection and sends its id with every call', async () => {
    const sessions = new Set<unknown>();
    const reply: Reply = ({ id, method, params }, res) => {
      if (method === 'initialize') {
        res.setHeader('Mcp-Session-Id', `s${id}`);
        res.end(answer(id, {}));
      } else {
        if (method === 'tools/call') sessions.add(res.req.headers['mcp-session-id']);
        res.end(method === 'tools/call' ? answer(id, textResult(params.arguments.text)) : '');
      }
    };
    assert.equal((await measureAgainst(reply, { style: 'session' })).wrong, 0);
    assert.equal(sessions.size, 2);
    assert.ok(!sessions.has(undefined));
  });
});
