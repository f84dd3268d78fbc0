import assert from 'node:assert/strict';
import { type KubernetesObject, objectTitle } from '../src/manifests/object.ts';

type Model = new (value: unknown) => { validate(): void };

/** Groups whose schemas are not Kubernetes' own. */
const customGroups = /^(secrets\.infisical\.com|bitnami\.com|monitoring\.coreos\.com)\//;

/** Every object has the shape that Kubernetes' own schemas ask for. */
export async function assertValidObjects(objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) {
    if (customGroups.test(object.apiVersion)) continue;
    const models = (await import(`kubernetes-models/${object.apiVersion}`)) as Record<
      string,
      Model | undefined
    >;
    const Model = models[object.kind];
    assert.ok(Model !== undefined, `${object.apiVersion} has no ${object.kind}`);
    assert.doesNotThrow(() => new Model(object).validate(), objectTitle(object));
  }
}
