/** An address as it is kept and compared; `''` where it is none. */
export function emailOf(text: string): string {
  const email = text.trim().toLowerCase();
  return email.length <= 320 && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) && email.isWellFormed()
    ? email
    : '';
}
