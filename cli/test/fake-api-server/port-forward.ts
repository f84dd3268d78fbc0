import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { ApiFault, noSuchPath } from './api-fault.ts';
import { type ClusterState, kindNamed } from './cluster-state.ts';
import { acceptWebSocket } from './web-socket.ts';

const forwarded = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward$/;

/** `…/pods/x/portforward?ports=8080` over a WebSocket: channel 0 is the connection, channel 1 what went wrong. */
export function servePortForward(
  state: ClusterState,
  url: URL,
  request: IncomingMessage,
  socket: Duplex,
): void {
  const [, namespace, name] = forwarded.exec(url.pathname) ?? [];
  if (namespace === undefined || name === undefined) throw noSuchPath();
  const pod = state.store.get(kindNamed(state, 'Pod'), namespace, name);
  if (pod.status.phase !== 'Running') {
    throw new ApiFault(
      400,
      'BadRequest',
      `unable to forward port because pod is not running. Current status=${pod.status.phase}`,
    );
  }
  const port = Number(url.searchParams.get('ports'));
  const asked = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((protocol) => protocol.trim());
  const protocol = asked.find((offered) => offered === 'v4.channel.k8s.io') ?? (asked[0] as string);
  const backend = state.backendOf(pod);
  const upstream = backend === null ? null : connect(Number(new URL(backend).port), '127.0.0.1');
  const end = acceptWebSocket(request, socket, protocol, {
    message: (data) => {
      if (data[0] === 0) upstream?.write(data.subarray(1));
    },
    end: () => upstream?.destroy(),
  });
  const portBytes = Buffer.from([port & 0xff, port >> 8]);
  for (const channel of [0, 1]) end.send(Buffer.concat([Buffer.from([channel]), portBytes]));
  const fail = (message: string) => {
    end.send(Buffer.concat([Buffer.from([1]), Buffer.from(message)]));
    end.close();
  };
  if (upstream === null) {
    fail(`an error occurred forwarding ${port}: connection refused`);
    return;
  }
  upstream.on('data', (data: Buffer) => end.send(Buffer.concat([Buffer.from([0]), data])));
  upstream.once('close', () => end.close());
  upstream.once('error', (error) => fail(`an error occurred forwarding ${port}: ${error.message}`));
}
