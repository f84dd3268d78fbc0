import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertValidObjects } from '../../test/assert-valid-objects.ts';
import { testIo } from '../../test/test-io.ts';
import { readText } from '../files/read-text.ts';
import { loadProject, loadServer } from '../spec/load.ts';
import { generate } from './generate.ts';
import { objectsOf } from './made-file.ts';
import { printManifests } from './print.ts';

const folder = join(import.meta.dirname, '../../test/golden');
const ending = '.server.yaml';

for (const file of (await readdir(folder)).filter((name) => name.endsWith(ending))) {
  const name = file.slice(0, -ending.length);
  test(`${name}: what is generated is what was read and found good (UPDATE_GOLDEN=1 writes it anew)`, async () => {
    const own = join(folder, `${name}.conventions.yaml`);
    const company = (await readText(own)) === null ? join(folder, 'conventions.yaml') : own;
    const project = await loadProject(testIo(folder), { conventions: company });
    const server = await loadServer(project, join(folder, file));
    const sealed = await readText(join(folder, `${name}.sealed.yaml`));
    const objects = generate(server, project, sealed === null ? {} : { sealed: objectsOf('sealed', sealed) });
    await assertValidObjects(objects);
    const golden = join(folder, `${name}.manifest.yaml`);
    const printed = printManifests(objects);
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(golden, printed);
    assert.equal(printed, await readFile(golden, 'utf8'));
  });
}
