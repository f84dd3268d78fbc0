import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { applyEdits } from '../files/apply-edits.ts';
import { generate } from '../manifests/generate.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { printManifests } from '../manifests/print.ts';
import type { LoadedServer } from '../spec/load.ts';
import { fix } from './fix.ts';
import { lint } from './lint.ts';
import type { LintFile } from './lint-file.ts';

const project = projectOf();

/** The manifests of a server as files, and the server.yaml that they come from. */
export function filesOf(
  server: LoadedServer,
  change: (objects: KubernetesObject[]) => unknown = () => {},
): LintFile[] {
  const objects = structuredClone(generate(server, project, {}));
  change(objects);
  return textFiles(server, printManifests(objects));
}

function textFiles(server: LoadedServer, text: string): LintFile[] {
  const file = `${project.conventions.folder}/${server.spec.name}-mcp.yaml`;
  return [
    { path: `/repo/${file}`, shown: file, kind: 'manifest', text },
    { path: '/repo/server.yaml', shown: 'server.yaml', kind: 'server', text: stringify(server.spec) },
  ];
}

/** Warnings that are a choice of the spec, or of the conventions, rather than a mistake of the generator. */
const chosen = new Set([
  'image-no-digest',
  'infisical-deprecated',
  'flux-layout',
  'nodeport-unregistered',
  'configmap-secret',
  'resources',
  'rollout',
  'secret-style',
  'probes',
]);

test('whatever the spec, what is generated has no errors, and no warnings but those of its choices', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryServer(), async (server) => {
      const findings = await lint(project, filesOf(server));
      const unexpected = findings.filter(({ rule, level }) => level === 'error' || !chosen.has(rule));
      assert.deepEqual(unexpected, []);
    }),
    { numRuns: 100 },
  );
});

test('--fix leaves nothing that it could mend, and what it mends stays mended', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryServer(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      async (server, cuts) => {
        const files = filesOf(server, (objects) => {
          for (const cut of cuts) removeAny(objects, cut);
        });
        const once = await fix(project, files);
        assert.deepEqual(
          once.findings.filter((finding) => finding.fix !== undefined),
          [],
        );
        const mended = files.map((file) => ({
          ...file,
          text: once.changes.find(({ path }) => path === file.path)?.after ?? file.text,
        }));
        const twice = await fix(project, mended);
        assert.deepEqual(twice.changes, []);
      },
    ),
    { numRuns: 60 },
  );
});

test('--fix keeps every comment', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryServer(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      async (server, cuts) => {
        const [plain, spec] = filesOf(server, (objects) => {
          for (const cut of cuts) removeAny(objects, cut);
        });
        assert.ok(plain?.text && spec);
        const text = commented(plain.text);
        const { changes } = await fix(project, [{ ...plain, text }, spec]);
        const after = changes[0]?.after ?? text;
        const comments = (one: string) => one.match(/# note \d+/g) ?? [];
        assert.deepEqual(comments(after), comments(text));
      },
    ),
    { numRuns: 40 },
  );
});

/** A comment behind every line that is a plain key or value. */
function commented(text: string): string {
  const edits = [...text.matchAll(/^ *(?:- )?[A-Za-z0-9./-]+:(?: [A-Za-z0-9./-]+)?$/gm)].map(
    (match, index) => {
      const end = match.index + match[0].length;
      return { start: end, end, text: ` # note ${index}` };
    },
  );
  return applyEdits(text, edits);
}

/** Takes out something that makes no object invalid by itself. */
function removeAny(objects: KubernetesObject[], draw: number): void {
  const removable = [
    'labels',
    'annotations',
    'strategy',
    'progressDeadlineSeconds',
    'revisionHistoryLimit',
    'terminationGracePeriodSeconds',
    'allowPrivilegeEscalation',
    'capabilities',
    'seccompProfile',
    'automountServiceAccountToken',
    'namespace',
  ];
  const found: (() => void)[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (removable.includes(key)) found.push(() => delete (value as Record<string, unknown>)[key]);
        walk(inner);
      }
    }
  };
  for (const object of objects) {
    if (object.kind !== 'NetworkPolicy') walk(object);
    else found.push(() => objects.splice(objects.indexOf(object), 1));
  }
  found[draw % found.length]?.();
}
