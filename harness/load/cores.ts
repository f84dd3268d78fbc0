import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Whether processes can be given cores of their own here. */
export const pinning = canPin();

/** What to put in front of a command that is to have this core. */
export function onCore(core: number): string[] {
  return pinning ? ['taskset', '-c', String(core)] : [];
}

function canPin(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
