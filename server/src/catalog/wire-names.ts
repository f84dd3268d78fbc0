const maxLength = 64;

/** Something that needs a name on a gateway. */
export interface Nameless {
  readonly id: string;
  /** Chosen by the gateway's curation. */
  readonly chosen: string | null;
  /** What it would be called if it were alone. */
  readonly plain: string;
  /** Whether rules know it by its plain name, or by the long form with its source in front. */
  readonly isOwner: boolean;
  /** Milliseconds: when the catalog first saw it. Whoever came first keeps the plain name. */
  readonly firstSeenMs: number;
}

/**
 * One name for each, by id. A chosen name goes first, then the plain one, the longest-known first; whatever is too long,
 * taken or somebody else's by the rules gets eight digits of the id appended. So what appears later never takes a name
 * that clients already call.
 */
export function nameAll(these: readonly Nameless[], longest = maxLength): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const order = [...these].sort(
    (a, b) =>
      Number(a.chosen === null) - Number(b.chosen === null) ||
      a.firstSeenMs - b.firstSeenMs ||
      (a.id < b.id ? -1 : 1),
  );
  for (const { id, chosen, plain, isOwner } of order) {
    const wanted = chosen ?? plain;
    const isFree = wanted.length <= longest && !taken.has(wanted) && (isOwner || chosen !== null);
    const suffix = id.slice(-8);
    let name = isFree ? wanted : suffixed(wanted, suffix, longest);
    // Somebody may be called so already, and even on purpose.
    for (let nth = 2; taken.has(name); nth++) name = suffixed(wanted, `${suffix}_${nth}`, longest);
    taken.add(name);
    names.set(id, name);
  }
  return names;
}

/** `group_name`, in the characters that every client takes. */
export function plainName(group: string, name: string): string {
  return `${group}_${name}`.replace(/[^A-Za-z0-9_-]/g, '_');
}

function suffixed(name: string, suffix: string, longest: number): string {
  return `${name.slice(0, longest - suffix.length - 1)}_${suffix}`;
}
