import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { readText } from '../files/read-text.ts';
import { parsedJson } from '../files/values.ts';
import type { Project } from '../spec/load.ts';

/** Signatures as cosign makes them with a key: which digest one is for, and whether it is good. */

/** The public key of the conventions, which may be in a file; `null` where they have none. */
export async function cosignKey({ conventions, root }: Project): Promise<KeyObject | null> {
  const { cosignKey: given } = conventions.images;
  if (given === undefined) return null;
  const refuse = (message: string) =>
    new CommandError('conventions.cosign_key', `images.cosignKey of conventions.yaml ${message}`, [
      'cosign public-key --key … prints it, cosign generate-key-pair writes it into cosign.pub.',
    ]);
  const isInline = given.includes('-----BEGIN');
  const pem = isInline ? given : await readText(join(root, given));
  if (pem === null) throw refuse(`names ${given}, and there is no such file`);
  // Node takes the public half out of a private key, too, which has no business here.
  if (/PRIVATE KEY/.test(pem)) throw refuse('is a private key: name the public one, and make a new pair');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw refuse('must be a public key in PEM, or the file of one');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  // Ed25519 is left out: what cosign 3 signs with such a key, it does not verify itself.
  const isKnown =
    (type === 'ec' && details?.namedCurve === 'prime256v1') ||
    (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048);
  if (!isKnown) throw refuse('must be a key of ECDSA P-256, or of RSA with at least 2048 bits');
  return key;
}

/** What came of one signature: `good`, or why it counts for nothing. */
export type Judgement = 'good' | 'another key' | 'another image' | 'keyless' | 'unreadable';

const payload = z.object({
  critical: z.object({
    type: z.literal('cosign container image signature'),
    image: z.object({ 'docker-manifest-digest': z.string() }),
  }),
});

/** "Simple signing": the exact bytes of a payload that names the digest, and the signature of these in Base64. */
export function judgePayload(key: KeyObject, digest: string, bytes: Buffer, signature: string): Judgement {
  if (!isSigned(key, bytes, signature)) return 'another key';
  const read = payload.safeParse(json(bytes));
  if (!read.success) return 'unreadable';
  return read.data.critical.image['docker-manifest-digest'] === digest ? 'good' : 'another image';
}

const envelope = z.object({
  payload: z.base64(),
  payloadType: z.string(),
  signatures: z.array(z.object({ sig: z.base64() })).min(1),
});
const bundle = z.object({
  verificationMaterial: z.record(z.string(), z.unknown()),
  dsseEnvelope: envelope,
});
const statement = z.object({
  predicateType: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
});
export const signaturePredicate = 'https://sigstore.dev/cosign/sign/v1';

/**
 * A Sigstore bundle, as cosign 3 makes one: a statement about the digest in a DSSE envelope. `null`: it states something else,
 * such as an SBOM, which is no signature of the image, whoever made it.
 */
export function judgeBundle(key: KeyObject, digest: string, bytes: Buffer): Judgement | null {
  const read = bundle.safeParse(json(bytes));
  if (!read.success) return 'unreadable';
  const { dsseEnvelope, verificationMaterial } = read.data;
  const { payload: encoded, payloadType, signatures } = dsseEnvelope;
  const said = Buffer.from(encoded, 'base64');
  const about = statement.safeParse(json(said));
  if (!about.success) return 'unreadable';
  if (about.data.predicateType !== signaturePredicate) return null;
  // Pre-authentication encoding of DSSE v1: what is signed is the type as well as the payload.
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${said.byteLength} `;
  const signed = Buffer.concat([Buffer.from(head), said]);
  if (!signatures.some(({ sig }) => isSigned(key, signed, sig)))
    return 'publicKey' in verificationMaterial ? 'another key' : 'keyless';
  const isOfThis = about.data.subject.some(({ digest: { sha256 } }) => `sha256:${sha256}` === digest);
  return isOfThis ? 'good' : 'another image';
}

/** What the statement of a bundle, or of a bare envelope, is: `https://spdx.dev/Document`. Says nothing of who made it. */
export function predicateTypeOf(bytes: Buffer): string | undefined {
  const read = z.object({ dsseEnvelope: envelope }).or(envelope).safeParse(json(bytes));
  if (!read.success) return undefined;
  const { payload } = 'dsseEnvelope' in read.data ? read.data.dsseEnvelope : read.data;
  return statement.safeParse(json(Buffer.from(payload, 'base64'))).data?.predicateType;
}

function isSigned(key: KeyObject, bytes: Buffer, signature: string): boolean {
  return verify('sha256', bytes, key, Buffer.from(signature, 'base64'));
}

const json = (bytes: Buffer): unknown => parsedJson(bytes.toString('utf8'));
