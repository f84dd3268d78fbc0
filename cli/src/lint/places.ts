import type { Place } from '../files/yaml-file.ts';

/** Line and column of offsets in a text. */
export function placesOf(text: string): (offset: number) => Place {
  return (offset) => {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
  };
}
