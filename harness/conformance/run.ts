import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startGateway } from '../gateway-process.ts';
import { serveFixture } from './fixture-server.ts';
import { startHeaderProxy } from './header-proxy.ts';

/**
 * `npm run conformance`: the official suite against the gateway. The server scenarios run in front of it: it relays a
 * fixture server that has everything the suite asks for, under the fixture's own names. The client scenarios run behind
 * it: the suite's own servers become sources. Every requirement set is a run of its own, at its own revision.
 *
 *     node harness/conformance/run.ts [--direct | --client] [--scenario=<name>]
 *
 * `--direct` leaves the gateway out: what fails there is the fixture's fault. `--client` leaves the server scenarios out.
 * `--scenario` runs one, and prints what was sent and received.
 */
const root = join(import.meta.dirname, '../..');
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const expectedFailures = join(import.meta.dirname, 'expected-failures.yml');
const clientCommand = `${process.execPath} ${join(import.meta.dirname, 'drive-client.ts')}`;
const timeoutMs = 30_000;

const serverRuns = {
  '2025-11-25': ['--requirements', '2025-11-25'],
  '2026-07-28': ['--requirements', '2026-07-28'],
  'all of 2026-07-28': ['--suite', 'all', '--spec-version', '2026-07-28'],
};
const clientRuns = {
  'client 2025-11-25': ['--requirements', '2025-11-25'],
  'client 2026-07-28': ['--requirements', '2026-07-28'],
};

interface Target {
  /** Of the server that the server scenarios test. */
  readonly url: string;
  /** What the command of the client scenarios must know. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

async function openTarget(direct: boolean): Promise<Target> {
  const fixture = await serveFixture();
  if (direct) return { ...fixture, env: {} };
  try {
    const gateway = await startGateway({
      workers: [{ id: 'fixture', type: 'mcp', mcp: { uri: fixture.url } }],
      gateways: [
        { name: 'Conformance', slug: 'conformance', auth_types: ['arcade_header'], naming: 'source' },
      ],
      // The suite's own servers listen on loopback, and are registered over the API.
      egress: { allow: ['127.0.0.1', '::1'] },
    });
    const added = { Authorization: `Bearer ${gateway.key}`, 'Arcade-User-ID': 'conformance@example.com' };
    const proxy = await startHeaderProxy(gateway.origin, added);
    return {
      url: `${proxy.origin}/mcp/conformance`,
      env: { CONFORMANCE_GATEWAY: gateway.origin, CONFORMANCE_KEY: gateway.key },
      async close() {
        proxy.close();
        await gateway.stop();
        await fixture.close();
      },
    };
  } catch (thrown) {
    await fixture.close();
    throw thrown;
  }
}

function runSuite(side: 'server' | 'client', target: Target, args: readonly string[]): Promise<number> {
  const subject = side === 'server' ? ['--url', target.url] : ['--command', clientCommand];
  const child = spawn(process.execPath, [suite, side, `--timeout=${timeoutMs}`, ...subject, ...args], {
    cwd: root,
    env: { ...process.env, ...target.env },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

interface Options {
  readonly direct: boolean;
  readonly client: boolean;
  readonly scenario: string | undefined;
}

/** One run after the other, and what came of each. */
async function runAll(target: Target, { direct, client }: Options): Promise<boolean> {
  const runs = [
    ...(client ? [] : Object.entries(serverRuns)).map(([name, args]) => ({
      side: 'server' as const,
      name,
      args,
    })),
    ...(direct ? [] : Object.entries(clientRuns)).map(([name, args]) => ({
      side: 'client' as const,
      name,
      args,
    })),
  ];
  const outcomes: { passed: boolean; text: string }[] = [];
  for (const { side, name, args } of runs) {
    const results = join(
      root,
      'results/conformance',
      direct ? 'fixture' : 'gateway',
      name.replaceAll(' ', '-'),
    );
    rmSync(results, { recursive: true, force: true });
    const baseline = direct ? [] : ['--expected-failures', expectedFailures];
    const code = await runSuite(side, target, [...args, '-o', results, ...baseline]);
    const passed = direct ? 'conforms' : 'nothing but the expected failures';
    outcomes.push({
      passed: code === 0,
      text: `  ${name}: ${code === 0 ? passed : `fails (exit code ${code})`}`,
    });
  }
  const texts = outcomes.map(({ text }) => text).join('\n');
  console.log(`\nConformance of the ${direct ? 'fixture' : 'gateway'}\n${texts}`);
  return outcomes.every(({ passed }) => passed);
}

function readOptions(args: readonly string[]): Options | null {
  const scenario = args.find((arg) => arg.startsWith('--scenario='))?.slice('--scenario='.length);
  const known = new Set(['--direct', '--client', `--scenario=${scenario}`]);
  const unknown = args.filter((arg) => !known.has(arg));
  const options = { direct: args.includes('--direct'), client: args.includes('--client'), scenario };
  if (unknown.length === 0 && !(options.direct && options.client)) return options;
  console.error(`Cannot run with ${args.join(' ')}. Known: --direct or --client, --scenario=<name>.`);
  return null;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) return 2;
  const target = await openTarget(options.direct);
  try {
    if (options.scenario === undefined) return (await runAll(target, options)) ? 0 : 1;
    const one = ['--scenario', options.scenario, '--verbose'];
    return await runSuite(options.client ? 'client' : 'server', target, one);
  } finally {
    await target.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
