import { z } from 'zod';
import { printable } from './glob.ts';

/** Requests and answers of `/v1/orgs`: organizations and their projects. */

/** A new project, or another name for a project or an organization. */
export const nameRequest = z.strictObject({ name: printable.max(256) });

/** `POST /v1/orgs`. The answer holds a link by which its owner comes in. */
export const createOrganizationRequest = z.strictObject({
  name: printable.max(256),
  owner_email: z.email().max(320),
});
export type CreateOrganizationRequest = z.infer<typeof createOrganizationRequest>;

export interface OrganizationResponse {
  id: string;
  name: string;
  created_at: string;
}

export interface CreateOrganizationResponse extends OrganizationResponse {
  project: ProjectResponse;
  /** Opens once, for the owner. */
  owner_url: string;
}

export interface ProjectResponse {
  id: string;
  organization_id: string;
  name: string;
  created_at: string;
}
