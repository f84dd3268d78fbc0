import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from './fixture-server.ts';

export interface HeaderProxy {
  readonly origin: string;
  close(): void;
}

/**
 * Adds headers that the suite cannot send and passes on everything else as it came, `Host` and `Origin` included, so that
 * what the suite says about them is judged by the server behind.
 */
export async function startHeaderProxy(
  target: string,
  added: Readonly<Record<string, string>>,
): Promise<HeaderProxy> {
  const { hostname, port } = new URL(target);
  const http = createServer((req, res) => {
    const headers = [...req.rawHeaders, ...Object.entries(added).flat()];
    const forward = request({ hostname, port, method: req.method, path: req.url, headers, setHost: false });
    forward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      res.flushHeaders();
      answer.pipe(res);
    });
    forward.on('error', () => res.destroy());
    res.on('close', () => forward.destroy());
    req.pipe(forward);
  });
  await listen(http);
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close() {
      http.closeAllConnections();
      http.close();
    },
  };
}
