import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * `npm run build [-- contracts|sdk|cli|reference-server …]`: what leaves this repository. The packages `contracts`, `sdk` and
 * `cli` are compiled to `dist/`, each with a package.json that can be published; the reference server becomes one file that
 * runs without any `node_modules`.
 */
const root = join(import.meta.dirname, '..');

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** What of its package.json is another one once it is compiled. */
type Changes = Readonly<Record<string, unknown>>;

/** A library is `dist/index.js`; a program keeps its sources' folder, so that what lies beside it is found from there. */
const library: Changes = {
  exports: { '.': { types: './index.d.ts', default: './index.js' } },
  engines: { node: '>=20' },
};
const program: Changes = { bin: { sallyport: './src/main.js' }, exports: {}, engines: { node: '>=22' } };

function compile(name: string, outDir: string, changes: Changes): void {
  const folder = join(root, name);
  const dist = join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  const config = join(folder, 'tsconfig.build.json');
  const compilerOptions = { rootDir: 'src', outDir, declaration: true, noEmit: false };
  const exclude = ['src/**/*.test.ts'];
  writeFileSync(
    config,
    JSON.stringify({ extends: '../tsconfig.base.json', compilerOptions, include: ['src'], exclude }),
  );
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { status } = spawnSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${name} does not compile`);
  } finally {
    rmSync(config);
  }
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishable(folder, changes), null, 2)}\n`);
  for (const file of ['README.md', 'LICENSE']) {
    const from = [join(folder, file), join(root, file)].find(
      (path) => existsSync(path) && (file === 'LICENSE' || path.startsWith(folder)),
    );
    if (from !== undefined) cpSync(from, join(dist, file));
  }
}

/** The manifest as users get it: compiled entry, and the other packages of this repository by their version. */
function publishable(folder: string, changes: Changes): object {
  const { dependencies = {}, ...manifest } = readManifest(folder);
  const versions = Object.entries(dependencies).map(([name, range]) => {
    if (!name.startsWith('@sallyport/')) return [name, range];
    return [name, `^${readManifest(join(root, name.slice('@sallyport/'.length))).version}`];
  });
  return {
    ...manifest,
    ...changes,
    dependencies: Object.fromEntries(versions),
  };
}

async function bundleReferenceServer(): Promise<void> {
  const folder = join(root, 'examples/reference-server');
  await build({
    entryPoints: [join(folder, 'src/main.ts')],
    outfile: join(folder, 'dist/main.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Bundled CommonJS asks for `require`, which a module does not have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    legalComments: 'eof',
  });
}

const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  contracts: () => compile('contracts', 'dist', library),
  sdk: () => compile('sdk', 'dist', library),
  cli: () => {
    compile('cli', 'dist/src', program);
    cpSync(join(root, 'cli/templates'), join(root, 'cli/dist/templates'), { recursive: true });
  },
  'reference-server': bundleReferenceServer,
};
const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
for (const name of asked) {
  const part = parts[name];
  if (part === undefined)
    throw new Error(`there is no part ${name}; there are ${Object.keys(parts).join(', ')}`);
  await part();
}
console.log(`Built ${asked.join(', ')}`);
