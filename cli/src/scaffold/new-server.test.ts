import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { readFiles, runIn, tempFolder, testIo } from '../../test/test-io.ts';
import { loadServer } from '../spec/load.ts';
import { loadProject } from '../spec/project.ts';
import { templates } from './new-server.ts';

const ofRepository = { '.git/HEAD': '' };

/** `npm pack` of the SDK is what takes long in a clone; `--dry-run` shows the names of the files without it. */
describe('sallyport server new', () => {
  for (const template of ['python', 'configmap'] as const) {
    it(`makes a server of the template ${template} whose server.yaml is taken as it is`, async (t) => {
      const cwd = await tempFolder(t, ofRepository);
      const args = ['server', 'new', 'git-hub', '--template', template, '--owner', 'a: "team"'];
      const { code, out } = await runIn(cwd, [...args, '--description', `It's "quoted": \\ # {`]);
      assert.equal(code, 0, out);
      const files = await readFiles(cwd);
      assert.ok(
        !Object.values(files).some((text) => /\{\{(json:)?\w+\}\}/.test(text)),
        'a word is left open',
      );
      const project = await loadProject(testIo(cwd));
      const { spec } = await loadServer(project, join(cwd, 'git-hub/server.yaml'));
      assert.equal(spec.name, 'git-hub');
      assert.equal(spec.owner, 'a: "team"');
      assert.equal(spec.description, `It's "quoted": \\ # {`);
      const compiled = spawnSync('python3', ['-c', 'import ast,sys; ast.parse(sys.stdin.read())'], {
        input: files['git-hub/server.py'] as string,
        encoding: 'utf8',
      });
      assert.equal(compiled.status, 0, compiled.stderr);
    });
  }

  it('does not take a name that ends as every name will, and makes nothing', async (t) => {
    const cwd = await tempFolder(t, ofRepository);
    const { code, err } = await runIn(cwd, ['server', 'new', 'git-hub-mcp', '-t', 'configmap']);
    assert.equal(code, 1);
    assert.match(err, /-mcp is added .* git-hub becomes git-hub-mcp\n {2}sallyport server new git-hub\n/);
    assert.deepEqual(await readFiles(cwd), ofRepository);
  });

  it('has editors complete server.yaml at once, by a schema that it brings unless there is one', async (t) => {
    const cwd = await tempFolder(t, { 'repo/.git/HEAD': '' });
    const repo = join(cwd, 'repo');
    const schemaOf = async (at: string) => {
      const [line = ''] = (await readFile(join(at, 'server.yaml'), 'utf8')).split('\n');
      const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(line)?.[1] ?? '';
      return join(at, schema);
    };
    const make = (...args: string[]) => runIn(repo, ['server', 'new', 'a', '-t', 'configmap', ...args]);
    assert.equal((await make('--dir', 'servers/a')).code, 0);
    const schema = await schemaOf(join(repo, 'servers/a'));
    assert.equal(schema, join(repo, '.sallyport/server.schema.json'));
    const { out } = await runIn(repo, ['deploy', 'schema', 'server']);
    assert.equal(await readFile(schema, 'utf8'), out);

    await writeFile(schema, '{}');
    assert.equal((await make('--dir', 'servers/b')).code, 0);
    assert.equal(await schemaOf(join(repo, 'servers/b')), schema);
    assert.equal(await readFile(schema, 'utf8'), '{}', 'what is there stays');

    assert.equal((await make('--dir', '../elsewhere')).code, 0);
    const own = await schemaOf(join(cwd, 'elsewhere'));
    assert.equal(own, join(cwd, 'elsewhere/.sallyport/server.schema.json'));
    assert.equal(await readFile(own, 'utf8'), out);
  });

  it('makes a workflow that pins every action by commit, signs in without a password and signs what it built', async (t) => {
    const registries = {
      'ghcr.io/acme': 'docker/login-action',
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com/mcp': 'aws-actions/configure-aws-credentials',
      'acme.azurecr.io/mcp': 'azure/login',
      'europe-docker.pkg.dev/acme/mcp': 'google-github-actions/auth',
    };
    for (const [registry, login] of Object.entries(registries)) {
      const conventions = `patterns: { build: { registry: ${registry} } }\n`;
      const cwd = await tempFolder(t, { ...ofRepository, 'conventions.yaml': conventions });
      await runIn(cwd, ['server', 'new', 'a', '--template', 'python', '--dir', 'servers/a']);
      const files = await readFiles(cwd);
      const text = files['.github/workflows/a-mcp.yaml'] as string;
      const { on, permissions, jobs } = parse(text) as {
        on: { push: { paths: string[] }; workflow_dispatch: null };
        permissions: object;
        jobs: { image: { permissions: object; steps: { uses?: string }[] } };
      };
      assert.deepEqual(on.push.paths, ['servers/a/**', '.github/workflows/a-mcp.yaml']);
      assert.ok('workflow_dispatch' in on);
      assert.deepEqual(permissions, {});
      assert.equal((jobs.image.permissions as Record<string, string>)['id-token'], 'write');
      const uses = jobs.image.steps.flatMap((step) => step.uses ?? []);
      for (const action of uses) assert.match(action, /^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/);
      assert.ok(uses.some((action) => action.startsWith(`${login}@`)));
      assert.doesNotMatch(text, /secrets\./);
      assert.match(text, /sbom: true/);
      assert.match(text, /cosign sign --yes "\$IMAGE@\$DIGEST"/);
    }
  });

  it('signs with the key that images are checked by, where the conventions name one', async (t) => {
    const cwd = await tempFolder(t, {
      ...ofRepository,
      'conventions.yaml': 'images: { cosignKey: a.pub }\n',
    });
    await runIn(cwd, ['server', 'new', 'a', '--template', 'python']);
    const text = (await readFiles(cwd))['.github/workflows/a-mcp.yaml'] as string;
    const { jobs } = parse(text) as { jobs: { image: { steps: { env?: object; run?: string }[] } } };
    const { env, run = '' } = jobs.image.steps.at(-1) ?? {};
    assert.match((env as Record<string, string>).COSIGN_KEY ?? '', /^\$\{\{ vars\.COSIGN_KEY \}\}$/);
    assert.match(run, /^cosign sign --yes --key "\$COSIGN_KEY" "\$IMAGE@\$DIGEST"$/m);
    assert.doesNotMatch(text, /secrets\./);
  });

  it('writes nothing where something is, and says so', async (t) => {
    const cwd = await tempFolder(t, { ...ofRepository, 'a/mine.txt': 'mine' });
    for (const template of templates) {
      const { code, err } = await runIn(cwd, ['server', 'new', 'a', '--template', template]);
      assert.equal(code, 1);
      assert.match(err, /not empty/);
    }
    assert.deepEqual(await readFiles(cwd), { '.git/HEAD': '', 'a/mine.txt': 'mine' });
  });

  it('refuses a name that is no DNS label, and shows what it would write without writing', async (t) => {
    const cwd = await tempFolder(t, ofRepository);
    const refused = await runIn(cwd, ['server', 'new', 'Git_Hub']);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /must be a DNS label/);
    const shown = await runIn(cwd, ['server', 'new', 'a', '--dry-run']);
    assert.equal(shown.code, 0);
    assert.match(shown.out, /a\/src\/server\.ts/);
    assert.deepEqual(await readFiles(cwd), ofRepository);
  });
});
