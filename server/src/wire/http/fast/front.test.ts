import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import { readBody } from '../body.ts';
import type { HttpRequest, HttpResponse } from '../message.ts';
import {
  bytesOf,
  mutated,
  mutation,
  nodeReads,
  noted,
  noting,
  plain,
  type Read,
  request,
  sendTo,
} from './fixtures/requests.ts';
import { behind, createFastFront } from './front.ts';
import { WholeRequest } from './whole-request.ts';

type Serve = (request: HttpRequest, response: HttpResponse) => void;

/** A front with node:http behind it, both serving the same. */
async function started(t: TestContext, serve: Serve, accepts = () => true) {
  const clock = manualClock();
  const server = createServer({ keepAliveTimeout: 75_000 }, serve);
  const handOver = behind(server);
  const front = createFastFront({ serve, accepts, handOver, keepAliveMs: 75_000, clock });
  const accepted: Socket[] = [];
  server.on('connection', (socket) => {
    accepted.push(socket);
    front.take(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    front.cut();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return {
    ...{ clock, front, accepted },
    async open() {
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await Promise.all([once(client, 'connect'), once(server, 'connection')]);
      return client;
    },
  };
}

/** What comes next on a connection, until it holds `end`; `''`: until it ends. */
async function heard(client: Socket, end: string): Promise<string> {
  let text = '';
  while (end === '' ? !client.readableEnded : !text.includes(end)) {
    const chunk = client.read() as Buffer | null;
    if (chunk !== null) text += chunk.toString('latin1');
    else await Promise.race([once(client, 'readable'), once(client, 'end')]);
  }
  return text;
}

const post = (body = '{}', more = '') =>
  `POST /mcp/office HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
/** A name twice: as good a request as any, and not plain. */
const forNode = 'X-A: 1\r\nX-A: 2\r\n';
const next = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

const answers: Readonly<Record<string, (response: HttpResponse) => void>> = {
  'a text': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 });
    response.end('{}');
  },
  'a text beyond ASCII': (response) => {
    response.writeHead(400, { 'content-length': Buffer.byteLength('Jürgen €') });
    response.end('Jürgen €');
  },
  bytes: (response) => {
    response.writeHead(200, { 'content-length': 3 });
    response.end(Buffer.from([0, 255, 10]));
  },
  'many bytes': (response) => {
    response.writeHead(200, { 'content-length': 300_000 });
    response.end(Buffer.alloc(300_000, 'x'));
  },
  'many bytes in parts': (response) => {
    response.writeHead(200, { 'content-length': 200_000 });
    response.write(Buffer.alloc(100_000, 'x'));
    response.end(Buffer.alloc(100_000, 'y'));
  },
  nothing: (response) => {
    response.writeHead(202, { 'content-length': 0 });
    response.end();
  },
  'nothing, ever': (response) => {
    response.writeHead(204);
    response.end();
  },
  'a stream': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: ü\n\n');
    response.write(Buffer.from('data: 2\n\n'));
    response.write(Buffer.alloc(100_000, 'x'));
    response.end('data: 3\n\n');
  },
  'a stream of nothing': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end();
  },
  'a stream that is begun before there is anything to say': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    response.once('close', () => {});
    response.end('data: 1\n\n');
  },
  'headers that were set before': (response) => {
    response.setHeader('vary', 'Accept');
    response.setHeader('x-b', 'lost');
    response.writeHead(200, { 'x-b': 'kept', 'content-length': 0 });
    response.end();
  },
  'a text of other letters, and one of ours': (response) => {
    const text = 'ünsere Wörter ✓';
    response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
    response.end(text);
  },
  'headers that say before how long it is': (response) => {
    response.setHeader('content-length', '5');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end('plain');
  },
  'the last one': (response) => {
    response.writeHead(413, { connection: 'close', 'content-length': 1 });
    response.end('x');
  },
};

for (const [what, answer] of Object.entries(answers)) {
  test(`an answer is the same as from node:http: ${what}`, async (t) => {
    const readWhole: boolean[] = [];
    const { open } = await started(t, (request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-length': 3 });
        response.end('end');
        return;
      }
      readWhole.push(request instanceof WholeRequest);
      answer(response);
    });
    const said: string[] = [];
    for (const more of ['', forNode]) {
      const client = await open();
      client.write(post('{}', more));
      let all = await heard(client, '\r\n\r\n');
      // Where it ends is seen by what comes after it.
      if (all.includes('close')) all += await heard(client, '');
      else {
        client.write(next);
        all += await heard(client, '\r\n\r\nend');
      }
      client.destroy();
      said.push(all.replaceAll(/^Date: .*$/gm, 'Date: now'));
    }
    assert.deepEqual(readWhole, [true, false]);
    assert.equal(said[0], said[1]);
  });
}

test('however a request is cut into pieces, it is answered once, and so is the next one', async (t) => {
  const whole = post('{"a":"b"}', 'X-A: 1\r\n');
  for (let cut = 1; cut < whole.length; cut++) {
    const bodies: string[] = [];
    let readWhole = 0;
    const { front } = await started(t, async (request, response) => {
      if (request instanceof WholeRequest) readWhole++;
      const body = await readBody(request);
      bodies.push(body.ok ? body.value.toString() : body.error.message);
      response.writeHead(200, { 'content-length': 2 });
      response.end('ok');
    });
    const [client, socket] = duplexPair();
    front.take(socket as Socket);
    for (const piece of [whole.slice(0, cut), whole.slice(cut), whole]) {
      client.write(piece);
      for (let turn = 0; turn < 4; turn++) await setImmediate();
    }
    assert.deepEqual(bodies, ['{"a":"b"}', '{"a":"b"}'], `cut at ${cut}`);
    if (cut > whole.indexOf('\n')) assert.equal(readWhole, 2, `cut at ${cut}`);
    assert.equal(String(client.read()).match(/HTTP\/1.1 200 OK/g)?.length, 2);
    client.destroy();
  }
});

test('a request byte by byte is answered, too', async (t) => {
  const { front } = await started(t, async (request, response) => {
    const body = await readBody(request);
    response.writeHead(200, { 'content-length': 2 });
    response.end(body.ok ? body.value : '');
  });
  const [client, socket] = duplexPair();
  front.take(socket as Socket);
  for (const byte of post('42')) {
    client.write(byte);
    await setImmediate();
  }
  await heard(client as Socket, '\r\n\r\n42');
});

function cutUp(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [0, ...at.toSorted((a, b) => a - b)];
  return cuts.map((from, which) => bytes.subarray(from, cuts[which + 1])).filter(({ length }) => length > 0);
}

test('whatever becomes of requests on the way, and of the pieces they come in, node:http reads the same without us', async () => {
  let readWhole = 0;
  const cuts = fc.array(fc.nat(300), { maxLength: 2 });
  const sent = fc.tuple(request, fc.array(mutation, { maxLength: 1 }), cuts);
  const property = fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 3 }), async (requests) => {
    const pieces = requests.flatMap(([text, mutations, at]) => cutUp(bytesOf(mutated(text, mutations)), at));
    const reads: Read[] = [];
    const server = createServer({ maxHeaderSize: 80 * 1024 }, noting(reads));
    const front = createFastFront({
      accepts: () => true,
      serve(whole, response) {
        readWhole++;
        reads.push(noted(whole));
        response.writeHead(200, { 'content-length': 0 });
        response.end();
      },
      handOver: behind(server),
      keepAliveMs: 75_000,
      clock: manualClock(),
    });
    await sendTo(server, pieces, (socket) => front.take(socket as Socket));
    const alone = await nodeReads(...pieces);
    // What came together with something wrong may end with it unread.
    const count = alone.includes('an error') ? Math.min(reads.length, alone.length - 1) : alone.length;
    assert.deepEqual(reads.slice(0, count), alone.slice(0, count));
    if (!alone.includes('an error')) assert.equal(reads.length, alone.length);
  });
  await fc.assert(property, { numRuns: 1000 });
  assert.ok(readWhole > 100, `only ${readWhole} were read at all`);
});

test('a request that is begun is given time, and not more than who says nothing', async (t) => {
  const { open, clock, accepted } = await started(t, () => assert.fail('there is nothing to serve'));
  const client = await open();
  client.write(post().slice(0, -1));
  while (accepted[0]?.bytesRead === 0) await setImmediate();
  clock.advance(75_000);
  assert.equal(accepted[0]?.destroyed, false);
  clock.advance(15_000);
  await once(client.resume(), 'end');
});

test('what is sent before its turn is answered after it, in order', async (t) => {
  const served: string[] = [];
  const arrived = Promise.withResolvers<HttpResponse>();
  const { open } = await started(t, async (request, response) => {
    const body = await readBody(request);
    served.push(`${request.constructor.name} ${body.ok && body.value.toString()}`);
    if (served.length === 1) return arrived.resolve(response);
    response.writeHead(200, { 'content-length': 1 });
    response.end(String(served.length));
  });
  const client = await open();
  client.write(post('1'));
  const first = await arrived.promise;
  client.write(post('2') + post('3').slice(0, 20));
  client.write(post('3').slice(20));
  first.writeHead(200, { 'content-length': 1 });
  first.end('1');
  const all = await heard(client, '\r\n\r\n3');
  assert.deepEqual(all.match(/\r\n\r\n\d/g), ['\r\n\r\n1', '\r\n\r\n2', '\r\n\r\n3']);
  assert.deepEqual(served, ['WholeRequest 1', 'IncomingMessage 2', 'IncomingMessage 3']);
});

for (const body of ['2', 'x'.repeat(64 * 1024)]) {
  test(`a plain request that is sent before its turn waits for it, and that is all: ${body.length}`, async (t) => {
    const first = Promise.withResolvers<HttpResponse>();
    const { open, accepted } = await started(t, (request, response) => {
      assert.ok(request instanceof WholeRequest);
      if (request.body.toString() === '1') return first.resolve(response);
      response.writeHead(200, { 'content-length': request.body.length });
      response.end(request.body);
    });
    const client = await open();
    client.write(post('1'));
    const response = await first.promise;
    client.write(post(body));
    const [socket] = accepted as [Socket];
    while (socket.bytesRead < post('1').length + body.length && !socket.isPaused()) await setImmediate();
    response.writeHead(200, { 'content-length': 0 });
    response.end();
    await heard(client, `\r\n\r\n${body}`);
  });
}

test('what is kept for a client that does not wait is bounded, and none of it is lost', async (t) => {
  const arrived = Promise.withResolvers<HttpResponse>();
  let lengths = 0;
  const { open, accepted } = await started(t, async (request, response) => {
    if (request instanceof WholeRequest) return arrived.resolve(response);
    const body = await readBody(request);
    lengths += body.ok ? body.value.length : 0;
    response.writeHead(200, { 'content-length': 3 });
    response.end('end');
  });
  const client = await open();
  client.write(post());
  const first = await arrived.promise;
  const much = 2_000_000;
  client.write(post('x'.repeat(much)));
  const [socket] = accepted as [Socket];
  await new Promise<void>((resolve) => {
    const look = () => (socket.isPaused() ? resolve() : setTimeout(look, 1));
    look();
  });
  assert.ok(socket.bytesRead < 300_000);
  first.writeHead(200, { 'content-length': 0 });
  first.end();
  await heard(client, '\r\n\r\nend');
  assert.equal(lengths, much);
});

test('a client that goes away is seen at once, and what is said to it then costs nothing', async (t) => {
  for (const leave of ['resetAndDestroy', 'destroy', 'end'] as const) {
    const arrived = Promise.withResolvers<HttpResponse>();
    const { open } = await started(t, (_request, response) => arrived.resolve(response));
    const client = await open();
    client.on('error', () => {});
    client.write(post());
    const response = await arrived.promise;
    client[leave]();
    await new Promise<void>((resolve) => response.once('close', resolve));
    assert.deepEqual(
      [response.destroyed, response.writableFinished, response.writableLength],
      [true, false, 0],
    );
    let kept = 1;
    response.writeHead(200, {});
    response.write('x', () => kept--);
    response.end('x');
    assert.deepEqual([kept, response.writableFinished], [0, false]);
  }
});

test('a client that does not read holds up who writes to it, until it reads', async (t) => {
  const arrived = Promise.withResolvers<HttpResponse>();
  const { open } = await started(t, (_request, response) => arrived.resolve(response));
  const client = await open();
  client.write(post());
  const response = await arrived.promise;
  response.writeHead(200, {});
  let kept = 0;
  let hasRoom = true;
  const part = Buffer.alloc(1024 * 1024, 'x');
  // As much as the system takes first.
  while (response.writableLength === 0) {
    kept++;
    hasRoom = response.write(part, () => kept--);
    await setImmediate();
  }
  assert.ok(kept > 0 && !hasRoom);
  const drained = new Promise<void>((resolve) => response.once('drain', resolve));
  client.resume();
  await drained;
  assert.deepEqual([response.writableLength, kept], [0, 0]);
  const finished = new Promise<void>((resolve) => response.once('finish', resolve));
  response.end(part);
  await finished;
  assert.ok(response.destroyed && response.writableFinished);
});

test('no value of a header can begin another line', async (t) => {
  const { open } = await started(t, (_request, response) => {
    assert.throws(() => response.writeHead(200, { 'x-a': 'a\r\nx-b: b' }), /Invalid character/);
    assert.throws(() => response.setHeader('x-a: b', ''), /valid HTTP token/);
    response.writeHead(200, { 'content-length': 3 });
    response.end('end');
  });
  const client = await open();
  client.write(post());
  assert.doesNotMatch(await heard(client, '\r\n\r\nend'), /x-/);
});

test('who stops finishes what is under way, says that it was the last, and waits for nobody else', async (t) => {
  const arrived = Promise.withResolvers<HttpResponse>();
  const { open, front } = await started(t, (request, response) => {
    if ((request as WholeRequest).body.length === 2) return arrived.resolve(response);
    response.writeHead(200, { 'content-length': 3 });
    response.end('end');
  });
  const [silent, idle, busy] = [await open(), await open(), await open()] as const;
  idle.write(post('x'));
  await heard(idle, '\r\n\r\nend');
  busy.write(post());
  const response = await arrived.promise;
  front.stop();
  await Promise.all([once(silent.resume(), 'end'), once(idle.resume(), 'end')]);
  response.writeHead(200, { 'content-length': 4 });
  response.end('last');
  assert.match(await heard(busy, 'last'), /\r\nConnection: close\r\n/);
  await once(busy.resume(), 'end');
});

test('who cuts waits for nothing', async (t) => {
  const arrived = Promise.withResolvers<HttpResponse>();
  const { open, front } = await started(t, (_request, response) => arrived.resolve(response));
  const client = await open();
  client.on('error', () => {});
  client.write(post());
  const response = await arrived.promise;
  front.stop();
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  front.cut();
  await closed;
  assert.equal(response.writableFinished, false);
});

test('a connection is closed when it was idle for as long as was told; one with an answer under way is not', async (t) => {
  const arrived = Promise.withResolvers<HttpResponse>();
  const { open, clock } = await started(t, (_request, response) => arrived.resolve(response));
  const [idle, busy] = [await open(), await open()] as const;
  busy.write(post());
  const response = await arrived.promise;
  clock.advance(75_000);
  assert.equal(idle.destroyed, false);
  clock.advance(15_000);
  await once(idle.resume(), 'end');
  clock.advance(600_000);
  response.writeHead(200, { 'content-length': 3 });
  response.end('end');
  assert.match(await heard(busy, 'end'), /\r\nKeep-Alive: timeout=75\r\n/);
  clock.advance(75_000);
  assert.equal(busy.destroyed, false);
  clock.advance(15_000);
  await once(busy.resume(), 'end');
});

test('a request that is for somebody else goes there with all its bytes', async (t) => {
  const { open } = await started(
    t,
    async (request, response) => {
      const body = await readBody(request);
      response.writeHead(200, { 'content-length': 18 });
      response.end(`${request.constructor.name} ${body.ok && body.value.toString()}`);
    },
    () => false,
  );
  const client = await open();
  client.write(post('42'));
  await heard(client, '\r\n\r\nIncomingMessage 42');
});

test('what is no HTTP is answered as node:http answers it', async (t) => {
  const { open } = await started(t, () => assert.fail('there is nothing to serve'));
  for (const [bytes, answer] of [
    ['\x16\x03\x01\x02\0', 'HTTP/1.1 400 Bad Request'],
    [`POST /mcp/office HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n`, 'HTTP/1.1 400 Bad Request'],
    [post('{}', `X-A: ${'x'.repeat(90_000)}\r\n`), 'HTTP/1.1 431 '],
  ] as const) {
    const client = await open();
    client.on('error', () => {});
    client.write(bytes);
    await heard(client, answer);
  }
});

test('a head that cannot be sent leaves nothing of itself in the one that takes its place', async (t) => {
  const { open } = await started(t, (_request, response) => {
    response.setHeader('x-one', '1');
    assert.throws(() => response.writeHead(200, { 'x-two': 'a\r\nx-three: b' }));
    response.writeHead(500, { 'content-length': 0 });
    response.end();
  });
  const client = await open();
  client.write(plain());
  const text = await heard(client, '\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 500 .*\r\nx-one: 1\r\n/);
  assert.doesNotMatch(text, /x-two|x-three/);
});
