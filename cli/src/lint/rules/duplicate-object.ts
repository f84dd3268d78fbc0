import { at, type Rule } from '../rule.ts';

export const duplicateObject: Rule = {
  id: 'duplicate-object',
  level: 'error',
  what: 'no two manifests describe the same object',
  why: 'kustomize refuses two objects with the same kind, namespace and name. Applied as a folder, the one that comes last wins, and which that is nobody decided.',
  fixable: false,
  check: ({ resources, namespaceOf }, say) => {
    const first = new Map<string, (typeof resources)[number]>();
    for (const resource of resources) {
      const { apiVersion, kind, name, file } = resource;
      if (name === '' || kind === '') continue;
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
      const key = [group, kind, namespaceOf(resource), name].join(' ');
      const other = first.get(key);
      if (other === undefined) first.set(key, resource);
      else {
        const { line } = other.at([]);
        const where = other.file === file ? `line ${line}` : `${other.file}:${line}`;
        say(at(resource, ['metadata', 'name']), `${resource.title} is described by ${where}, too: keep one.`);
      }
    }
  },
};
