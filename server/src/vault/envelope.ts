import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';

/** Wraps the data keys of records. */
export interface VaultKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

/** A sealed text: `v1.{vault key}.{wrapped data key}.{body}`. */
export interface Envelope {
  readonly keyId: string;
  readonly dataKey: string;
  readonly body: string;
}

const nonceBytes = 12;
const tagBytes = 16;
/** 60 bytes make 80 characters without any to spare, so one data key has one text. */
const form = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{80})\.([A-Za-z0-9_-]{38,})$/;

export function sealWith(key: VaultKey, purpose: string, payload: unknown, boundTo: string): string {
  const dataKey = randomBytes(32);
  const body = encrypt(dataKey, Buffer.from(JSON.stringify(payload)), aboutRecord(purpose, boundTo));
  return written(key, dataKey, body.toString('base64url'));
}

/** `null` for anything that was not sealed so. */
export function openWith(key: VaultKey, envelope: Envelope, purpose: string, boundTo: string): unknown {
  const dataKey = dataKeyOf(key, envelope);
  const body = Buffer.from(envelope.body, 'base64url');
  // One text for one payload: what decodes the same but is written otherwise is not ours.
  if (dataKey === null || body.toString('base64url') !== envelope.body) return null;
  const bytes = decrypt(dataKey, body, aboutRecord(purpose, boundTo));
  return bytes === null ? null : JSON.parse(bytes.toString('utf8'));
}

/** The same record under another vault key; its body stays as it is. `null` where the data key does not open. */
export function rewrap(from: VaultKey, to: VaultKey, envelope: Envelope): string | null {
  const dataKey = dataKeyOf(from, envelope);
  return dataKey === null ? null : written(to, dataKey, envelope.body);
}

export function parseEnvelope(text: string): Envelope | null {
  const [, keyId, dataKey, body] = form.exec(text) ?? [];
  return keyId === undefined || dataKey === undefined || body === undefined ? null : { keyId, dataKey, body };
}

/** What every text begins with that this vault key opens. */
export const beginningOf = (keyId: string): string => `v1.${keyId}.`;

/** AES-256-GCM: nonce, text, tag. Node takes a key object in a quarter of the time that it takes for the same bytes. */
export function encrypt(key: Buffer, bytes: Buffer, about: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
  cipher.setAAD(Buffer.from(about));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** `null` for anything that was not encrypted so. */
export function decrypt(key: Buffer, bytes: Buffer, about: string): Buffer | null {
  if (bytes.length < nonceBytes + tagBytes) return null;
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), bytes.subarray(0, nonceBytes));
  decipher.setAAD(Buffer.from(about));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch {
    return null;
  }
}

function written(key: VaultKey, dataKey: Buffer, body: string): string {
  const wrapped = encrypt(key.bytes, dataKey, aboutDataKey(key.id));
  return `${beginningOf(key.id)}${wrapped.toString('base64url')}.${body}`;
}

function dataKeyOf(key: VaultKey, { dataKey }: Envelope): Buffer | null {
  return decrypt(key.bytes, Buffer.from(dataKey, 'base64url'), aboutDataKey(key.id));
}

/** As JSON, so that no purpose and record say the same as two others. */
const aboutRecord = (purpose: string, boundTo: string) => JSON.stringify(['record', purpose, boundTo]);
const aboutDataKey = (keyId: string) => JSON.stringify(['data key', keyId]);
