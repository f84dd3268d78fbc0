import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownRoot } from '../gateway-process.ts';

export interface ComparedTree {
  readonly ref: string;
  readonly root: string;
  remove(): void;
}

/** The tree as it was at a commit, able to run: with our packages where it needs the same, else with its own from npm. */
export function checkOut(ref: string): ComparedTree {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-compared-'));
  const git = (...args: string[]) => execFileSync('git', ['-C', ownRoot, ...args], { stdio: 'pipe' });
  const remove = () => {
    rmSync(root, { recursive: true, force: true });
    git('worktree', 'prune');
  };
  try {
    git('worktree', 'add', '--detach', '--force', root, ref);
    const lock = (of: string) => readFileSync(join(of, 'package-lock.json'), 'utf8');
    if (lock(root) === lock(ownRoot)) linkPackages(root);
    else
      execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
        cwd: root,
        stdio: 'pipe',
      });
    // The embedded database starts from a template, which stands in no commit.
    execFileSync(process.execPath, ['server/scripts/prepare-database.ts'], { cwd: root, stdio: 'pipe' });
    return { ref, root, remove };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}

/** Our own packages are links that say where in the tree they are, so they lead to those of that tree. */
function linkPackages(root: string): void {
  const from = join(ownRoot, 'node_modules');
  const to = join(root, 'node_modules');
  mkdirSync(join(to, '@sallyport'), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== '@sallyport') symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, '@sallyport')))
    symlinkSync(readlinkSync(join(from, '@sallyport', name)), join(to, '@sallyport', name));
}
