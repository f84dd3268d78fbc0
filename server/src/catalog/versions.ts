/**
 * Orders two versions: numbers by value, dot by dot; a pre-release (`1.0.0-rc`) before its release; anything else as
 * text. Never throws, whatever a source calls a version.
 */
export function compareVersions(a: string, b: string): number {
  const [aCore = '', aPre] = split(a);
  const [bCore = '', bPre] = split(b);
  const core = compareDotted(aCore, bCore);
  if (core !== 0) return core;
  if (aPre === undefined || bPre === undefined) return aPre === bPre ? 0 : aPre === undefined ? 1 : -1;
  return compareDotted(aPre, bPre);
}

function split(version: string): [string, string | undefined] {
  const plain = version.replace(/^v/, '').split('+', 1)[0] as string;
  const dash = plain.indexOf('-');
  return dash < 0 ? [plain, undefined] : [plain.slice(0, dash), plain.slice(dash + 1)];
}

function compareDotted(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const x = left[at] ?? '0';
    const y = right[at] ?? '0';
    const bothNumbers = /^\d+$/.test(x) && /^\d+$/.test(y);
    if (bothNumbers && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!bothNumbers && x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
