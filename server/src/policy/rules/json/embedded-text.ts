import { isUtf8 } from 'node:buffer';

/** Whether a string is itself a JSON object or array, or a JSON string. */
export function isJsonText(text: string): boolean {
  if (!/^[ \t\r\n]*[{["]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Base64 of a text, as members named so have it; url-safe or not, with or without line breaks. `null`: it is none. */
export function base64Text(name: string, text: string): string | null {
  if ((name !== 'blob' && name !== 'data') || !/^[A-Za-z0-9+/_= \t\r\n-]+$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** The text as the base64 was that it came from. */
export function asBase64(text: string, before: string): string {
  return Buffer.from(text, 'utf8').toString(/[-_]/.test(before) ? 'base64url' : 'base64');
}
