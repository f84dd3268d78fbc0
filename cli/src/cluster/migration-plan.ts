import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { readYamlFile } from '../files/yaml-file.ts';
import { printYaml } from '../manifests/print.ts';

/** What is done one after the other, each only once the one before it is. */
export const migrationSteps = [
  { step: 'spec', what: 'a server.yaml says what the server is to be there' },
  { step: 'secrets', what: 'its secrets are made for the new cluster; none is copied' },
  { step: 'apply', what: 'it is applied to the new cluster' },
  { step: 'verify', what: 'it lists the same tools there' },
  { step: 'switch', what: 'clients and the gateway go to the new address' },
  { step: 'quiet', what: 'nobody calls the old one any more' },
  { step: 'remove', what: 'the old one is removed' },
] as const;
export type MigrationStep = (typeof migrationSteps)[number]['step'];

const object = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  /** Null: it is removed in the end. */
  stays: z.string().nullable(),
});
export type PlannedObject = z.infer<typeof object>;

const plan = z.object({
  server: z.string(),
  from: z.object({ cluster: z.string(), uid: z.string(), namespace: z.string(), deployment: z.string() }),
  to: z.string(),
  /** What the old one listed; null where it did not answer. */
  tools: z.array(z.object({ name: z.string(), schema: z.string() })).nullable(),
  /** Of the old cluster. */
  objects: z.array(object),
  /** When each step was done. */
  done: z.partialRecord(z.enum(migrationSteps.map(({ step }) => step)), z.iso.datetime()),
});
/** How far the move of a server is, as a file in git says. */
export type MigrationPlan = z.infer<typeof plan>;

const head = (name: string): string =>
  `# Made by sallyport deploy migrate ${name} cluster, which goes on with --continue.\n# What is done is not done again; exported.yaml beside it is what the old cluster had.\n`;

export const planPath = (folder: string): string => join(folder, 'migration.yaml');
export const exportPath = (folder: string): string => join(folder, 'exported.yaml');

/** The plan of this server; one of another, or that is none, is refused. */
export async function readPlan(folder: string, server: string): Promise<MigrationPlan | null> {
  const path = planPath(folder);
  const text = await readText(path);
  if (text === null) return null;
  const read = plan.safeParse(readYamlFile(path, text).documents[0]?.object);
  if (read.success && read.data.server === server) return read.data;
  if (read.success) {
    throw new CommandError(
      'migrate.plan-invalid',
      `${path} is the plan of ${read.data.server}, not of ${server}`,
    );
  }
  const [issue] = read.error.issues;
  throw new CommandError(
    'migrate.plan-invalid',
    `${path} is not a plan of a migration: ${issue?.path.join('.')} ${issue?.message}`,
    [
      'Take it back from git, or remove it to start anew: nothing is removed from a cluster by starting anew.',
    ],
  );
}

export async function planChange(folder: string, value: MigrationPlan): Promise<FileChange> {
  const path = planPath(folder);
  return { path, before: await readText(path), after: `${head(value.server)}${printYaml(value)}` };
}

export const nextStep = ({ done }: MigrationPlan): MigrationStep | null =>
  migrationSteps.find(({ step }) => done[step] === undefined)?.step ?? null;
