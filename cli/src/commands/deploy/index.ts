import type { Command } from 'commander';
import type { Act } from '../command.ts';
import { addApply } from './apply.ts';
import { addDiff } from './diff.ts';
import { addExport } from './export.ts';
import { addGenerate } from './generate.ts';
import { addImport } from './import.ts';
import { addLint } from './lint.ts';
import { addMigrate } from './migrate.ts';
import { addPorts } from './ports.ts';
import { addSchema } from './schema.ts';
import { addSeal } from './seal.ts';
import { addVerify } from './verify.ts';

/** `sallyport deploy …`: manifests of MCP servers, in git and in the cluster. */
export function addDeploy(program: Command, act: Act): void {
  const deploy = program
    .command('deploy')
    .description('Kubernetes manifests of MCP servers, by the convention');
  addApply(deploy, act);
  addDiff(deploy, act);
  addExport(deploy, act);
  addGenerate(deploy, act);
  addImport(deploy, act);
  addLint(deploy, act);
  addMigrate(deploy, act);
  addPorts(deploy, act);
  addSchema(deploy, act);
  addSeal(deploy, act);
  addVerify(deploy, act);
}
