import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const tickMs = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

/** What `/proc/<pid>/stat` says; the name in brackets may hold anything, so it is skipped from behind. */
function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { pid, parent: Number(fields[1]), cpuMs: ticks * tickMs };
  } catch {
    return null;
  }
}

/** The process and all below it. */
function tree(root: number): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const inside = new Set([root]);
  for (let size = 0; size !== inside.size; ) {
    size = inside.size;
    for (const stat of all) if (inside.has(stat.parent)) inside.add(stat.pid);
  }
  return all.filter((stat) => inside.has(stat.pid));
}

/** CPU time of all threads of the process and of all processes below it, in ms. */
export function cpuOf(root: number): number {
  return tree(root).reduce((sum, stat) => sum + stat.cpuMs, 0);
}

/** Resident memory of the process and of all processes below it, in MB. */
export function residentOf(root: number): number {
  const kilobytes = tree(root).map(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}
