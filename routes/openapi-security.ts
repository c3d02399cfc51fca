// Who may use operations, as the API's description has it: from the table of scopes.
import { scopeOfOperation } from './route-scopes.ts';
import type { RouteScope } from './route-scopes.ts';
import type {
  Components,
  DraftPathItem,
  DraftPaths,
  Method,
  PathItem,
  Paths,
  SecurityRequirement,
} from './openapi-types.ts';
import { METHODS } from './openapi-types.ts';

const BEARER = 'bearer';
const COOKIE = 'cookie';

const OF_TOKENS_ONLY =
  'A token that `gatepost token NAME` has made and the setting `API_TOKENS` accepts. Its ' +
  'scope is `read`, `write` or `admin`, each of which includes those before it. Where no ' +
  'token is configured none is needed, and only the machine itself is answered.';

const OF_ACCOUNTS =
  'A token of an account, which `POST /auth/tokens` or `gatepost account token NAME` has made, ' +
  'or one that `gatepost token NAME` has made and the setting `API_TOKENS` accepts. Its scope is ' +
  '`read`, `write` or `admin`, each of which includes those before it. Where there is neither a ' +
  'token nor an account none is needed, and only the machine itself is answered.';

/** The ways in; only where there are accounts somebody can log in. */
export function createSecuritySchemes(hasAccounts: boolean): Components['securitySchemes'] {
  return {
    [BEARER]: {
      type: 'http',
      scheme: 'bearer',
      description: hasAccounts ? OF_ACCOUNTS : OF_TOKENS_ONLY,
    },
    ...(hasAccounts
      ? {
          [COOKIE]: {
            type: 'apiKey',
            in: 'cookie',
            name: 'gatepost.sid',
            description:
              'The session that `POST /auth/login` begins, for browsers; `__Host-gatepost.sid` ' +
              'over TLS. A write by cookie comes from a page of the same origin, with JSON.',
          } as const,
        }
      : {}),
  };
}

/** The paths with what each operation of them asks for. */
export function withSecurity(paths: DraftPaths, hasAccounts: boolean): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, secureItem(path, item, hasAccounts)]),
  );
}

function secureItem(path: string, item: DraftPathItem, hasAccounts: boolean): PathItem {
  const secured: { [Each in Method]?: NonNullable<PathItem[Each]> } = {};
  for (const method of METHODS) {
    const operation = item[method];
    if (operation !== undefined) {
      const security = describeScope(scopeOfOperation(path, method), hasAccounts);
      secured[method] = { ...operation, security };
    }
  }
  const { parameters } = item;
  return parameters === undefined ? secured : { parameters, ...secured };
}

/** One of these is enough; none at all is an operation for everybody. */
function describeScope(scope: RouteScope, hasAccounts: boolean): readonly SecurityRequirement[] {
  switch (scope) {
    case 'open':
      return [];
    case 'metrics':
      return [{}, ...describeScope('read', hasAccounts)];
    case 'any':
      return describeScope('read', hasAccounts);
    default:
      return [{ [BEARER]: [scope] }, ...(hasAccounts ? [{ [COOKIE]: [scope] }] : [])];
  }
}

/** The scope that a description of needs names; undefined where none is needed. */
export function scopeOf(security: readonly SecurityRequirement[]): string | undefined {
  return security.flatMap((requirement) => requirement[BEARER] ?? []).at(0);
}
