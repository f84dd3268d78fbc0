import { z } from 'zod';

/** `PATCH /scim/v2/…` (RFC 7644 §3.5.2). Directories write the operations in any case, and leave out what is empty in several ways. */
export const scimPatchRequest = z.object({
  Operations: z
    .array(
      z.object({
        op: z
          .string()
          .toLowerCase()
          .pipe(z.enum(['add', 'remove', 'replace'])),
        path: z.string().max(10_000).nullish(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(5_000),
});
export type ScimPatchRequest = z.infer<typeof scimPatchRequest>;
export type ScimOperation = ScimPatchRequest['Operations'][number];

const names = z.union([z.string(), z.array(z.string()).transform((list) => list.join(','))]);

/** `GET /scim/v2/Users?…`, and `POST /scim/v2/Users/.search` (RFC 7644 §3.4.2, §3.4.3). */
export const scimSearchRequest = z.object({
  filter: z.string().max(10_000).optional(),
  sortBy: z.string().max(1_000).optional(),
  sortOrder: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['ascending', 'descending']))
    .optional(),
  startIndex: z.coerce.number().int().optional(),
  count: z.coerce.number().int().optional(),
  attributes: names.optional(),
  excludedAttributes: names.optional(),
});
export type ScimSearchRequest = z.infer<typeof scimSearchRequest>;

/** What says that a request was refused (RFC 7644 §3.12). */
export interface ScimErrorResponse {
  schemas: string[];
  status: string;
  scimType?: ScimType;
  detail: string;
}

export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue';

export interface ScimListResponse {
  schemas: string[];
  totalResults: number;
  startIndex: number;
  itemsPerPage: number;
  Resources: unknown[];
}
