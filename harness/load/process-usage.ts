import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const tickMs = 10;

interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly cpuMs: number;
}

/** What a `stat` file says; the name in brackets may hold anything, so it is skipped from behind. */
function readStat(path: string): Stat | null {
  try {
    const text = readFileSync(path, 'latin1');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    const name = text.slice(text.indexOf('(') + 1, end);
    return { name, parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return null;
  }
}

/** The process and all below it. */
function tree(root: number): { readonly pid: number; readonly stat: Stat }[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readStat(`/proc/${name}/stat`);
      return stat === null ? [] : [{ pid: Number(name), stat }];
    });
  const inside = new Set([root]);
  for (let size = 0; size !== inside.size; ) {
    size = inside.size;
    for (const { pid, stat } of all) if (inside.has(stat.parent)) inside.add(pid);
  }
  return all.filter(({ pid }) => inside.has(pid));
}

/** CPU time of all threads of the process and of all processes below it; and of the embedded database's threads alone. */
export function cpuOf(root: number): { readonly allMs: number; readonly databaseMs: number } {
  const processes = tree(root);
  const workers = processes.flatMap(({ pid }) =>
    threadsOf(pid).flatMap((thread) => {
      const stat = readStat(`/proc/${pid}/task/${thread}/stat`);
      return stat?.name === 'database' ? [stat.cpuMs] : [];
    }),
  );
  const sum = (figures: readonly number[]) => figures.reduce((total, one) => total + one, 0);
  return { allMs: sum(processes.map(({ stat }) => stat.cpuMs)), databaseMs: sum(workers) };
}

/** CPU time of the threads that there are, of the process and of all below it: those of one name together, the busiest first. */
export function threadsByCpu(root: number): readonly { readonly name: string; readonly cpuMs: number }[] {
  const sums = new Map<string, number>();
  for (const { pid } of tree(root))
    for (const thread of threadsOf(pid)) {
      const stat = readStat(`/proc/${pid}/task/${thread}/stat`);
      if (stat === null) continue;
      sums.set(stat.name, (sums.get(stat.name) ?? 0) + stat.cpuMs);
    }
  const all = [...sums].map(([name, cpuMs]) => ({ name, cpuMs }));
  return all.sort((one, other) => other.cpuMs - one.cpuMs);
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Resident memory of the process and of all processes below it, in MB. */
export function residentOf(root: number): number {
  return megabytesOf(root, /VmRSS:\s+(\d+)/);
}

/** From now on, the most that it was is counted anew. */
export function forgetMostResident(root: number): void {
  for (const { pid } of tree(root)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The most that it ever was. */
export function mostResidentOf(root: number): number {
  return megabytesOf(root, /VmHWM:\s+(\d+)/);
}

function megabytesOf(root: number, wanted: RegExp): number {
  const kilobytes = tree(root).map(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(wanted.exec(status)?.[1] ?? 0);
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}
