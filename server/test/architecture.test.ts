import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gates, rooms } from '#architecture';
import { checkArchitecture, type SourceFile } from './check-architecture.ts';

const root = join(import.meta.dirname, '../..');
const map = { rooms, gates };

function readSources(): SourceFile[] {
  return ['contracts', 'server', 'sdk', 'cli', 'harness', 'examples']
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((path) => `${name}/${path}`),
    )
    .filter((path) => path.endsWith('.ts') && !/\/(node_modules|dist)\//.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

it('every file keeps to the map and the rules of the house', () => {
  const files = readSources();
  assert.ok(files.length > 30, `only ${files.length} files were read`);
  const broken = checkArchitecture(files, map);
  assert.equal(broken.length, 0, `\n${broken.join('\n')}`);
});

/** A tree that keeps every rule; each bad sample is added to it. */
const sound: readonly SourceFile[] = [
  {
    path: 'server/src/foundation/index.ts',
    text: "/** Foundation: what all need. */\nexport { ok } from './result.ts';\n",
  },
  { path: 'server/src/foundation/result.ts', text: 'export const ok = 1;\n' },
  { path: 'server/src/foundation/clock.ts', text: 'export const now = () => Date.now();\n' },
  { path: 'server/src/policy/index.ts', text: "/** Policy: who may. */\nexport { a } from './decide.ts';\n" },
  { path: 'server/src/policy/decide.ts', text: "import { ok } from '#foundation';\nexport const a = ok;\n" },
  {
    path: 'server/src/policy/decide.test.ts',
    text: "import net from 'node:net';\nimport { x } from '#wire';\n",
  },
  {
    path: 'server/src/egress/index.ts',
    text: "/** Egress: out. */\nimport net from 'node:net';\nexport { net };\n",
  },
  { path: 'server/src/main.ts', text: "import { start } from '#compose';\nstart(process.env);\n" },
  { path: 'contracts/src/index.ts', text: "import { z } from 'zod';\nexport { z };\n" },
  { path: 'sdk/src/index.ts', text: "export type { ErrorCode } from '@sallyport/contracts';\n" },
];

interface Sample {
  readonly breaks: string;
  readonly path?: string;
  readonly text: string;
  readonly says: RegExp;
}

const decide = 'server/src/policy/decide.ts';
const samples: readonly Sample[] = [
  { breaks: 'a folder that is no room', path: 'server/src/stuff/a.ts', text: '', says: /stuff is no room/ },
  {
    breaks: 'a missing arrow',
    text: "import { c } from '#catalog';",
    says: /:1: policy may not import catalog/,
  },
  {
    breaks: 'a missing arrow of a type',
    text: "import type { C } from '#catalog';",
    says: /policy may not import catalog/,
  },
  {
    breaks: 'a missing arrow over lines',
    text: "import {\n  c,\n} from '#catalog';",
    says: /:3: policy may not import catalog/,
  },
  {
    breaks: 'a missing arrow of a re-export',
    text: "export { c } from '#catalog';",
    says: /policy may not import catalog/,
  },
  {
    breaks: 'a missing arrow at run time',
    text: "const c = await import('#catalog');",
    says: /policy may not import/,
  },
  { breaks: 'a room that is none', text: "import { c } from '#nowhere';", says: /#nowhere is no room/ },
  { breaks: 'its own door', text: "import { c } from '#policy';", says: /own door/ },
  {
    breaks: 'another room by path',
    text: "import { ok } from '../foundation/result.ts';",
    says: /import its door, #foundation/,
  },
  {
    breaks: 'a way out of the rooms',
    text: "import { gates } from '../../test/x.ts';",
    says: /reaches out of server\/src\/policy/,
  },
  {
    breaks: 'a way out of the package',
    text: "import { z } from '../../../sdk/src/index.ts';",
    says: /out of the package server/,
  },
  {
    breaks: 'an implementation by name',
    text: "import { m } from '#storage/pglite';",
    says: /only compose may/,
  },
  { breaks: 'the gate of a module', text: "import net from 'node:net';", says: /node:net is behind a gate/ },
  {
    breaks: 'the gate without its prefix',
    text: "import net from 'net';",
    says: /node:net is behind a gate/,
  },
  {
    breaks: 'the gate by a sub-path',
    text: "import dns from 'node:dns/promises';",
    says: /node:dns\/promises is behind/,
  },
  { breaks: 'the gate by require', text: "const pg = require('pg');", says: /pg is behind a gate/ },
  {
    breaks: 'a gate that lets nobody in',
    text: "import https from 'node:https';",
    says: /Nothing may import it/,
  },
  {
    breaks: 'a name that says nothing',
    path: 'server/src/policy/utils.ts',
    text: '',
    says: /utils says nothing/,
  },
  {
    breaks: 'a name that ends so',
    path: 'server/src/policy/glob-helpers.ts',
    text: '',
    says: /glob-helpers says nothing/,
  },
  {
    breaks: 'a folder that says nothing',
    path: 'sdk/src/lib/a.ts',
    text: '',
    says: /the name lib says nothing/,
  },
  {
    breaks: 'a name in camel case',
    path: 'server/src/policy/decideCall.ts',
    text: '',
    says: /not kebab-case/,
  },
  {
    breaks: 'the environment',
    text: 'const home = process.env.HOME;',
    says: /process\.env is read only in config/,
  },
  { breaks: 'the clock', text: 'const t = Date.now();', says: /wall clock/ },
  { breaks: 'the clock in disguise', text: 'const t = new Date();', says: /wall clock/ },
  {
    breaks: 'a connection of its own',
    text: "await fetch('http://x');",
    says: /every byte out passes #egress/,
  },
  { breaks: 'an export of everything', text: "export * from './decide.ts';", says: /export \* hides/ },
  { breaks: 'a long file', text: 'a;\n'.repeat(401), says: /:401: 401 lines, 400 allowed/ },
  {
    breaks: 'a long test',
    path: 'server/src/policy/a.test.ts',
    text: 'a;\n'.repeat(601),
    says: /600 allowed/,
  },
  {
    breaks: 'a room without a door',
    path: 'server/src/audit/write.ts',
    text: '',
    says: /audit\/index\.ts:1: the room has no door/,
  },
  {
    breaks: 'a door without a comment',
    path: 'server/src/policy/index.ts',
    text: 'export {};',
    says: /opens with a comment/,
  },
  {
    breaks: 'a door with an essay',
    path: 'server/src/policy/index.ts',
    text: `/**${'\n * a'.repeat(12)}\n */`,
    says: /say it in 12/,
  },
  {
    breaks: 'contracts with a dependency',
    path: 'contracts/src/a.ts',
    text: "import fs from 'node:fs';",
    says: /only zod/,
  },
  {
    breaks: 'an sdk on the server',
    path: 'sdk/src/a.ts',
    text: "import { x } from '@sallyport/gateway';",
    says: /sdk may not import/,
  },
  {
    breaks: 'a harness by door',
    path: 'harness/a.ts',
    text: "import { x } from '#policy';",
    says: /no other package may/,
  },
  {
    breaks: 'a harness by path',
    path: 'harness/a.ts',
    text: "import { x } from '../server/src/policy/index.ts';",
    says: /out of the package harness/,
  },
  {
    breaks: 'a server on the sdk',
    text: "import { x } from '@sallyport/server';",
    says: /server may not import/,
  },
];

describe('the check', () => {
  it('passes a tree that keeps every rule', () => {
    assert.deepEqual(checkArchitecture(sound, map), []);
  });

  for (const sample of samples) {
    it(`refuses ${sample.breaks}`, () => {
      const bad = { path: sample.path ?? decide, text: sample.text };
      const broken = checkArchitecture([...sound.filter((file) => file.path !== bad.path), bad], map);
      assert.equal(broken.length, 1, broken.join('\n'));
      assert.match(broken[0] ?? '', sample.says);
    });
  }

  it('refuses rooms that import one another, in the map and in the files', () => {
    const ring = { a: { is: 'a', mayImport: ['b'] }, b: { is: 'b', mayImport: ['a'] } };
    const door = { path: 'server/src/a/index.ts', text: '/** A. */' };
    assert.match(checkArchitecture([door], { rooms: ring, gates }).join('\n'), /ring, a → b → a/);
    const open = { ...rooms, foundation: { is: 'ground', mayImport: ['*'] } };
    const back = {
      path: 'server/src/foundation/result.ts',
      text: "import { a } from '#policy';\nexport const ok = a;\n",
    };
    const files = [...sound.filter((file) => file.path !== back.path), back];
    assert.match(checkArchitecture(files, { rooms: open, gates }).join('\n'), /ring, .*foundation/);
  });

  it('refuses an arrow of the map to a room that is none', () => {
    const broken = checkArchitecture(sound, {
      rooms: { ...rooms, policy: { is: 'p', mayImport: ['foundation', 'nil'] } },
      gates,
    });
    assert.match(broken.join('\n'), /policy may import nil, which is no room/);
  });

  it('reads no rule into comments and strings', () => {
    const text =
      "/** Never Date.now() or process.env here. */\n// import net from 'node:net';\nexport const a = 'http://x';\n";
    assert.deepEqual(
      checkArchitecture([...sound.filter((file) => file.path !== decide), { path: decide, text }], map),
      [],
    );
  });

  it('fails when nothing was read', () => {
    assert.match(checkArchitecture([], map).join('\n'), /no file was read/);
  });
});
