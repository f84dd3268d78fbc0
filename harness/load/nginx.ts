import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end } from '../gateway-process.ts';

export interface Nginx {
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Where the program is, or null; Debian's lies in a folder that is not on everybody's PATH. */
export function findNginx(): string | null {
  for (const program of ['nginx', '/usr/sbin/nginx']) {
    try {
      execFileSync(program, ['-v'], { stdio: 'ignore' });
      return program;
    } catch {}
  }
  return null;
}

/** A plain reverse proxy with kept-alive connections on both sides and no log: the least that a hop can cost. */
export function startNginx(
  program: string,
  upstream: string,
  before: readonly string[],
  processes = 1,
): Promise<Nginx> {
  const http = `upstream behind { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 100000000; }`;
  const server =
    'location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }';
  return start(program, () => ({ http, server }), before, processes);
}

/** A worker, and at `/mcp` what is like an MCP server, that gives every call the same answer, `text`: the least that one can cost. `tools`: its `/worker/tools`. */
export function startNginxWorker(program: string, tools: string, text: string): Promise<Nginx> {
  const output = { value: text, error: null, logs: [] };
  const times = { finished_at: '2026-01-01T00:00:00.000Z', duration: 0.1 };
  const invoked = JSON.stringify({ execution_id: 'same', ...times, success: true, output });
  const result = { resultType: 'complete', content: [{ type: 'text', text }] };
  const called = JSON.stringify({ jsonrpc: '2.0', id: 0, result });
  return start(
    program,
    (folder) => {
      writeFileSync(join(folder, 'tools.json'), tools);
      const server = `default_type application/json;
    location = /worker/health { return 200 '{"status":"ok","tool_count":"1"}'; }
    location = /worker/tools { alias ${folder}/tools.json; }
    location = /worker/tools/invoke { return 200 '${invoked}'; }
    location = /mcp { return 200 '${called}'; }`;
      return { http: '', server };
    },
    [],
    1,
  );
}

async function start(
  program: string,
  configure: (folder: string) => { readonly http: string; readonly server: string },
  before: readonly string[],
  processes: number,
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'));
  const { http, server } = configure(folder);
  const port = await freePort();
  mkdirSync(join(folder, 'temp'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path temp/${kind};`,
  );
  const config = `daemon off; worker_processes ${processes}; pid nginx.pid; error_log stderr crit;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000; ${temp.join(' ')}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  const args = [...before, program, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
  const child = spawn(args[0] ?? program, args.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  if (!(await accepts(port))) {
    await stop();
    throw new Error('nginx did not start');
  }
  return { origin: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function accepts(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
