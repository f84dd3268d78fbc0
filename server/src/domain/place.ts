/** Something of a project, by its id. */
export interface Place {
  readonly projectId: string;
  readonly id: string;
}

/** What it is known by among all of its kind: others are told of it by this, and what is sealed is bound to it. */
export const keyOfPlace = ({ projectId, id }: Place): string => JSON.stringify([projectId, id]);

export function placeOfKey(key: string): Place {
  const [projectId, id] = JSON.parse(key) as [string, string];
  return { projectId, id };
}
