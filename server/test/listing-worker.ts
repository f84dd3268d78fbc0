import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListedTool {
  readonly name: string;
  readonly description: string;
}

/** A worker with one toolkit, that lists its tools and runs none. */
export async function startListingWorker(toolkit: string, tools: readonly ListedTool[]) {
  const definitions = tools.map(({ name, description }) => ({
    ...{ name, fully_qualified_name: `${toolkit}.${name}`, description },
    toolkit: { name: toolkit, version: '1.0.0' },
    input: { parameters: [] },
    output: { value_schema: { val_type: 'string' } },
  }));
  const list = JSON.stringify(definitions);
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json').end(request.method === 'GET' ? list : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
