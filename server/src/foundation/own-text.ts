/** The same text (ASCII) in memory of its own: one that was cut out of another, or put together, keeps what it was made of. */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
