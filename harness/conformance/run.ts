import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startGateway } from '../gateway-process.ts';
import { type AuthorizationTarget, authorizationTarget } from './authorization-target.ts';
import { serveFixture } from './fixture-server.ts';
import { startHeaderProxy } from './header-proxy.ts';

/**
 * `npm run conformance`: the official suite against the gateway. The server scenarios run in front of it: it relays a
 * fixture server that has everything the suite asks for, under the fixture's own names. The client scenarios run behind
 * it: the suite's own servers become sources. Every requirement set is a run of its own, at its own revision. The
 * authorization scenarios sign in as a person would who was invited.
 *
 *     node harness/conformance/run.ts [--direct | --client | --authorization] [--scenario=<name>]
 *
 * `--direct` leaves the gateway out: what fails there is the fixture's fault. `--client` and `--authorization` leave the other
 * scenarios out. `--scenario` runs one, and prints what was sent and received.
 */
const root = join(import.meta.dirname, '../..');
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const expectedFailures = join(import.meta.dirname, 'expected-failures.yml');
const clientCommand = `${process.execPath} ${join(import.meta.dirname, 'drive-client.ts')}`;
const timeoutMs = 30_000;
/** Where the suite waits for the answer to its authorization request. */
const callbackPort = 3979;

const serverRuns = {
  '2025-11-25': ['--requirements', '2025-11-25'],
  '2026-07-28': ['--requirements', '2026-07-28'],
  'all of 2026-07-28': ['--suite', 'all', '--spec-version', '2026-07-28'],
};
const clientRuns = {
  'client 2025-11-25': ['--requirements', '2025-11-25'],
  'client 2026-07-28': ['--requirements', '2026-07-28'],
};

type Side = 'server' | 'client' | 'authorization';

interface Target {
  /** Of the server that the server scenarios test. */
  readonly url: string;
  /** What the command of the client scenarios must know. */
  readonly env: NodeJS.ProcessEnv;
  /** `null` where there is no authorization server. */
  readonly authorization: AuthorizationTarget | null;
  close(): Promise<void>;
}

async function openTarget(direct: boolean): Promise<Target> {
  const fixture = await serveFixture();
  if (direct) return { ...fixture, env: {}, authorization: null };
  try {
    const gateway = await startGateway({
      workers: [{ id: 'fixture', type: 'mcp', mcp: { uri: fixture.url } }],
      gateways: [
        { name: 'Conformance', slug: 'conformance', auth_types: ['arcade_header'], naming: 'source' },
        { name: 'Signed in', slug: 'signed-in', auth_types: ['arcade'] },
      ],
      // The suite's own servers listen on loopback, and are registered over the API.
      egress: { allow: ['127.0.0.1', '::1'] },
    });
    const added = { Authorization: `Bearer ${gateway.key}`, 'Arcade-User-ID': 'conformance@example.com' };
    const proxy = await startHeaderProxy(gateway.origin, added);
    return {
      url: `${proxy.origin}/mcp/conformance`,
      env: { CONFORMANCE_GATEWAY: gateway.origin, CONFORMANCE_KEY: gateway.key },
      authorization: await authorizationTarget(gateway, 'signed-in', callbackPort),
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

function subjectOf(side: Side, { url, authorization }: Target): readonly string[] {
  if (side === 'server') return [`--timeout=${timeoutMs}`, '--url', url];
  if (side === 'client') return [`--timeout=${timeoutMs}`, '--command', clientCommand];
  return authorization?.args ?? [];
}

function runSuite(side: Side, target: Target, args: readonly string[]): Promise<number> {
  const asksPerson = side === 'authorization';
  const child = spawn(process.execPath, [suite, side, ...subjectOf(side, target), ...args], {
    cwd: root,
    env: { ...process.env, ...target.env },
    stdio: ['ignore', asksPerson ? 'pipe' : 'inherit', 'inherit'],
  });
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      console.log(line);
      if (!line.startsWith('http') || !line.includes('/oauth2/authorize?')) return;
      target.authorization?.person.allow(line.trim()).catch((error) => {
        console.error(error);
        child.kill();
      });
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

interface Options {
  readonly direct: boolean;
  /** The only side to be tested; `null`: all that there are. */
  readonly only: 'client' | 'authorization' | null;
  readonly scenario: string | undefined;
}

/** One run after the other, and what came of each. */
async function runAll(target: Target, { direct, only }: Options): Promise<boolean> {
  const of = (side: Side, named: Readonly<Record<string, string[]>>) =>
    Object.entries(named).map(([name, args]) => ({ side, name, args }));
  const runs = [
    ...of('server', serverRuns),
    ...(direct ? [] : of('client', clientRuns)),
    ...(direct ? [] : of('authorization', { authorization: [] })),
  ].filter(({ side }) => only === null || side === only);
  const outcomes: { passed: boolean; text: string }[] = [];
  for (const { side, name, args } of runs) {
    const results = join(
      root,
      'results/conformance',
      direct ? 'fixture' : 'gateway',
      name.replaceAll(' ', '-'),
    );
    rmSync(results, { recursive: true, force: true });
    const hasBaseline = !direct && side !== 'authorization';
    const baseline = hasBaseline ? ['--expected-failures', expectedFailures] : [];
    const code = await runSuite(side, target, [...args, '-o', results, ...baseline]);
    const passed = !hasBaseline ? 'conforms' : 'nothing but the expected failures';
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
  const known = new Set(['--direct', '--client', '--authorization', `--scenario=${scenario}`]);
  const unknown = args.filter((arg) => !known.has(arg));
  const sides = ['--direct', '--client', '--authorization'].filter((side) => args.includes(side));
  const direct = sides.includes('--direct');
  const only = sides.includes('--client')
    ? 'client'
    : sides.includes('--authorization')
      ? 'authorization'
      : null;
  if (unknown.length === 0 && sides.length <= 1) return { direct, only, scenario };
  console.error(
    `Cannot run with ${args.join(' ')}. Known: --direct, --client or --authorization, --scenario=<name>.`,
  );
  return null;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) return 2;
  const target = await openTarget(options.direct);
  try {
    if (options.scenario === undefined) return (await runAll(target, options)) ? 0 : 1;
    const one = ['--scenario', options.scenario, '--verbose'];
    return await runSuite(options.only ?? 'server', target, one);
  } finally {
    await target.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
