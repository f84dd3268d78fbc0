import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import { type ImageReference, parseImage } from './image-reference.ts';
import type { LintFile } from './lint-file.ts';

const accept = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const timeoutMs = 10_000;

/** Asks registries which digest the images of these manifests have now; what cannot be asked is told and left out. */
export async function resolveDigests(
  files: readonly LintFile[],
  io: Pick<Io, 'fetch' | 'signal'>,
  printer: Pick<Printer, 'progress'>,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const image of new Set(files.flatMap(imagesOf))) {
    const reference = parseImage(image);
    if (reference?.tag === undefined || reference.digest !== undefined || reference.tag === 'latest')
      continue;
    printer.progress(`asking ${reference.registry} for ${image}`);
    try {
      digests.set(image, await digestOf(reference, io));
    } catch (error) {
      printer.progress(`${image}: ${(error as Error).message}`);
    }
  }
  return digests;
}

function imagesOf({ kind, text, silent }: LintFile): string[] {
  if (kind !== 'manifest' || text === null || silent === true) return [];
  return [...text.matchAll(/^\s*(?:- )?image:\s*["']?([^\s"'#]+)/gm)].map(([, image = '']) => image);
}

async function digestOf(
  { registry, repository, tag }: ImageReference,
  { fetch, signal }: Pick<Io, 'fetch' | 'signal'>,
): Promise<string> {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? 'http' : 'https';
  const url = `${scheme}://${host}/v2/${repository}/manifests/${tag}`;
  const ask = (authorization?: string) =>
    fetch(url, {
      method: 'HEAD',
      headers: { accept, ...(authorization !== undefined && { authorization }) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  let answer = await ask();
  if (answer.status === 401) {
    answer = await ask(
      `Bearer ${await tokenFor(answer.headers.get('www-authenticate') ?? '', fetch, signal)}`,
    );
  }
  const digest = answer.headers.get('docker-content-digest');
  if (!answer.ok) throw new Error(`the registry answers ${answer.status}`);
  if (digest === null || !/^sha256:[a-f0-9]{64}$/.test(digest))
    throw new Error('the registry tells no digest');
  return digest;
}

/** Anonymous, as far as the registry gives tokens to anybody. */
async function tokenFor(challenge: string, fetch: Io['fetch'], signal: AbortSignal): Promise<string> {
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const realm = URL.parse(parameters.realm ?? '');
  const isLocal = realm?.hostname === 'localhost' || realm?.hostname === '127.0.0.1';
  if (realm === null || (realm.protocol !== 'https:' && !isLocal))
    throw new Error('the registry wants a password');
  for (const key of ['service', 'scope'])
    if (parameters[key] !== undefined) realm.searchParams.set(key, parameters[key]);
  const answer = await fetch(realm, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  const { token, access_token: access } = (await answer.json()) as { token?: string; access_token?: string };
  const given = token ?? access;
  if (!answer.ok || given === undefined) throw new Error('the registry wants a password');
  return given;
}
