import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownRoot } from '../gateway-process.ts';

/** Where packages lie that only some measurements need: too large for everybody's `npm ci`. */
export const cacheFolder = join(ownRoot, 'node_modules/.cache/retrieval');

/**
 * The `node_modules` folder that has these packages in exactly these versions; what is missing there the npm client of this
 * machine installs first, without running anything of it.
 */
export function cachedPackages(versions: Readonly<Record<string, string>>): string {
  const modules = join(cacheFolder, 'node_modules');
  const missing = Object.entries(versions).filter(([name, version]) => versionIn(modules, name) !== version);
  if (missing.length > 0) {
    mkdirSync(cacheFolder, { recursive: true });
    const wanted = missing.map(([name, version]) => `${name}@${version}`);
    const settings = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
    const args = ['install', '--prefix', cacheFolder, ...settings, ...wanted];
    const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`npm could not install ${wanted.join(', ')} into ${cacheFolder}`);
  }
  return modules;
}

function versionIn(modules: string, name: string): string | null {
  const manifest = join(modules, name, 'package.json');
  if (!existsSync(manifest)) return null;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
