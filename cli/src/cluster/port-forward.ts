import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { ApiClient } from './api-client.ts';
import { unreachable } from './cluster-error.ts';

/** A port of a pod as one of this machine, as long as it is open. */
export interface PortForward {
  readonly url: string;
  /** What the cluster said went wrong, so far. */
  said(): string;
  close(): Promise<void>;
}

export async function forwardPort(
  api: ApiClient,
  namespace: string,
  pod: string,
  port: number,
): Promise<PortForward> {
  const client = await import('@kubernetes/client-node');
  const forward = new client.PortForward(api.config);
  const sockets = new Set<{ close(): void }>();
  let said = '';
  const errors = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said = `${said}${chunk}`.slice(-1000);
      done();
    },
  });
  const connected = async (socket: Socket): Promise<void> => {
    socket.on('error', () => socket.destroy());
    try {
      const way = await forward.portForward(namespace, pod, [port], socket, errors, socket);
      if (typeof way === 'function') return;
      sockets.add(way);
      way.onclose = () => {
        sockets.delete(way);
        socket.destroy();
      };
      socket.once('close', () => way.close());
      socket.resume();
    } catch (error) {
      said ||= unreachable(api.context, api.server, error).message;
      socket.destroy();
    }
  };
  // What the client sends before the way is open is kept for it.
  const server = createServer({ pauseOnConnect: true }, (socket) => void connected(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    said: () => said.trim(),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const way of sockets) way.close();
      await closed;
    },
  };
}
