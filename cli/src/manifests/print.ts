import { Document, isScalar, parse, Scalar, visit } from 'yaml';
import type { KubernetesObject } from './object.ts';

/**
 * The objects as YAML that reads the same with every reader: no anchors, code as block text, and quotes around what
 * YAML 1.1 takes for something else than a string (`on`, `1_000`, `012`).
 */
export function printManifests(objects: readonly KubernetesObject[], head: readonly string[] = []): string {
  return head.map((line) => `# ${line}\n`).join('') + objects.map(printYaml).join('---\n');
}

export function printYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string') node.type = styleOf(node.value);
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: true });
}

function styleOf(text: string): Scalar.Type {
  if (text.includes('\n') && isPlainText(text)) return Scalar.BLOCK_LITERAL;
  return readsTheSame(text) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE;
}

/** What a block keeps as it is: printable, no other line ends than \n, and a first line that tells the indentation. */
const isPlainText = (text: string): boolean =>
  /^[\t\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/.test(text) &&
  /^[^\s]/.test(text);

function readsTheSame(text: string): boolean {
  if (/^[~=<]|^(y|n|yes|no|on|off|true|false|null|e[-_0-9]*)$/i.test(text)) return false;
  if (/^[A-Za-z][A-Za-z0-9./_-]*$/.test(text)) return true;
  try {
    return (
      parse(text, { version: '1.1', logLevel: 'error' }) === text &&
      parse(text, { logLevel: 'error' }) === text
    );
  } catch {
    return false;
  }
}
