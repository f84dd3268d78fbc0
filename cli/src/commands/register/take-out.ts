import { join } from 'node:path';
import { editMcpJson } from '../../clients/mcp-json.ts';
import { readText } from '../../files/read-text.ts';
import { writeChanges } from '../../files/write-changes.ts';
import { confirm } from '../../output/ask.ts';
import { findGateway } from '../../remote/find-gateway.ts';
import { changeTools, remove, toolGlobs, workerOf } from '../../remote/register.ts';
import { openRemote } from '../../remote/remote.ts';
import type { Context, Outcome } from '../command.ts';
import type { RegisterOptions, Wanted } from './wanted.ts';

/** `sallyport register --remove`: the source, its tools at the gateways that are named, and its entry in `.mcp.json`. */
export async function takeOut(context: Context, wanted: Wanted, options: RegisterOptions): Promise<Outcome> {
  const { io, printer } = context;
  const { declaration, project, name, gateways } = wanted;
  const { id } = declaration;
  const { api } = await openRemote(io, options);
  const found = await workerOf(api, id);
  if (found === null) printer.line(`${id} is not registered.`);
  else {
    await confirm(io, `Remove ${id} with its ${found.status.tool_count} tools?`, options.yes === true);
    const globs = await toolGlobs(api, id);
    for (const slug of gateways) {
      const gateway = await findGateway(api, slug);
      const after = gateway.binding.type === 'static' ? null : await changeTools(api, gateway, globs, false);
      if (after !== null) printer.line(`The gateway ${slug} no longer shows its tools.`);
    }
    await remove(api, id);
    printer.line(`${id} is removed.`);
  }
  if (options.mcpJson) {
    const path = join(project.root, project.conventions.mcpJson);
    const change = editMcpJson(path, await readText(path), [{ remove: name }]);
    await writeChanges([change], { io, printer, dryRun: false });
  }
  printer.value({ id, removed: found !== null });
  return 'ok';
}
