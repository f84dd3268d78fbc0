import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Exchange } from './exchange.ts';

describe('the answer to a POST', () => {
  const server = createServer();
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function begin() {
    const arrived = once(server, 'request');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.pause();
    client.write(
      'GET / HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n',
    );
    const [request, response] = (await arrived) as [IncomingMessage, ServerResponse];
    return { exchange: new Exchange(request, response, {} as never, {} as never, 0), client, response };
  }

  test('a client that reads nothing costs no more, however much is said to it', async () => {
    const { exchange, client, response } = await begin();
    const data = 'x'.repeat(10_000);
    for (let count = 0; count < 2000; count++) {
      exchange.notify({ method: 'notifications/message', params: { data } });
    }
    assert.ok(response.writableLength < 2 * 1024 * 1024, `${response.writableLength} bytes are held`);
    client.destroy();
  });

  test('line breaks between the members of an answer do not end its event', async () => {
    const { exchange, client } = await begin();
    exchange.notify({ method: 'notifications/message' });
    exchange.answer(200, '[{\n\n"id":1}\r\n]');
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer);
    assert.match(Buffer.concat(chunks).toString(), /data: \[\{ "id":1\} \]\n\n/);
  });
});
