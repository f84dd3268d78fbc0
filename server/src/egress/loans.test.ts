import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '#foundation';
import type { Borrower } from './index.ts';
import { bodyOf, failureOf, GET, HELLO, peer, upstreamTo } from './testing/peer.ts';

const MB = 1024 * 1024;
const whole = Buffer.alloc(8 * MB);
for (let at = 0; at < whole.length; at++) whole[at] = (at * 7 + (at >> 13)) & 0xff;
const head = `HTTP/1.1 200 OK\r\ncontent-length: ${whole.length}\r\n\r\n`;

describe('a body that is lent', () => {
  it('is the one that was sent, though no piece is read before the next one came', async (t) => {
    const { port } = await peer(t, (socket) => {
      socket.write(head);
      socket.write(whole);
    });
    const pieces: { readonly bytes: Buffer; readonly giveBack: () => void }[] = [];
    let received = 0;
    const read = () => {
      for (const { bytes, giveBack } of pieces.splice(0)) {
        assert.ok(bytes.equals(whole.subarray(received, received + bytes.length)), `at ${received}`);
        received += bytes.length;
        giveBack();
      }
    };
    const borrower: Borrower = {
      idleTimeoutMs: 10_000,
      take: (bytes, giveBack) => {
        pieces.push({ bytes, giveBack });
        if (pieces.length > 1) setImmediate(read);
      },
    };
    const answer = await upstreamTo(t, port).request({ ...GET, stream: () => borrower });
    read();
    assert.ok(answer.ok);
    assert.equal(received, whole.length);
  });

  it('is not read on while much of it is kept, and is once that is given back', async (t) => {
    const { port, sockets } = await peer(t, (socket) => {
      socket.write(head);
      socket.write(whole);
    });
    const kept: (() => void)[] = [];
    let received = 0;
    let keeps = true;
    const borrower: Borrower = {
      idleTimeoutMs: 10_000,
      take: (bytes, giveBack) => {
        received += bytes.length;
        if (keeps) kept.push(giveBack);
        else giveBack();
      },
    };
    const answering = upstreamTo(t, port).request({ ...GET, stream: () => borrower });
    while (received < MB / 2) await turn();
    for (let turns = 0; turns < 200; turns++) await turn();
    assert.ok(received <= MB, `${received} bytes were read`);
    assert.ok((sockets[0]?.writableLength ?? 0) > 0, 'the peer still has bytes to send');
    keeps = false;
    for (const giveBack of kept) giveBack();
    assert.ok((await answering).ok);
    assert.equal(received, whole.length);
  });

  it('that its reader does not take ends in time, and so does one that its sender stops to send', async (t) => {
    const clock = manualClock();
    const { port } = await peer(t, (socket) => {
      socket.write(head);
      socket.write(whole.subarray(0, 2 * MB));
    });
    for (const keeps of [true, false]) {
      let received = 0;
      const borrower: Borrower = {
        idleTimeoutMs: 3000,
        take: (bytes, giveBack) => {
          received += bytes.length;
          if (!keeps) giveBack();
        },
      };
      const upstream = upstreamTo(t, port, { clock });
      const answering = upstream.request({ ...GET, timeoutMs: 1000, stream: () => borrower });
      while (received < (keeps ? MB / 2 : 2 * MB)) await turn();
      clock.advance(2900);
      clock.advance(300);
      assert.equal((await failureOf(answering)).kind, 'timeout');
    }
  });

  it('leaves its connection to the next request, though some of it is kept', async (t) => {
    const { port, sockets } = await peer(t, (socket, request) => {
      const isFirst = request.startsWith('GET /large');
      socket.write(isFirst ? head : HELLO);
      if (isFirst) socket.write(whole);
    });
    const kept: Buffer[] = [];
    let received = 0;
    const borrower: Borrower = {
      idleTimeoutMs: 10_000,
      take: (bytes, giveBack) => {
        received += bytes.length;
        if (received > whole.length - MB / 4) kept.push(bytes);
        else giveBack();
      },
    };
    const upstream = upstreamTo(t, port);
    assert.ok((await upstream.request({ ...GET, path: '/large', stream: () => borrower })).ok);
    assert.equal(await bodyOf(upstream.request(GET)), 'hello');
    assert.ok(Buffer.concat(kept).equals(whole.subarray(whole.length - Buffer.concat(kept).length)));
    assert.equal(sockets.length, 1);
  });
});
