import { isScalar, visit } from 'yaml';
import type { Rule } from '../rule.ts';

/** What YAML 1.1 takes for true or false, and 1.2 for a text. */
const ambiguous = /^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/;

export const yamlBool: Rule = {
  id: 'yaml-bool',
  level: 'error',
  what: 'texts such as yes, no and off are in quotes',
  why: 'kubectl and Flux read YAML 1.1, where a plain yes, no, on, off, y or n is true or false. An environment variable with such a value is refused by the API server.',
  fixable: true,
  check: ({ yaml, files }, say) => {
    const manifests = new Set(files.filter(({ kind }) => kind === 'manifest').map(({ shown }) => shown));
    for (const [file, { documents, place, text }] of yaml) {
      if (!manifests.has(file) || !/(:|-|\[|,)\s+([yYnNoO][a-zA-Z]{0,2})\b/.test(text)) continue;
      for (const { root } of documents) {
        visit(root, {
          Scalar: (_, node) => {
            const { source, range } = node;
            if (node.type !== 'PLAIN' || source === undefined || !isScalar(node) || !range) return;
            if (!ambiguous.test(source)) return;
            const [start, end] = range;
            const fix = [{ start, end, text: `"${source}"` }];
            say(
              { file, ...place(start) },
              `${source} is not a text to kubectl: put it in quotes, or say what is meant.`,
              { fix },
            );
          },
        });
      }
    }
  },
};
