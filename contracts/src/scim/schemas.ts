import { complex, items, related, type ScimSchema, text, values } from './attribute.ts';

export const scimUrns = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterpriseUser: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  serviceProviderConfig: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  listResponse: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  searchRequest: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest',
  patchOp: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
} as const;

/** What every resource has; no schema of its own lists it (RFC 7643 §3.1). */
export const commonAttributes = [
  text('id', 'Ours', { caseExact: true, mutability: 'readOnly', returned: 'always', uniqueness: 'server' }),
  text('externalId', "The directory's own id", { caseExact: true }),
  complex(
    'meta',
    'What is known of the resource itself',
    [
      text('resourceType', 'User or Group', { caseExact: true }),
      text('created', 'When it was made', { type: 'dateTime' }),
      text('lastModified', 'When it was last changed', { type: 'dateTime' }),
      text('location', 'Where it is', { caseExact: true }),
      text('version', 'Another one after every change', { caseExact: true }),
    ],
    { mutability: 'readOnly' },
  ),
] as const;

export const userSchema: ScimSchema = {
  id: scimUrns.user,
  name: 'User',
  description: 'A person of the organization',
  attributes: [
    text('userName', 'The name by which the directory knows the person', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', 'The parts of the name', [
      text('formatted', 'All of it'),
      text('familyName', 'The family name'),
      text('givenName', 'The given name'),
      text('middleName', 'The middle name'),
      text('honorificPrefix', 'What stands before it'),
      text('honorificSuffix', 'What stands behind it'),
    ]),
    text('displayName', 'The name that is shown'),
    text('nickName', 'What friends say'),
    text('profileUrl', 'A page about the person', { type: 'reference', referenceTypes: ['external'] }),
    text('title', 'The position'),
    text('userType', 'Employee, contractor'),
    text('preferredLanguage', 'The language to speak'),
    text('locale', 'How numbers and dates are written'),
    text('timezone', 'The time zone'),
    text('active', 'Whether the person may come in', { type: 'boolean' }),
    text('password', 'Taken and thrown away: people sign in at the company', {
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
    }),
    values('emails', 'Addresses; a sign-in finds the person by the primary one'),
    values('phoneNumbers', 'Telephone numbers'),
    values('ims', 'Addresses for messages'),
    values('photos', 'Pictures', { type: 'reference', referenceTypes: ['external'] }),
    items('addresses', 'Postal addresses', [
      text('formatted', 'All of it'),
      text('streetAddress', 'Street and number'),
      text('locality', 'The town'),
      text('region', 'The state or region'),
      text('postalCode', 'The postal code'),
      text('country', 'The country'),
    ]),
    related('groups', 'Group', 'readOnly'),
    values('entitlements', 'What the person is entitled to'),
    values('roles', "The person's roles in the company"),
    values('x509Certificates', 'Certificates', { type: 'binary', caseExact: true }),
  ],
};

export const enterpriseUserSchema: ScimSchema = {
  id: scimUrns.enterpriseUser,
  name: 'EnterpriseUser',
  description: 'A person as somebody who works in a company',
  attributes: [
    text('employeeNumber', 'The number in the company'),
    text('costCenter', 'The cost center'),
    text('organization', 'The organization'),
    text('division', 'The division'),
    text('department', 'The department'),
    complex('manager', "The person's manager", [
      text('value', 'The id of the manager', { caseExact: true }),
      text('$ref', 'Where the manager is', { type: 'reference', caseExact: true, referenceTypes: ['User'] }),
      text('displayName', 'The name of the manager'),
    ]),
  ],
};

export const groupSchema: ScimSchema = {
  id: scimUrns.group,
  name: 'Group',
  description: 'A group of people; grants name it by its displayName',
  attributes: [
    text('displayName', 'The name, by which grants go', { required: true, uniqueness: 'server' }),
    related('members', 'User', 'readWrite', [text('type', 'User', { mutability: 'immutable' })]),
  ],
};
