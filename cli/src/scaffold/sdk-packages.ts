import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { version } from '../version.ts';

/** In a clone of the repository the SDK may be newer than what is published, so that a new server takes it from there. */
const repository = join(import.meta.dirname, '../../..');
const packages = ['contracts', 'sdk'] as const;
const folder = 'vendor';
const archiveOf = { contracts: `sallyport-contracts-${version}.tgz`, sdk: `sallyport-server-${version}.tgz` };

/** Whether the command runs from a clone. */
export const fromClone: boolean = existsSync(join(repository, 'sdk/src/index.ts'));

/** Lines of a package.json's `dependencies`, each with its comma. */
export function sdkDependencies(): string {
  if (!fromClone) return `    "@sallyport/server": "^${version}",`;
  return [
    `    "@sallyport/contracts": "file:${folder}/${archiveOf.contracts}",`,
    `    "@sallyport/server": "file:${folder}/${archiveOf.sdk}",`,
  ].join('\n');
}

/**
 * Compiles the clone's packages and puts them into the new server's folder, before `write` puts in the rest. Leaves nothing
 * behind when either fails.
 */
export async function vendorSdk(server: string, write: () => Promise<void>): Promise<void> {
  const target = join(server, folder);
  const folders = packages.map((name) => join(repository, name, 'dist'));
  const made = mkdirSync(target, { recursive: true }) ?? target;
  try {
    mustRun(process.execPath, [join(repository, 'harness/build.ts'), ...packages], repository);
    mustRun('npm', ['pack', '--silent', '--pack-destination', target, ...folders], repository);
    await write();
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

function mustRun(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  const said = (error?.message ?? stderr).trim().split('\n').slice(-5);
  throw new CommandError('scaffold.sdk', 'the packages of this clone could not be built', said);
}
