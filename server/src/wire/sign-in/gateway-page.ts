import type { Catalog } from '#catalog';
import type { HttpRequest, HttpResponse } from '../http/message.ts';
import { connectPage, noGatewayPage } from '../pages/connect-page.ts';
import { sendPage } from '../pages/page.ts';

/** What a browser sees of a gateway. */
export type GatewayPage = (request: HttpRequest, response: HttpResponse, slug: string) => Promise<void>;

/** Whether a person opened a gateway's address in a browser: no MCP client asks for HTML, and none without saying more. */
export function asksForPage({ method, headers }: HttpRequest): boolean {
  if (method !== 'GET' || headers.accept === undefined) return false;
  const isClient =
    headers.authorization !== undefined ||
    headers['mcp-session-id'] !== undefined ||
    headers['mcp-protocol-version'] !== undefined;
  const accepts = headers.accept.toLowerCase();
  return !isClient && accepts.includes('text/html') && !accepts.includes('text/event-stream');
}

export function createGatewayPage(deps: {
  readonly catalog: Pick<Catalog, 'view'>;
  readonly issuer: () => string;
}): GatewayPage {
  return async function show(_request, response, slug) {
    const gateway = deps.catalog.view(slug)?.gateway;
    response.setHeader('vary', 'Accept');
    if (gateway?.status !== 'active') return await sendPage(response, 404, noGatewayPage());
    const types = gateway.authTypes;
    const page = connectPage({
      slug: gateway.slug,
      url: `${deps.issuer()}/mcp/${gateway.slug}`,
      signsIn: types.includes('arcade') || types.includes('user_source'),
      takesKeys: types.includes('arcade_header'),
    });
    await sendPage(response, 200, page);
  };
}
