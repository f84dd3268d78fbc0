import { join, relative, resolve } from 'node:path';
import { Option } from 'commander';
import { CommandError } from '../../command-error.ts';
import { readText } from '../../files/read-text.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { madeFrom } from '../../manifests/made-file.ts';
import { type SealScope, sealingKey } from '../../secrets/seal.ts';
import { sealInto } from '../../secrets/sealed-text.ts';
import { readSecretValues } from '../../secrets/secret-values.ts';
import { sealTarget } from '../../secrets/target.ts';
import { loadProject, shownPath } from '../../spec/load.ts';
import type { AddCommand, Context, Outcome } from '../command.ts';

interface Options {
  readonly fromEnvFile?: readonly string[];
  readonly fromStdin?: readonly string[];
  readonly certificate?: string;
  readonly secret?: string;
  readonly scope?: SealScope;
  readonly dryRun?: true;
  readonly conventions?: string;
}

const all = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `sallyport deploy seal`: secrets that can lie in git. */
export const addSeal: AddCommand = (parent, act) => {
  parent
    .command('seal')
    .argument('<name>', 'of the server')
    .description("seal values of a server's Secret, so that only the cluster can open them")
    .option('--from-env-file <file>', 'NAME=value lines; names of variables or keys of the Secret', all)
    .option(
      '--from-stdin <key>',
      'the value of this key is read from stdin, less a line break at its end',
      all,
    )
    .option('--certificate <pem>', "file with the controller's certificate; the conventions' unless given")
    .option('--secret <name>', "name of the Secret; the server's own unless given")
    .addOption(
      new Option('--scope <scope>', "what it is bound to; the conventions' unless given").choices([
        'strict',
        'namespace-wide',
        'cluster-wide',
      ]),
    )
    .option('--dry-run', 'show what would change, and write nothing')
    .option('--conventions <file>', 'conventions.yaml, found upwards from here unless given')
    .action(act(seal));
};

async function seal({ io, printer }: Context, name: string, options: Options): Promise<Outcome> {
  const project = await loadProject(io, options);
  const { sealed } = project.conventions.secrets;
  const { path, target, keyOfVariable, current, head } = await sealTarget(project, name, options);
  const given =
    options.certificate ??
    (sealed.certificate === undefined ? undefined : join(project.root, sealed.certificate));
  if (given === undefined) {
    throw new CommandError('seal.no-certificate', 'No certificate is known.', [
      'Fetch it with kubeseal --fetch-cert, then say --certificate, or secrets.sealed.certificate in conventions.yaml.',
    ]);
  }
  const pemPath = resolve(io.cwd, given);
  const pem = await readText(pemPath);
  const shownPem = relative(io.cwd, pemPath);
  if (pem === null) throw new CommandError('seal.no-certificate', `There is no ${shownPem}.`);
  const key = sealingKey(pem, shownPem, io.now());
  const envFiles = (options.fromEnvFile ?? []).map((file) => resolve(io.cwd, file));
  const values = await readSecretValues(io, { envFiles, stdinKeys: options.fromStdin ?? [] }, keyOfVariable);
  const shown = shownPath(project, path);
  const after = sealInto(shown, current ?? head, target, key, values);
  await writeChanges([{ path, before: current, after }], { io, printer, dryRun: options.dryRun === true });
  const keys = [...values.keys()];
  printer.line(`${keys.join(', ')} of the Secret ${target.name} sealed ${target.scope} in ${shown}`);
  // Generation has its own place for an object that is new.
  const isNew = current !== null && madeFrom(current) !== null && !current.includes('kind: SealedSecret');
  if (isNew && options.dryRun !== true) printer.line(`Next: sallyport deploy generate ${name}`);
  printer.value({ secret: target.name, namespace: target.namespace, scope: target.scope, keys, file: shown });
  return 'ok';
}
