import { createHash, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

export interface RegistryOptions {
  /** Whether it has the referrers API; else clients keep a tag for it. */
  readonly referrers?: boolean;
  /** Whether it tells one referrer at a time. */
  readonly paged?: boolean;
  /** Whether a token must be fetched first. */
  readonly token?: boolean;
  /** `name:password`, without which it gives no token, or with `token: false` nothing at all. */
  readonly login?: string;
}

interface Stored {
  readonly type: string;
  readonly bytes: Buffer;
  /** Where there is more of it. */
  readonly next?: string;
}

const pageOf = (url: string): number => Number(/[?]page=(\d+)/.exec(url)?.[1] ?? 0);

/** A registry of images on loopback, of one repository `acme/x`: what it is asked for, and what is pushed here. */
export interface TestRegistry {
  readonly host: string;
  /** `host/acme/x`. */
  readonly repository: string;
  /** Each request as `GET /v2/…`. */
  readonly asked: readonly string[];
  /** Answers of these paths are this status from now on. */
  fail(path: RegExp, status: number): void;
  /** Stores bytes, and says what a manifest calls them; what is served may be something else. */
  blob(bytes: Buffer | string, more?: object, served?: string): { readonly digest: string };
  /** Stores a manifest, under a tag too; its digest. */
  manifest(content: object, tag?: string): string;
  tag(name: string, digest: string): void;
  /** Whether a manifest has this tag, or digest. */
  has(reference: string): boolean;
  stop(): Promise<void>;
}

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startRegistry(t: TestContext, options: RegistryOptions = {}): Promise<TestRegistry> {
  const { referrers = true, paged = false } = options;
  const manifests = new Map<string, Stored>();
  const blobs = new Map<string, Buffer>();
  const faults: { path: RegExp; status: number }[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const fault = faults.find(({ path }) => path.test(request.url ?? ''));
    if (fault !== undefined) response.writeHead(fault.status).end();
    else if (!isAdmitted(request, options)) challenge(request, response, options);
    else serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function serve({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const [, kind = '', reference = ''] =
      /^\/v2\/acme\/x\/(manifests|blobs|referrers)\/([^/?]+)/.exec(url) ?? [];
    const kinds: Record<string, () => Stored | undefined> = {
      manifests: () => manifests.get(reference),
      blobs: () => stored(blobs.get(reference)),
      referrers: () =>
        referrers ? indexOf(manifests, reference, paged ? pageOf(url) : undefined) : undefined,
    };
    const found = kinds[kind]?.();
    if (url.startsWith('/token')) response.end('{"token":"for-anybody"}');
    else if (found === undefined) response.writeHead(404).end();
    else {
      const headers = { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) };
      if (found.next !== undefined) response.setHeader('link', `<${found.next}>; rel="next"`);
      response.writeHead(200, headers).end(method === 'HEAD' ? undefined : found.bytes);
    }
  }

  const stored = (bytes: Buffer | undefined): Stored | undefined =>
    bytes && { type: 'application/octet-stream', bytes };

  return {
    host,
    repository: `${host}/acme/x`,
    asked,
    fail: (path, status) => void faults.push({ path, status }),
    blob(bytes, more = {}, served) {
      const digest = digestOf(bytes);
      blobs.set(digest, Buffer.from(served ?? bytes));
      return { mediaType: 'application/octet-stream', digest, size: bytes.length, ...more };
    },
    manifest(content, tag) {
      const type = 'manifests' in content ? indexType : manifestType;
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, ...content }));
      const digest = digestOf(bytes);
      for (const reference of [digest, tag])
        if (reference !== undefined) manifests.set(reference, { type, bytes });
      const { subject } = content as { subject?: { digest: string } };
      if (subject !== undefined && !referrers)
        manifests.set(subject.digest.replace(':', '-'), indexOf(manifests, subject.digest));
      return digest;
    },
    tag(name, digest) {
      const found = manifests.get(digest);
      if (found !== undefined) manifests.set(name, found);
    },
    has: (reference) => manifests.has(reference),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What refers to the subject: all of it, or one. */
function indexOf(manifests: ReadonlyMap<string, Stored>, subject: string, page?: number): Stored {
  const found = new Map<string, object>();
  for (const { bytes } of manifests.values()) {
    const { subject: of, artifactType, annotations } = JSON.parse(bytes.toString());
    const digest = digestOf(bytes);
    if (of?.digest === subject)
      found.set(digest, {
        mediaType: manifestType,
        digest,
        size: bytes.byteLength,
        artifactType,
        annotations,
      });
  }
  const all = [...found.values()];
  const listed = page === undefined ? all : all.slice(page, page + 1);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: listed }));
  const isLast = page === undefined || page >= all.length - 1;
  return {
    type: indexType,
    bytes,
    ...(!isLast && { next: `/v2/acme/x/referrers/${subject}?page=${page + 1}` }),
  };
}

function isAdmitted({ url, headers }: IncomingMessage, { token = false, login }: RegistryOptions): boolean {
  const asWho = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  if (!token) return headers.authorization === asWho;
  if (headers.authorization === 'Bearer for-anybody') return true;
  return url === '/token?service=r&scope=repository%3Aacme%2Fx%3Apull' && headers.authorization === asWho;
}

function challenge(
  { headers, url }: IncomingMessage,
  response: ServerResponse,
  { token = false }: RegistryOptions,
): void {
  const parameters = `realm="http://${headers.host}/token",service="r",scope="repository:acme/x:pull"`;
  const wanted = token ? `Bearer ${parameters}` : 'Basic realm="r"';
  response.writeHead(url?.startsWith('/token') ? 403 : 401, { 'www-authenticate': wanted }).end();
}

/** Pushes an index of one image, as `docker build` makes it, with attestations of these types; its digest. */
export function pushImage(registry: TestRegistry, ...attested: readonly string[]): string {
  const platform = registry.manifest({ layers: [registry.blob('the only layer')] });
  const layers = attested.map((type) =>
    registry.blob(`attested ${type}`, { annotations: { 'in-toto.io/predicate-type': type } }),
  );
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const digest = registry.manifest({ layers });
  const attestation = { mediaType: manifestType, digest, size: 1, annotations };
  const image = { mediaType: manifestType, digest: platform, size: 1 };
  return registry.manifest({ manifests: layers.length === 0 ? [image] : [image, attestation] });
}

/** Signs by a private key, as cosign does: Base64. */
export const signature = (key: KeyObject, bytes: string): string =>
  sign('sha256', Buffer.from(bytes), key).toString('base64');

export const signatureTag = (digest: string): string => `${digest.replace(':', '-')}.sig`;

/** Signs a digest as cosign 2 does, below the tag that is named after it. */
export function signBySimpleSigning(
  registry: TestRegistry,
  digest: string,
  keys: readonly KeyObject[],
  change: {
    readonly says?: string;
    readonly type?: string;
    readonly served?: string;
    readonly certificate?: string;
    readonly asReferrer?: true;
  } = {},
): void {
  const payload = JSON.stringify({
    critical: {
      identity: { 'docker-reference': registry.repository },
      image: { 'docker-manifest-digest': change.says ?? digest },
      type: change.type ?? 'cosign container image signature',
    },
    optional: null,
  });
  const layers = keys.map((key) => {
    const annotations = {
      'dev.cosignproject.cosign/signature': signature(key, payload),
      ...(change.certificate !== undefined && { 'dev.sigstore.cosign/certificate': change.certificate }),
    };
    return registry.blob(payload, { annotations }, change.served);
  });
  if (change.asReferrer === true) {
    const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
    registry.manifest({ artifactType, layers, subject: { mediaType: indexType, digest, size: 1 } });
  } else registry.manifest({ layers }, signatureTag(digest));
}

/** States something of a digest in a bundle that refers to it, as cosign 3 does: a signature, unless said otherwise. */
export function signByBundle(
  registry: TestRegistry,
  digest: string,
  key: KeyObject,
  change: {
    readonly says?: string;
    readonly predicateType?: string;
    readonly material?: object;
    readonly silent?: true;
  } = {},
): void {
  const predicateType = change.predicateType ?? 'https://sigstore.dev/cosign/sign/v1';
  const payloadType = 'application/vnd.in-toto+json';
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: (change.says ?? digest).slice('sha256:'.length) } }],
      predicateType,
      predicate: {},
    }),
  );
  const signed = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.byteLength} ${payload}`;
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: change.material ?? { publicKey: { hint: 'a-key' } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signature(key, signed) }],
    },
  };
  registry.manifest({
    artifactType: bundle.mediaType,
    layers: [registry.blob(JSON.stringify(bundle))],
    subject: { mediaType: indexType, digest, size: 1 },
    ...(change.silent !== true && { annotations: { 'dev.sigstore.bundle.predicateType': predicateType } }),
  });
}
