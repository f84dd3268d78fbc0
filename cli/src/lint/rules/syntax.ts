import { type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { placeIn } from '../../files/places.ts';
import type { Rule } from '../rule.ts';

export const syntax: Rule = {
  id: 'syntax',
  level: 'error',
  what: 'files can be read: UTF-8, valid YAML or JSON, no key twice',
  why: 'A file that cannot be read stops everything that Flux or kubectl would apply beside it. A key that stands twice is read differently by different tools, so that what was checked is not what is applied.',
  fixable: false,
  check: ({ files, broken }, say) => {
    for (const { file, line, column, message } of broken) say({ file, line, column }, sentence(message));
    for (const { shown, unreadable, kind, text } of files) {
      const errors: ParseError[] = [];
      if (kind === 'mcp-json' && text !== null)
        parseTree(text, errors, { allowTrailingComma: false, disallowComments: true });
      for (const { error, offset } of errors.slice(0, 5)) {
        const words = printParseErrorCode(error)
          .replace(/([a-z])([A-Z])/g, '$1 $2')
          .toLowerCase();
        say({ file: shown, ...placeIn(text ?? '', offset) }, `Not valid JSON: ${words}.`);
      }
      if (unreadable !== undefined) say({ file: shown, line: 1, column: 1 }, sentence(unreadable));
    }
  },
};

const sentence = (message: string): string => (/[.!?]$/.test(message) ? message : `${message}.`);
