import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startGateway } from '../gateway-process.ts';
import { serveFixture } from './fixture-server.ts';
import { startHeaderProxy } from './header-proxy.ts';

/**
 * `npm run conformance`: the official suite against the gateway, which relays a fixture server that has everything the
 * suite asks for, under the fixture's own names. Every requirement set is a run of its own, at its own revision.
 *
 *     node harness/conformance/run.ts [--direct] [--scenario=<name>]
 *
 * `--direct` leaves the gateway out: what fails there is the fixture's fault. `--scenario` runs one, and prints what was
 * sent and received.
 */
const root = join(import.meta.dirname, '../..');
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const expectedFailures = join(import.meta.dirname, 'expected-failures.yml');
const revisions = ['2025-11-25', '2026-07-28'];
const timeoutMs = 30_000;

interface Target {
  readonly url: string;
  close(): Promise<void>;
}

async function openTarget(direct: boolean): Promise<Target> {
  const fixture = await serveFixture();
  if (direct) return fixture;
  try {
    const gateway = await startGateway({
      workers: [{ id: 'fixture', type: 'mcp', mcp: { uri: fixture.url } }],
      gateways: [
        { name: 'Conformance', slug: 'conformance', auth_types: ['arcade_header'], naming: 'source' },
      ],
    });
    const added = { Authorization: `Bearer ${gateway.key}`, 'Arcade-User-ID': 'conformance@example.com' };
    const proxy = await startHeaderProxy(gateway.origin, added);
    return {
      url: `${proxy.origin}/mcp/conformance`,
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

function runSuite(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [suite, 'server', `--timeout=${timeoutMs}`, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const direct = args.includes('--direct');
  const scenario = args.find((arg) => arg.startsWith('--scenario='))?.slice('--scenario='.length);
  const unknown = args.filter((arg) => arg !== '--direct' && !arg.startsWith('--scenario='));
  if (unknown.length > 0) {
    console.error(`Unknown option ${unknown.join(', ')}. Known: --direct, --scenario=<name>.`);
    return 2;
  }
  const target = await openTarget(direct);
  try {
    const chosen = scenario === undefined ? [] : ['--scenario', scenario, '--verbose'];
    if (chosen.length > 0) return await runSuite(['--url', target.url, ...chosen]);
    const outcomes: { passed: boolean; text: string }[] = [];
    for (const revision of revisions) {
      const results = join(root, 'results/conformance', direct ? 'fixture' : 'gateway', revision);
      rmSync(results, { recursive: true, force: true });
      const baseline = direct ? [] : ['--expected-failures', expectedFailures];
      const code = await runSuite([
        '--url',
        target.url,
        '--requirements',
        revision,
        '-o',
        results,
        ...baseline,
      ]);
      const passed = direct ? 'conforms' : 'nothing but the expected failures';
      outcomes.push({
        passed: code === 0,
        text: `${revision}: ${code === 0 ? passed : `fails (exit code ${code})`}`,
      });
    }
    const texts = outcomes.map(({ text }) => text).join('; ');
    console.log(`\nConformance of the ${direct ? 'fixture' : 'gateway'}: ${texts}`);
    return outcomes.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    await target.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
