import { createHmac } from 'node:crypto';

export interface Letter {
  to: string;
  subject: string;
  body: string;
}

/** The message as mail travels, with a signature by which the company's mail system knows what an agent wrote. */
export function mimeMessage(letter: Letter, signingKey: string): string {
  return [
    `To: ${letter.to}`,
    `Subject: ${encodedWords(letter.subject)}`,
    `X-Agent-Signature: ${signatureOf(letter, signingKey)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(letter.body).toString('base64').replace(/.{76}/g, '$&\r\n'),
  ].join('\r\n');
}

/** RFC 2047: no word longer than 75 characters. */
function encodedWords(text: string): string {
  const parts = text.match(/.{1,10}/gu) ?? [];
  return parts.map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}

export function signatureOf({ to, subject, body }: Letter, signingKey: string): string {
  return createHmac('sha256', signingKey)
    .update(JSON.stringify([to, subject, body]))
    .digest('base64url');
}
