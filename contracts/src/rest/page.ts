import { z } from 'zod';

/** Paging and errors, the same on every route. */

/** A larger `limit` is read as this one. */
export const maxPageLimit = 1000;

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).default(25),
  offset: z.coerce.number().int().min(0).default(0),
});

export interface Page<Item> {
  items: Item[];
  limit: number;
  offset: number;
  /** How many items this page holds. */
  page_count: number;
  /** How many there are on all pages together. */
  total_count: number;
}

/** Body of every answer that is not a success. `name` is an error code. */
export const errorResponse = z.object({
  name: z.string(),
  message: z.string(),
  /** The field at fault, as a path. */
  field: z.string().optional(),
  issues: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  request_id: z.string().optional(),
  /** What a program can act upon, beside the words: the approval that a call waits for. */
  details: z.record(z.string(), z.unknown()).optional(),
  /** Where the user has to authorize something first: the page to open, and what to follow at `/v1/auth/status`. */
  authorization_url: z.string().optional(),
  authorization_id: z.string().optional(),
});
export type ErrorResponse = z.infer<typeof errorResponse>;
