// Who may do what: the one table of every route. What enforces scopes reads it, and so does the
// API's description.
import { TOKEN_SCOPES } from '../src/api-tokens.ts';
import type { Method } from './openapi-types.ts';
import type { Scope } from './request-context.ts';

/** What a route asks for. */
export type RouteScope =
  /** Nothing: whoever reaches the port. */
  | 'open'
  /** Nothing, or `read` where the setting API_METRICS says so. */
  | 'metrics'
  /** To be known, with any scope. */
  | 'any'
  | Scope;

export type PathScopes = Readonly<Partial<Record<Method, RouteScope>>>;

/** Rows and documents: what reads needs read, everything else write. */
const MANY = { get: 'read', post: 'write', patch: 'write', delete: 'write' } as const;
const ONE = { get: 'read', put: 'write', patch: 'write', delete: 'write' } as const;

/** By the paths that Express serves. */
export const ROUTE_SCOPES = {
  '/livez': { get: 'open' },
  '/readyz': { get: 'open' },
  '/health': { get: 'open' },
  '/metrics': { get: 'metrics' },
  '/openapi.json': { get: 'open' },
  '/docs': { get: 'open' },
  // A reader may ask; what the statement may do follows from the scope.
  '/query': { post: 'read' },
  '/api/postgres': { get: 'read' },
  '/api/postgres/:schema': { get: 'read' },
  '/api/postgres/:schema/:table': MANY,
  '/api/postgres/:schema/:table/*key': ONE,
  '/api/mongodb': { get: 'read' },
  '/api/mongodb/:database': { get: 'read' },
  '/api/mongodb/:database/:collection': MANY,
  '/api/mongodb/:database/:collection/:id': ONE,
  // Whoever is no administrator sees his own.
  '/api/activity': { get: 'read' },
  '/api/activity/summary': { get: 'read' },
  '/api/logs': { get: 'read' },
  '/connectors': { get: 'read' },
  '/connectors/:key': { get: 'read' },
  '/connectors/:key/restart': { post: 'admin' },
  '/auth/login': { post: 'open' },
  '/auth/logout': { post: 'any' },
  '/auth/me': { get: 'any' },
  '/auth/password': { post: 'any' },
  '/auth/sessions': { get: 'any' },
  '/auth/sessions/:id': { delete: 'any' },
  '/auth/tokens': { get: 'any', post: 'any' },
  '/auth/tokens/:id': { delete: 'any' },
  '/api/accounts': { get: 'admin', post: 'admin' },
  '/api/accounts/:name': { get: 'admin', patch: 'admin', delete: 'admin' },
  '/api/accounts/:name/password': { post: 'admin' },
  '/api/accounts/:name/tokens': { get: 'admin', post: 'admin' },
  '/api/accounts/:name/tokens/:id': { delete: 'admin' },
} as const satisfies Readonly<Record<string, PathScopes>>;

/** Below these, what is not in the table is told to nobody who is not known. */
export const GUARDED_PATHS = ['/query', '/api', '/auth', '/connectors'];

const ROUTES: ReadonlyMap<string, PathScopes> = new Map(Object.entries(ROUTE_SCOPES));

/** A path of Express as the API's description writes it. */
export function toTemplate(path: string): string {
  return path.replace(/[:*](\w+)/g, '{$1}');
}

const TEMPLATES: ReadonlyMap<string, PathScopes> = new Map(
  [...ROUTES].map(([path, scopes]) => [toTemplate(path), scopes]),
);

/**
 * Proves that what is served has its scopes, before it is served.
 *
 * @throws Error for a path or a method that is not in the table
 */
export function assertScoped(path: string, methods: readonly Method[]): void {
  const missing = methods.find((method) => ROUTES.get(path)?.[method] === undefined);
  if (missing !== undefined) {
    throw new Error(`${missing.toUpperCase()} ${path} is not in the table of scopes`);
  }
}

/**
 * What an operation of the API's description asks for.
 *
 * @throws Error for one that is not in the table
 */
export function scopeOfOperation(template: string, method: Method): RouteScope {
  const scope = TEMPLATES.get(template)?.[method];
  if (scope === undefined) {
    throw new Error(`${method.toUpperCase()} ${template} is not in the table of scopes`);
  }
  return scope;
}

const METHODS_BY_NAME: ReadonlyMap<string, Method> = new Map([
  ...(['get', 'post', 'put', 'patch', 'delete'] as const).map(
    (method) => [method.toUpperCase(), method] as const,
  ),
  // Answered as GET is, without its body.
  ['HEAD', 'get'],
]);

/**
 * What a request of a path asks for. OPTIONS, and a method that the path has not, ask for the
 * least of the path's: both only tell its methods.
 */
export function scopeOfRequest(scopes: PathScopes, method: string): RouteScope {
  const known = METHODS_BY_NAME.get(method);
  return (known && scopes[known]) ?? leastOf(Object.values(scopes));
}

/** From nothing at all to everything. */
const LADDER: readonly RouteScope[] = ['open', 'metrics', 'any', ...TOKEN_SCOPES];

function leastOf(scopes: readonly RouteScope[]): RouteScope {
  return LADDER.find((scope) => scopes.includes(scope)) ?? 'admin';
}
