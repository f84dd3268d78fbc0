import type { Gateway } from '../../remote/answers.ts';
import type { Api } from '../../remote/api.ts';
import { findGateway } from '../../remote/find-gateway.ts';
import { changeTools } from '../../remote/register.ts';
import type { Context } from '../command.ts';

/** Shows these tools at each of the gateways. */
export async function toGateways(
  { printer }: Context,
  api: Api,
  slugs: readonly string[],
  globs: readonly string[],
): Promise<Gateway[]> {
  const gateways: Gateway[] = [];
  for (const slug of slugs) {
    const found = await findGateway(api, slug);
    gateways.push(found);
    const { allowed_tools } = found.tool_filter;
    const missing = globs.filter((glob) => !(allowed_tools ?? globs).includes(glob));
    if (missing.length > 0 && found.binding.type === 'static') {
      printer.line(
        `The gateway ${slug} is declared in the config file: add ${missing.join(', ')} to its allowed_tools.`,
      );
      continue;
    }
    const after = await changeTools(api, found, globs, true);
    printer.line(
      after === null
        ? `The gateway ${slug} shows its tools already: ${found.url}`
        : `The gateway ${slug} shows its tools: ${found.url}`,
    );
  }
  return gateways;
}
