import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { CommandError } from '../command-error.ts';
import { generate } from '../manifests/generate.ts';
import { isKubernetesObject } from '../manifests/object.ts';
import { groupSources } from './group.ts';
import { importServer } from './import-server.ts';

const project = projectOf();
const target = '/repo/file.yaml';
const garbage = fc.oneof(
  fc.constantFrom<unknown>(null, '', [], {}, [null], [[]], 'x', 0, -1, true, { name: null }),
  fc.anything({ maxDepth: 2, withNullPrototype: false }),
);

/** The value with what stands at one place in it, counted through, put to something else. */
function spoiled(value: unknown, place: number, by: unknown): unknown {
  let at = 0;
  const walk = (inner: unknown): unknown => {
    if (at++ === place) return by;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, walk(one)]));
  };
  return walk(value);
}

test('manifests that are broken anywhere are imported or refused with a reason, never a fault of ours', () => {
  fc.assert(
    fc.property(arbitraryServer(), fc.nat(400), garbage, (server, place, by) => {
      const made = spoiled(generate(server, project, {}), place, by);
      const read = JSON.parse(JSON.stringify(made ?? null)) as unknown;
      const objects = (Array.isArray(read) ? read : []).filter(isKubernetesObject);
      try {
        for (const group of groupSources(objects.map((object) => ({ path: target, object })))) {
          importServer(group, project, target);
        }
      } catch (error) {
        assert.ok(error instanceof CommandError, String((error as Error).stack));
      }
    }),
    { numRuns: 200 },
  );
});
