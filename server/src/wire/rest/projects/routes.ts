import { nameRequest, type ProjectResponse, pageQuery } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import type { Project } from '#identity';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';

const all = '/orgs/{org}/projects';

export function projectRoutes({ identity: { people } }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'projects.list',
      summary: 'The projects of the organization; the oldest first',
      method: 'GET',
      path: all,
      ofOrganization: true,
      needs: 'own',
      query: pageQuery,
      success: 200,
      run: ({ organizationId, query }) =>
        ok({ status: 200, body: pageOf(people.projects(organizationId), query, projectResponse) }),
    }),
    route({
      operation: 'projects.create',
      summary: 'Make a project',
      method: 'POST',
      path: all,
      ofOrganization: true,
      needs: 'own',
      mutates: true,
      body: nameRequest,
      success: 201,
      async run({ organizationId, body: { name } }) {
        const after = projectResponse(await people.createProject(organizationId, name));
        return ok({ status: 201, body: after, changed: { before: null, after } });
      },
    }),
    route({
      operation: 'projects.update',
      summary: 'Give a project another name',
      method: 'PATCH',
      path: `${all}/{project}`,
      ofOrganization: true,
      needs: 'own',
      mutates: true,
      body: nameRequest,
      success: 200,
      async run({ organizationId, params: { project: id = '' }, body: { name } }) {
        const project = people.project(id);
        if (project?.organizationId !== organizationId) {
          return err(refusal('resource.unknown', `there is no project ${id}`, { field: 'project' }));
        }
        const renamed = await people.renameProject(id, name);
        if (!renamed.ok) return renamed;
        const after = projectResponse(renamed.value);
        return ok({ status: 200, body: after, changed: { before: projectResponse(project), after } });
      },
    }),
  ];
}

export function projectResponse({ id, organizationId, name, createdAt }: Project): ProjectResponse {
  return { id, organization_id: organizationId, name, created_at: createdAt };
}
