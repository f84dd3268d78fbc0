/** Texts of what is still there, by it: those that were asked for last. */
export interface KeptTexts {
  get(of: object, make: () => string): string;
}

/**
 * Keeps at most about so many characters. What has been kept for long goes all at once, but for what was asked for meanwhile: to find
 * the oldest of many would cost more than to make a text again.
 */
export function createKeptTexts(mostChars: number): KeptTexts {
  let recent = new WeakMap<object, string>();
  let before = new WeakMap<object, string>();
  let chars = 0;
  return {
    get(of, make) {
      const known = recent.get(of);
      if (known !== undefined) return known;
      const text = before.get(of) ?? make();
      if (chars + text.length > mostChars / 2) {
        before = recent;
        recent = new WeakMap();
        chars = 0;
      }
      recent.set(of, text);
      chars += text.length;
      return text;
    },
  };
}
