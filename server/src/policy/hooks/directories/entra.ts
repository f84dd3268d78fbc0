import type { EntraConfig } from '@sallyport/contracts';
import { isMembers, ok, type Result } from '#foundation';
import { createTokenFetch } from './client-credentials.ts';
import {
  type Directory,
  type DirectoryDeps,
  listIn,
  type PageOfGroups,
  texts,
  walkPages,
} from './directory.ts';

/** Groups of Microsoft Entra, over Graph. */
export function entraDirectory(config: EntraConfig, deps: DirectoryDeps): Directory {
  const login = (config.login_url ?? 'https://login.microsoftonline.com').replace(/\/+$/, '');
  const graph = (config.base_url ?? 'https://graph.microsoft.com').replace(/\/+$/, '');
  const ask = createTokenFetch(deps, {
    tokenUrl: `${login}/${config.tenant_id}/oauth2/v2.0/token`,
    clientId: config.client_id,
    clientSecret: config.client_secret,
    scope: `${graph}/.default`,
  });

  async function read(url: string): Promise<Result<PageOfGroups, string>> {
    const answer = await ask({ method: 'GET', url });
    if (!answer.ok) return answer;
    const value = isMembers(answer.value.value) ? answer.value.value : {};
    const next = value['@odata.nextLink'];
    return ok({
      groups: listIn(value.value).flatMap(({ id, displayName }) => texts(id, displayName)),
      next: typeof next === 'string' ? next : null,
    });
  }

  return {
    groupsOf: (upn) =>
      walkPages(
        deps,
        `${graph}/v1.0/users/${encodeURIComponent(upn)}/memberOf?$select=id,displayName&$top=999`,
        read,
      ),
  };
}
