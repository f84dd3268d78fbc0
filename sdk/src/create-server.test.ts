import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { createServer, type ToolSchema } from './index.ts';

const kit = () => createServer({ name: 'Kit', version: '1.0.0' });
const nothing = () => null;

describe('the types of a tool', () => {
  it('give the handler its parsed input and hold it to its output', () => {
    const app = kit();
    const input = z.object({ id: z.coerce.number(), note: z.string().default('') });
    app.tool({ name: 'Right', description: 'x', input, output: z.string() }, async ({ id, note }) =>
      note.padEnd(id),
    );
    app.tool({ name: 'WrongInput', description: 'x', input }, ({ id }) => {
      // @ts-expect-error id is a number
      return () => id.length;
    });
    app.tool({ name: 'UnknownInput', description: 'x', input }, (given) => {
      // @ts-expect-error there is no such input
      return given.missing;
    });
    // @ts-expect-error the handler promises text
    app.tool({ name: 'WrongOutput', description: 'x', output: z.string() }, () => 1);
    // @ts-expect-error a tool says what it does
    app.tool({ name: 'Undescribed' }, nothing);
  });
});

describe('a server is refused where it is written', () => {
  it('with a name that cannot be part of a tool name', () => {
    for (const name of ['', 'my-kit', '_kit', 'kit_', 'my__kit', 'my.kit']) {
      assert.throws(() => createServer({ name, version: '1.0.0' }), /server name/);
    }
  });

  it('with a version that is not semantic', () => {
    for (const version of ['', '1', '1.0', 'v1.0.0']) {
      assert.throws(() => createServer({ name: 'Kit', version }), /semantic version/);
    }
  });
});

describe('a tool is refused where it is written', () => {
  it('with a name that gateways cannot route', () => {
    for (const name of ['', 'do-it', 'do.it', 'do it', '_do', 'do__it']) {
      assert.throws(() => kit().tool({ name, description: 'x' }, nothing), /tool name/);
    }
  });

  it('when it is defined twice, even in another case', () => {
    const app = kit();
    app.tool({ name: 'Twice', description: 'x' }, nothing);
    assert.throws(() => app.tool({ name: 'twice', description: 'x' }, nothing), /"twice" is defined twice/);
  });

  it('with a schema that has no JSON Schema, by its name and reason', () => {
    const homemade: ToolSchema = {
      '~standard': { version: 1, vendor: 'homemade', validate: (value) => ({ value }) },
    };
    const define = (input: ToolSchema) => kit().tool({ name: 'Odd', description: 'x', input }, nothing);
    assert.throws(() => define(homemade), /input schema of tool "Odd".*"homemade" gives no JSON Schema/);
    assert.throws(() => define(z.object({ when: z.date() })), /input schema of tool "Odd".*Date/);
    assert.throws(() => define(z.string()), /must be an object schema/);
  });

  it('when what it says of itself is a contradiction', () => {
    const define = (behavior: object, serviceDomains: string[] = []) =>
      kit().tool(
        { name: 'Odd', description: 'x', metadata: { behavior, classification: { serviceDomains } } },
        nothing,
      );
    assert.throws(() => define({ readOnly: true, operations: ['read', 'update'] }), /readOnly.*"update"/);
    assert.throws(() => define({ destructive: false, operations: ['delete'] }), /"delete".*destructive/);
    assert.throws(() => define({ openWorld: false }, ['email']), /service domain.*openWorld/);
    assert.doesNotThrow(() => define({ readOnly: true, operations: ['read'], openWorld: true }, ['email']));
  });
});

describe('a schema of any library', () => {
  it('is enough when it speaks Standard JSON Schema', async () => {
    const app = kit();
    const input = {
      '~standard': {
        version: 1,
        vendor: 'homemade',
        types: undefined as { input: { x: string }; output: { x: string } } | undefined,
        validate: (value: unknown) => ({ value: value as { x: string } }),
        jsonSchema: { input: () => ({ type: 'object', properties: { x: { type: 'string' } } }) },
      },
    } as const;
    app.tool({ name: 'Up', description: 'x', input }, ({ x }) => x.toUpperCase());
    const server = await app.listen({ port: 0, env: { ARCADE_AUTH_DISABLED: 'true' } });
    const answer = await fetch(`${server.url}/worker/tools/invoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tool: { name: 'Up' }, inputs: { x: 'a' } }),
    });
    const { output } = (await answer.json()) as { output: { value: string } };
    await server.stop();
    assert.equal(output.value, 'A');
  });
});
