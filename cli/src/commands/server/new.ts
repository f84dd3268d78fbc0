import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { CommandError } from '../../command-error.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { newServerFiles, type Template, templates } from '../../scaffold/new-server.ts';
import { fromClone, vendorSdk } from '../../scaffold/sdk-packages.ts';
import { loadProject } from '../../spec/project.ts';
import { serverName } from '../../spec/server-spec.ts';
import type { AddCommand, Outcome } from '../command.ts';

interface Options {
  readonly template: Template;
  readonly dir?: string;
  readonly owner: string;
  readonly description?: string;
  readonly dryRun?: true;
}

/** `sallyport server new <name>`: a server that runs, is tested, and can be deployed, in a folder of its own. */
export const addNew: AddCommand = (parent, act) => {
  parent
    .command('new')
    .description('make an MCP server that runs at once: source, test, image, server.yaml and CI workflow')
    .argument('<name>', 'what it is called: everything is named after it', (given) => {
      const { success, error, data } = serverName.safeParse(given);
      if (success) return data;
      throw new InvalidArgumentError(`It ${error.issues[0]?.message}.`);
    })
    .addOption(
      new Option(
        '-t, --template <kind>',
        'TypeScript on our SDK, Python on arcade-mcp-server, or a prototype in a ConfigMap',
      )
        .choices(templates)
        .default('typescript'),
    )
    .option('-d, --dir <folder>', 'where to, unless to a folder of its name')
    .option('--owner <who>', 'team or person who answers for it', 'platform')
    .option('--description <text>', 'what it is for')
    .option('--dry-run', 'show what would be written')
    .action(
      act(async ({ io, printer }, name: string, options: Options): Promise<Outcome> => {
        const project = await loadProject(io);
        refuseSuffix(name, project.conventions.suffix);
        const folder = resolve(io.cwd, options.dir ?? name);
        await mustBeEmpty(folder);
        const description = options.description ?? `The MCP server ${name}`;
        const server = { name, template: options.template, folder, owner: options.owner, description };
        const files = newServerFiles(server, project);
        const vendored = options.template === 'typescript' && fromClone && options.dryRun !== true;
        const changes = [...files].map(([path, after]) => ({ path, before: null, after }));
        const write = () =>
          writeChanges(changes, { io, printer, dryRun: options.dryRun === true, namesOnly: true });
        await (vendored ? vendorSdk(folder, write) : write());
        const at = relative(io.cwd, folder) || '.';
        for (const line of nextSteps(options.template, at)) printer.line(line);
        printer.value({ folder, files: [...files.keys()] });
        return 'ok';
      }),
    );
};

function refuseSuffix(name: string, suffix: string): void {
  if (!name.endsWith(suffix)) return;
  const without = name.slice(0, -suffix.length);
  throw new CommandError(
    'scaffold.suffix',
    `${suffix} is added to the name by itself: ${without} becomes ${name}`,
    [`sallyport server new ${without}`],
  );
}

async function mustBeEmpty(folder: string): Promise<void> {
  if (!existsSync(folder) || (await readdir(folder)).length === 0) return;
  throw new CommandError('scaffold.exists', `${folder} is there already, and not empty`, [
    'nothing was written; --dir names another folder',
  ]);
}

function nextSteps(template: Template, folder: string): readonly string[] {
  const run = {
    typescript: ['npm install', 'npm run dev'],
    python: [
      'python3 -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt',
      'python server.py',
    ],
    configmap: ['python3 server.py'],
  }[template];
  return ['', 'Next:', `  cd ${folder}`, ...run.map((line) => `  ${line}`)];
}
