import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { accessControlScenarios } from './access-control/scenarios.ts';
import { startUpstreams } from './access-control/upstreams.ts';
import { adapter as sallyport } from './adapters/sallyport.ts';
import type { Adapter } from './gateway-under-test.ts';
import { printScenarios, printVerdicts, verdicts } from './report.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';

/**
 * `npm run judge`: puts a gateway through the tests of access control, from outside, and says which requirements it meets.
 *
 *     node harness/scenarios/judge.ts [--adapter <path>] [--json] [part of a scenario's title …]
 *
 * Sallyport is judged, in a process of its own, unless an adapter says how another gateway is reached and ruled. The exit code
 * is 1 unless every requirement is met; some of the scenarios alone say nothing of requirements.
 */
async function loadAdapter(path: string | undefined): Promise<Adapter> {
  if (path === undefined) return sallyport;
  const { adapter } = (await import(pathToFileURL(resolve(path)).href)) as { adapter?: Adapter };
  if (adapter === undefined) throw new Error(`${path} exports no "adapter"`);
  return adapter;
}

async function judge(adapter: Adapter, parts: readonly string[]): Promise<readonly ScenarioResult[]> {
  const asked = accessControlScenarios.filter(
    ({ title }) => parts.length === 0 || parts.some((part) => title.includes(part)),
  );
  const upstreams = await startUpstreams(adapter.worker === 'strict');
  try {
    const gateway = await adapter.start(upstreams.addresses);
    try {
      const results: ScenarioResult[] = [];
      for (const scenario of asked)
        results.push(await runScenario(scenario, { gateway, upstreams, worker: adapter.worker }));
      return results;
    } finally {
      await gateway.stop();
    }
  } finally {
    await upstreams.close();
  }
}

const { values, positionals } = parseArgs({
  options: { adapter: { type: 'string' }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const adapter = await loadAdapter(values.adapter);
const results = await judge(adapter, positionals);
const requirements = positionals.length === 0 ? verdicts(results) : [];
const print = (line: string) => void process.stdout.write(`${line}\n`);
if (values.json) print(JSON.stringify({ gateway: adapter.name, requirements, scenarios: results }, null, 2));
else {
  print(`What ${adapter.name} was put through`);
  printScenarios(results, print);
  if (requirements.length > 0) printVerdicts(requirements, print);
}
process.exitCode = [...results, ...requirements].every(({ verdict }) => verdict === 'passed') ? 0 : 1;
