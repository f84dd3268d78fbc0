import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Source } from '#domain';
import { randomHex } from '#foundation';
import type { Log } from '#telemetry';

/** The bundled reference server, in a process of its own, over the real worker protocol on loopback. */
export interface DemoWorker {
  /** As if the config file had declared it: it lives on loopback. */
  source(): Source;
  /** Calls `listener` when it had to be started again, at another address. */
  onMoved(listener: () => void): void;
  stop(): Promise<void>;
}

/** The child ends when its standard input does, so it cannot outlive us, however we end. */
const endWithParent = 'data:text/javascript,process.stdin.resume().on("end",()=>process.exit())';

const script = fileURLToPath(new URL('../../../examples/reference-server/src/main.ts', import.meta.url));

/** Starts it and waits until it listens. */
export async function startDemoWorker(log: Log): Promise<DemoWorker> {
  const secret = randomHex(32);
  let moved = () => {};
  let stopped = false;
  let restarts = 0;
  let { child, uri } = await run();
  watch();

  async function run(): Promise<{ child: ChildProcess; uri: string }> {
    const started = spawn(process.execPath, ['--import', endWithParent, script], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Ctrl+C in a terminal ends us, and we end it: it answers calls under way until then.
      detached: true,
      env: {
        SALLYPORT_SERVER_TRANSPORT: 'http',
        SALLYPORT_SERVER_HOST: '127.0.0.1',
        SALLYPORT_SERVER_PORT: '0',
        SALLYPORT_WORKER_SECRET: secret,
        SALLYPORT_WORKER_STRICT: 'true',
      },
    });
    return { child: started, uri: await listeningUri(started) };
  }

  function watch(): void {
    child.once('exit', (code, signal) => {
      if (stopped) return;
      if (++restarts > 10)
        return log.error({ code, signal }, 'the demo worker keeps ending and is left alone');
      log.warn({ code, signal }, 'the demo worker ended and is started again');
      void run().then(
        (next) => {
          ({ child, uri } = next);
          if (stopped) return void child.kill();
          watch();
          moved();
        },
        (error) => log.error({ err: error }, 'the demo worker could not be started again'),
      );
    });
  }

  return {
    source: () => ({
      id: 'reference',
      projectId: 'default',
      kind: 'worker',
      enabled: true,
      origin: 'file',
      uri,
      timeoutMs: 30_000,
      retry: 3,
      secret,
      headers: {},
      secrets: {},
      kept: {},
      createdAt: '1970-01-01T00:00:00.000Z',
      updatedAt: '1970-01-01T00:00:00.000Z',
    }),
    onMoved(listener) {
      moved = listener;
    },
    async stop() {
      stopped = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** Its first line on stdout says where it listens: `{"listening":"http://127.0.0.1:…"}`. */
function listeningUri(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const line = /^\{"listening":"([^"]+)"\}$/m.exec(text);
      if (line !== null) resolve(line[1] as string);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the demo worker ended with code ${code} before it listened`)),
    );
  });
}
