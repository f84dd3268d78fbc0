import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ownRoot } from '../gateway-process.ts';
import { printTable } from '../retrieval/report.ts';
import { onCore, pinning } from './cores.ts';
import type { SearchCost } from './hub-search.ts';
import { printNote } from './table.ts';

/**
 * `npm run bench -- hub`: what the hub costs: a search among ever more tools of which a caller may use ever fewer, and an index of
 * them in memory. Each size is a process of its own that has core 1 for itself, so memory is that of the size alone.
 *
 *     npm run bench -- hub [--quick] [--json]
 *
 * `--json` also writes `results/bench-hub.json`.
 */
const { values: options } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const sizes = options.quick ? [5000, 20_000] : [5000, 50_000, 200_000];
const searches = options.quick ? 60 : 300;

function measureSearch(): SearchCost[] {
  const measured = sizes.map((tools) => {
    const own = ['--expose-gc', join(import.meta.dirname, 'hub-search.ts'), String(tools), String(searches)];
    const [command = '', ...args] = [...onCore(1), process.execPath, ...own];
    const { status, stdout } = spawnSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`searches among ${tools} tools could not be measured`);
    return JSON.parse(stdout) as SearchCost;
  });
  printTable(
    'search: ten results',
    ['tools', 'permitted', 'p50 ms', 'p95 ms', 'CPU ms', 'first ms'],
    measured.flatMap(({ tools, parts }) =>
      parts.map(({ share, permitted, p50Ms, p95Ms, cpuMs, firstMs }) => [
        String(tools),
        `${permitted} (${share * 100} %)`,
        ...[p50Ms, p95Ms, cpuMs, firstMs].map((ms) => ms.toFixed(2)),
      ]),
    ),
  );
  printTable(
    'index: made of documents, in memory',
    ['tools', 'seconds', 'CPU s', 'resident MB'],
    measured.map(({ tools, indexMs, indexCpuMs, residentMb }) => [
      String(tools),
      (indexMs / 1000).toFixed(1),
      (indexCpuMs / 1000).toFixed(1),
      residentMb.toFixed(0),
    ]),
  );
  return measured;
}

const [model] = cpus();
printNote(`${pinning ? 'Pinned to cores' : 'Not pinned'}; ${model?.model}; Node ${process.version}.`);
const result = { search: measureSearch() };
if (options.json) {
  mkdirSync(join(ownRoot, 'results'), { recursive: true });
  writeFileSync(
    join(ownRoot, 'results/bench-hub.json'),
    `${JSON.stringify({ ...result, pinning, model: model?.model, node: process.version }, null, 2)}\n`,
  );
}
