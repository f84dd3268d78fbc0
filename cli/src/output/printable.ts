/** Colours are ours; whatever else steers a terminal comes from a file or a server, and is shown as a character that it is not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const steering = /\u001b\[[0-9;]*m|(?![\t\n])\p{Cc}/gu;

/** Text that a terminal only shows. Line ends and tabs stay, colours where there are any. */
export function printable(text: string, coloured = false): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(steering, (found) => (found.length > 1 ? (coloured ? found : '') : '\ufffd'));
}

/** The same on one line, so that nothing in it stands alone as if it were said by us. */
export const printableLine = (text: string, coloured = false): string =>
  printable(text.replace(/[\r\n]\s*/g, ' '), coloured);
