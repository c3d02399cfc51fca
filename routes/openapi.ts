// The API's own description, OpenAPI 3.1, made of the schemas and constants that requests are
// judged by.
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from './json-body.ts';
import { ACCOUNTS_PATHS } from './openapi-accounts.ts';
import { ACTIVITY_PATHS } from './openapi-activity.ts';
import { AUTH_PATHS } from './openapi-auth.ts';
import { keepUsed } from './openapi-components.ts';
import { CONNECTORS_PATHS } from './openapi-connectors.ts';
import { createProblemResponses, HEADERS } from './openapi-answers.ts';
import { MONGODB_PATHS } from './openapi-mongodb.ts';
import { OPERATIONS_PATHS } from './openapi-operations.ts';
import { PARAMETERS, refParameters } from './openapi-parameters.ts';
import { POSTGRES_PATHS } from './openapi-postgres.ts';
import { createQueryPaths } from './openapi-query.ts';
import type { ServedBackends } from './openapi-query.ts';
import { createSchemas } from './openapi-schemas.ts';
import { createSecuritySchemes, withSecurity } from './openapi-security.ts';
import type { DraftPaths, OpenApiDocument } from './openapi-types.ts';
import { operationsOf } from './openapi-walk.ts';

export interface DescribedApi extends ServedBackends {
  readonly version: string;
  /** Whether connectors run in this process. */
  readonly hasConnectors?: boolean;
  /** Whether there are accounts. */
  readonly hasAccounts?: boolean;
  /** Whether activity is kept. */
  readonly hasActivity?: boolean;
}

const MEBIBYTE = 1024 * 1024;

const DESCRIPTION = [
  'PostgreSQL and MongoDB over HTTP, under the limits, policy, metrics and audit of the wire.',
  `Bodies are JSON in UTF-8, at most ${BODY_BYTES_MAX / MEBIBYTE} MiB and ${BODY_DEPTH_MAX} ` +
    'levels deep. Numbers keep all their digits. A query parameter that is not known is refused.',
  'What is wrong is told by a problem document, RFC 9457, on every path and with every status.',
  'Where GET is answered HEAD is too. OPTIONS lists the methods of a path in `Allow`; every ' +
    'other method is answered with 405.',
].join('\n\n');

const TAGS = [
  { name: 'Query', description: 'Statements in the language of the database' },
  { name: 'PostgreSQL', description: 'Rows of tables and views' },
  { name: 'MongoDB', description: 'Documents of collections' },
  {
    name: 'Logging in',
    description: 'Sessions of browsers, and what an account may do for itself',
  },
  { name: 'Accounts', description: 'Who may come in, for administrators' },
  { name: 'Activity', description: 'Who has done what, and the log' },
  { name: 'Connectors', description: 'Sinks and sources of Apache Iggy' },
  { name: 'Operations', description: 'Probes and metrics' },
  { name: 'Description', description: 'What you are reading' },
] as const;

/** Describes what is served: what is not there, a database or connectors, is not in it. */
export function createOpenApiDocument({
  version,
  hasConnectors = false,
  hasAccounts = false,
  hasActivity = false,
  ...backends
}: DescribedApi): OpenApiDocument {
  const drafts = withCommonParameters({
    ...createQueryPaths(backends),
    ...(backends.hasPostgres ? POSTGRES_PATHS : {}),
    ...(backends.hasMongodb ? MONGODB_PATHS : {}),
    ...(hasAccounts ? { ...AUTH_PATHS, ...ACCOUNTS_PATHS } : {}),
    ...(hasActivity ? ACTIVITY_PATHS : {}),
    ...(hasConnectors ? CONNECTORS_PATHS : {}),
    ...OPERATIONS_PATHS,
  });
  const paths = withSecurity(drafts, hasAccounts);
  const used = new Set(operationsOf(paths).flatMap(({ operation }) => operation.tags));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Gatepost',
      version,
      summary: 'The REST API of Gatepost',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this description was read' }],
    tags: TAGS.filter(({ name }) => used.has(name)),
    paths,
    components: keepUsed(paths, {
      schemas: createSchemas(),
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: createProblemResponses(),
      securitySchemes: createSecuritySchemes(hasAccounts),
    }),
  };
}

function withCommonParameters(paths: DraftPaths): DraftPaths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, { parameters = [], ...operations }]) => [
      path,
      { parameters: [...parameters, ...refParameters('RequestId')], ...operations },
    ]),
  );
}
