/** Replaces the characters from `start` up to `end` (offsets in UTF-16 units); everything around them stays as it is. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
