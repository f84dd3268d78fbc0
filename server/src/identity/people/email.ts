/** Lower case makes a k of it, and so does normalisation: whoever has a name with one is nobody whose name has the other. */
const kelvinSign = '\u212a';

/** An address as it is kept and compared; `''` where it is none. */
export function emailOf(text: string): string {
  const email = text.trim().normalize('NFC').toLowerCase();
  const isOne = email.length <= 320 && /^[^\s@\p{C}]+@[^\s@\p{C}]*[^\s@\p{C}.]$/u.test(email);
  return isOne && !text.includes(kelvinSign) ? email : '';
}

export function inLowerCase(text: string): string {
  return text
    .split(kelvinSign)
    .map((part) => part.toLowerCase())
    .join(kelvinSign);
}
