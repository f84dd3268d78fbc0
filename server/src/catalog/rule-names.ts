/** Toolkit, in lower case, to the source whose name it is. */
export type Owners = ReadonlyMap<string, string>;

/** The name that rules know something of a source by: `own` is its name or URI inside the toolkit. */
export type RuleNames = (sourceId: string, toolkit: string, own: string) => string;

/**
 * `Toolkit.Tool` where the toolkit's name is the source's own, `source-id/Toolkit.Tool` where it is not. No source can make
 * a name that is another's: a toolkit with a slash is nobody's own, and a name that begins like the long form of another
 * source (`a.b/…`) is written in the long form too.
 */
export function createRuleNames(owners: Owners, sourceIds: Iterable<string>): RuleNames {
  const ids = new Set([...sourceIds].map((id) => id.toLowerCase()));
  return (sourceId, toolkit, own) => {
    const plain = `${toolkit}.${own}`;
    const slash = plain.indexOf('/');
    const isPlain =
      owners.get(toolkit.toLowerCase()) === sourceId &&
      (slash < 0 || !ids.has(plain.slice(0, slash).toLowerCase()));
    return isPlain ? plain : `${sourceId}/${plain}`;
  };
}
