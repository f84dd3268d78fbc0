import { type DirectoryDeps, hearChanges } from './change-directory.ts';
import type { Directory } from './contract.ts';
import { createGroups } from './groups.ts';
import { createUsers } from './users.ts';

export function createDirectory(deps: DirectoryDeps): Directory {
  hearChanges(deps);
  return { ...createUsers(deps), ...createGroups(deps) };
}
