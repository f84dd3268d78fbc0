import type { OktaConfig } from '@sallyport/contracts';
import { err, isMembers, ok, type Result } from '#foundation';
import {
  type Directory,
  type DirectoryDeps,
  fetchJson,
  listIn,
  type PageOfGroups,
  texts,
  walkPages,
} from './directory.ts';

/** Groups of an Okta organisation, by its API token. */
export function oktaDirectory({ org_url, api_token }: OktaConfig, deps: DirectoryDeps): Directory {
  const base = org_url.replace(/\/+$/, '');
  const headers = `authorization: SSWS ${api_token}\r\naccept: application/json\r\n`;

  async function read(url: string): Promise<Result<PageOfGroups, string>> {
    const answer = await fetchJson(deps, { method: 'GET', url, headers });
    if (!answer.ok) return answer;
    const { status, value, link } = answer.value;
    if (status === 401) return err('the directory refuses the API token');
    const groups = listIn(value).flatMap(({ id, profile }) =>
      texts(id, isMembers(profile) ? profile.name : null),
    );
    return ok({ groups, next: nextOf(link) });
  }

  return {
    async groupsOf(login) {
      // For Okta `me` is whom the token belongs to.
      if (login.toLowerCase() === 'me') return ok([]);
      return walkPages(deps, `${base}/api/v1/users/${encodeURIComponent(login)}/groups?limit=200`, read);
    },
  };
}

function nextOf(link: string | undefined): string | null {
  return /<([^<>]+)>\s*;[^,<]*\brel="?next"?/i.exec(link ?? '')?.[1] ?? null;
}
