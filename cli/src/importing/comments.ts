import { Lexer } from 'yaml';

/** What tools read of a comment, and what generation wrote itself. */
const forTools =
  /^#\s*(yaml-language-server:|sallyport-lint-|Made by sallyport|Change that, and run it again:|$)/;

/** The comments of a YAML file, each with what stands before it in its line. What looks like one in a text is none. */
export function commentsOf(text: string): readonly string[] {
  const comments: string[] = [];
  let offset = 0;
  let inScalar = false;
  for (const token of new Lexer().lex(text)) {
    const isMark = ['\u0002', '\u0018', '\u001f'].includes(token);
    if (!isMark && !inScalar && token.startsWith('#') && !forTools.test(token)) {
      const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim();
      comments.push(before === '' ? token.slice(1).trim() : `${before} ${token.trimEnd()}`);
    }
    inScalar = token === '\u001f';
    if (!isMark) offset += token.length;
  }
  return comments;
}
