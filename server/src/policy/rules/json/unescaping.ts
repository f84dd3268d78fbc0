const plain: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Every escape that JSON knows, read wherever it stands; all else is left. What a string of the text says then stands in it
 * in one piece: escapes stand only in strings, and none begins before its string does.
 */
export function unescaped(text: string): string {
  let result = '';
  let at = 0;
  for (;;) {
    const backslash = text.indexOf('\\', at);
    if (backslash < 0) return at === 0 ? text : result + text.slice(at);
    result += text.slice(at, backslash);
    const next = text[backslash + 1] ?? '';
    const char = next === 'u' ? codeAt(text, backslash + 2) : plain[next];
    result += char ?? '\\';
    at = backslash + (char === undefined ? 1 : next === 'u' ? 6 : 2);
  }
}

function codeAt(text: string, at: number): string | undefined {
  let code = 0;
  for (let index = at; index < at + 4; index++) {
    const digit = hexDigit(text.charCodeAt(index));
    if (digit < 0) return undefined;
    code = code * 16 + digit;
  }
  return String.fromCharCode(code);
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const letter = char | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
