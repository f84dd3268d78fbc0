import { isMembers, type Members } from '#foundation';

/** `top` over `base`: what it says counts, and the rest stays; `null` takes away. Members that `isWhole` names are replaced as a whole. */
export function layered(base: Members, top: Members, isWhole: (name: string) => boolean = never): Members {
  const members = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(top)) {
    const below = members.get(name);
    if (value === undefined) continue;
    if (value === null) members.delete(name);
    else if (isMembers(value) && isMembers(below) && !isWhole(name))
      members.set(name, layered(below, value, isWhole));
    else members.set(name, isMembers(value) ? layered({}, value, isWhole) : value);
  }
  return Object.fromEntries([...members].filter(([, value]) => value !== undefined));
}

const never = () => false;
