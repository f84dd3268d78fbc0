import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../../command-error.ts';
import type { Io } from '../../output/io.ts';
import { type Declaration, declarationOf } from '../../remote/declaration.ts';
import type { RemoteOptions } from '../../remote/remote.ts';
import { namedServers } from '../../spec/find.ts';
import { loadProject, loadServer, type Project } from '../../spec/load.ts';

export interface RegisterOptions extends RemoteOptions {
  readonly url?: string;
  readonly id?: string;
  readonly type?: 'mcp' | 'http';
  readonly gateway?: readonly string[];
  readonly secretEnv?: string;
  readonly wait: number;
  readonly conventions?: string;
  readonly mcpJson: boolean;
  readonly remove?: boolean;
  readonly yes?: boolean;
}

/** What is to be registered, and where it is told of. */
export interface Wanted {
  readonly declaration: Declaration;
  readonly project: Project;
  /** Under which `.mcp.json` lists it. */
  readonly name: string;
  readonly gateways: readonly string[];
}

/** As server.yaml and the conventions have it, and the options, which go before. */
export async function wantedOf(io: Io, given: string | undefined, options: RegisterOptions): Promise<Wanted> {
  const { url, id, type, gateway = [], secretEnv, conventions } = options;
  const project = await loadProject(io, conventions === undefined ? {} : { conventions });
  const secret =
    secretEnv === undefined ? {} : { secret: { name: secretEnv, value: heldBy(io.env, secretEnv) } };
  const path = join(io.cwd, 'server.yaml');
  if (given === undefined && !existsSync(path)) {
    if (id === undefined || (url === undefined && options.remove !== true)) {
      throw new CommandError('register.nothing', `there is no ${path}`, ['Name one, or say --id and --url.']);
    }
    const declaration = { id, type: type ?? 'mcp', uri: url ?? '', ...secret };
    return { declaration, project, name: id, gateways: gateway };
  }
  const [server] = given === undefined ? [] : await namedServers(io, project, [given]);
  const { spec } = server ?? (await loadServer(project, path));
  const declaration = declarationOf(spec, project.conventions, type);
  return {
    declaration: {
      ...declaration,
      ...(id === undefined ? {} : { id }),
      ...(url === undefined ? {} : { uri: url }),
      ...secret,
    },
    project,
    name: spec.name,
    gateways: [...new Set([...(spec.register?.gateways ?? []), ...gateway])],
  };
}

function heldBy(env: Io['env'], variable: string): string {
  const value = env[variable];
  if (value !== undefined && value !== '') return value;
  throw new CommandError('register.secret_missing', `the variable ${variable} is not set`);
}
