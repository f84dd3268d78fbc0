import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Io } from '../output/io.ts';
import { causeOf } from '../remote/send.ts';
import type { ImageReference } from './image-reference.ts';
import { keptLogin } from './registry-login.ts';

/** What a manifest says of another thing of its repository, by the image specification of OCI. */
const descriptor = z.object({
  mediaType: z.string().default(''),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
export type Descriptor = z.infer<typeof descriptor>;

const manifest = z.object({
  layers: z.array(descriptor).nullish(),
  manifests: z.array(descriptor).nullish(),
});
export type Manifest = z.infer<typeof manifest>;

/** Reads of registries, with the passwords that `docker login` keeps, or none. Errors say in words why something cannot be told. */
export interface Registries {
  /** Of what a tag names now. */
  digestOf(image: ImageReference, tag: string): Promise<string>;
  /** By tag or digest; `null` where there is none. */
  manifest(image: ImageReference, reference: string): Promise<Manifest | null>;
  /** What says of itself that it belongs to the digest: by the API, or the tag that stands in for it. */
  referrers(image: ImageReference, digest: string): Promise<readonly Descriptor[]>;
  /** Exactly the bytes that the digest is of; `null` where the registry has others. */
  blob(image: ImageReference, digest: string): Promise<Buffer | null>;
}

const indexType = 'application/vnd.oci.image.index.v1+json';
const accept = [
  indexType,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const timeoutMs = 10_000;
/** Of a manifest, as registries bound them, and of anything else that is read whole. */
const greatestBytes = 4 * 1024 * 1024;
const mostPages = 20;

type RegistryIo = Pick<Io, 'fetch' | 'signal' | 'env'>;

export function createRegistries(io: RegistryIo): Registries {
  const tokens = new Map<string, string>();
  /** Registries that could not be reached, and why: waiting for each once is enough. */
  const unreachable = new Map<string, Error>();

  async function ask({ registry, repository }: ImageReference, path: string, method: 'GET' | 'HEAD' = 'GET') {
    const base = `${originOf(registry)}/v2/${repository}`;
    const known = unreachable.get(registry);
    if (known !== undefined) throw known;
    const once = async () => {
      const authorization = tokens.get(base);
      const headers = { accept, ...(authorization !== undefined && { authorization }) };
      return await reached(io, new URL(path, `${base}/`), { method, headers }).catch((error: Error) => {
        unreachable.set(registry, error);
        throw error;
      });
    };
    const answer = await once();
    if (answer.status !== 401) return answer;
    await answer.body?.cancel();
    const login = await keptLogin(io, registry);
    tokens.set(base, await admission(answer.headers.get('www-authenticate') ?? '', login, io));
    return await once();
  }

  async function read(answer: Response): Promise<Buffer> {
    if (!answer.ok) throw new Error(`the registry answers ${answer.status}`);
    return await bytesOf(answer);
  }

  return {
    async digestOf(image, tag) {
      const answer = await ask(image, `manifests/${tag}`, 'HEAD');
      const digest = answer.headers.get('docker-content-digest');
      if (!answer.ok) throw new Error(`the registry answers ${answer.status}`);
      if (digest === null || !/^sha256:[a-f0-9]{64}$/.test(digest))
        throw new Error('the registry tells no digest');
      return digest;
    },
    async manifest(image, reference) {
      const answer = await ask(image, `manifests/${reference}`);
      if (answer.status === 404) return null;
      const bytes = await read(answer);
      if (reference.startsWith('sha256:') && reference !== sha256(bytes))
        throw new Error('the registry answers with another manifest');
      return parsed(bytes);
    },
    async referrers(image, digest) {
      const found: Descriptor[] = [];
      let path: string | null = `referrers/${digest}`;
      for (let page = 0; path !== null; page++) {
        if (page === mostPages) throw new Error('too much refers to it');
        const answer = await ask(image, path);
        const isIndex = answer.ok && answer.headers.get('content-type')?.startsWith(indexType) === true;
        // Registries without this API say so in several ways.
        if (page === 0 && !isIndex && [200, 400, 404, 405, 406].includes(answer.status)) {
          await answer.body?.cancel();
          return (await this.manifest(image, digest.replace(':', '-')))?.manifests ?? [];
        }
        found.push(...(parsed(await read(answer)).manifests ?? []));
        path = nextPage(answer);
      }
      return found;
    },
    async blob(image, digest) {
      const bytes = await read(await ask(image, `blobs/${digest}`));
      return sha256(bytes) === digest ? bytes : null;
    },
  };
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function originOf(registry: string): string {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return `${/^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? 'http' : 'https'}://${host}`;
}

async function reached({ fetch, signal }: RegistryIo, url: URL, init: RequestInit): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any([signal, timeout]) });
  } catch (error) {
    signal.throwIfAborted();
    const why = timeout.aborted ? `it does not answer within ${timeoutMs / 1000} s` : causeOf(error);
    throw new Error(`${url.host} cannot be reached: ${why}`);
  }
}

async function bytesOf(answer: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > greatestBytes) throw new Error('the registry answers with more than 4 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer): Manifest {
  try {
    return manifest.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw new Error('the registry answers with no manifest');
  }
}

/** Of the same registry, or none. */
function nextPage(answer: Response): string | null {
  const [, link] = /<([^>]*)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '') ?? [];
  const url = link === undefined ? null : URL.parse(link, answer.url);
  return url !== null && url.origin === new URL(answer.url).origin ? url.href : null;
}

/** The header that a registry asks for: by a token, for which the login is good, or by the login itself. */
async function admission(challenge: string, login: string | null, io: RegistryIo): Promise<string> {
  if (/^basic\b/i.test(challenge) && login !== null) return login;
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const realm = /^bearer\b/i.test(challenge) ? URL.parse(parameters.realm ?? '') : null;
  const isLocal = realm?.hostname === 'localhost' || realm?.hostname === '127.0.0.1';
  if (realm === null || (realm.protocol !== 'https:' && !isLocal))
    throw new Error('the registry wants a password');
  for (const key of ['service', 'scope'])
    if (parameters[key] !== undefined) realm.searchParams.set(key, parameters[key]);
  const answer = await reached(io, realm, login === null ? {} : { headers: { authorization: login } });
  const given = answer.ok ? tokenOf(await bytesOf(answer)) : undefined;
  if (given === undefined)
    throw new Error(`the registry ${login === null ? 'wants a' : 'does not take the'} password`);
  return `Bearer ${given}`;
}

function tokenOf(bytes: Buffer): string | undefined {
  try {
    const { token, access_token: access } = JSON.parse(bytes.toString('utf8'));
    return token ?? access;
  } catch {
    return undefined;
  }
}
