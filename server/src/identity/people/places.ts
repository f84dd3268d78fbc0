import { type Refusal, refusal } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Changes, Db, Row } from '#storage';
import type { Organization, Project } from './contract.ts';

interface PlaceRow extends Row {
  id: string;
  name: string;
  created_at: string;
}
interface ProjectRow extends PlaceRow {
  organization_id: string;
}

/** Organisations and their projects, in memory. */
export async function createPlaces({ db, changes, clock }: { db: Db; changes: Changes; clock: Clock }) {
  let organizations = new Map<string, Organization>();
  let projects = new Map<string, Project>();
  let last: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const rows = await db.query<PlaceRow>('select * from organizations order by created_at, id');
    const projectRows = await db.query<ProjectRow>('select * from projects order by created_at, id');
    organizations = new Map(rows.map((row) => [row.id, organizationFrom(row)]));
    projects = new Map(projectRows.map((row) => [row.id, projectFrom(row)]));
  }

  function reload(): Promise<void> {
    last = last.catch(() => undefined).then(look);
    return last;
  }

  async function write(id: string, sql: string, params: readonly unknown[]): Promise<boolean> {
    const written = await db.tx(async (queries) => {
      const rows = await queries.query(sql, params);
      await changes.tell(queries, 'projects', id);
      return rows.length > 0;
    });
    await reload();
    return written;
  }

  changes.on('projects', reload);
  await reload();

  return {
    organizations: (): readonly Organization[] => [...organizations.values()],
    organization: (id: string): Organization | null => organizations.get(id) ?? null,
    projects: (organizationId: string): readonly Project[] =>
      [...projects.values()].filter((project) => project.organizationId === organizationId),
    project: (id: string): Project | null => projects.get(id) ?? null,

    async createOrganization(name: string): Promise<Organization> {
      const id = newId('org', clock.now());
      const sql = 'insert into organizations (id, name, created_at) values ($1, $2, $3) returning id';
      await write(id, sql, [id, name, clock.iso()]);
      return organizations.get(id) as Organization;
    },

    async createProject(organizationId: string, name: string): Promise<Project> {
      const id = newId('prj', clock.now());
      const sql =
        'insert into projects (id, organization_id, name, created_at) values ($1, $2, $3, $4) returning id';
      await write(id, sql, [id, organizationId, name, clock.iso()]);
      return projects.get(id) as Project;
    },

    async renameOrganization(id: string, name: string): Promise<Result<Organization, Refusal>> {
      const sql = 'update organizations set name = $2 where id = $1 returning id';
      if (!(await write(id, sql, [id, name]))) {
        return err(refusal('resource.unknown', `there is no organization ${id}`, { field: 'org' }));
      }
      return ok(organizations.get(id) as Organization);
    },

    async renameProject(id: string, name: string): Promise<Result<Project, Refusal>> {
      const sql = 'update projects set name = $2 where id = $1 returning id';
      if (!(await write(id, sql, [id, name]))) {
        return err(refusal('resource.unknown', `there is no project ${id}`, { field: 'project' }));
      }
      return ok(projects.get(id) as Project);
    },
  };
}

function organizationFrom({ id, name, created_at }: PlaceRow): Organization {
  return { id, name, createdAt: created_at };
}

function projectFrom({ id, organization_id, name, created_at }: ProjectRow): Project {
  return { id, organizationId: organization_id, name, createdAt: created_at };
}
