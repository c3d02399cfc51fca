// What a path answers: its methods, and every other one with 405.
import type { Request, RequestHandler, Response, Router } from 'express';
import { ServiceError } from '../src/errors.ts';
import { sendProblem } from './problem.ts';
import { assertScoped } from './route-scopes.ts';

/** By what Express calls them; this is the order in which they are named. */
export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export type Method = (typeof METHODS)[number];

export type MethodHandlers = Readonly<Partial<Record<Method, RequestHandler>>>;

/** Allow of what can be read only. */
export const READ_METHODS = 'GET, HEAD, OPTIONS';

/**
 * Which of the methods what the path names has, where that is not all of them.
 *
 * @throws RequestError 404 where it names nothing
 */
export type ReadServedMethods = (request: Request, response: Response) => Promise<'all' | 'reads'>;

/**
 * Serves a path of the table of scopes. HEAD is GET's, which Express cuts off the body of; OPTIONS
 * names the methods in Allow, and so does the 405 for those that the path has not.
 */
export function serveMethods(
  router: Router,
  path: string,
  handlers: MethodHandlers,
  readServed?: ReadServedMethods,
): void {
  const served = METHODS.filter((method) => handlers[method] !== undefined);
  assertScoped(path, served);
  const route = router.route(path);
  const allowed: string[] = [];
  for (const method of served) {
    const handler = handlers[method];
    if (handler !== undefined) {
      route[method](handler);
      allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    }
  }
  const methods = [...allowed, 'OPTIONS'].join(', ');
  const readAllow = async (request: Request, response: Response): Promise<string> => {
    try {
      return (await readServed?.(request, response)) === 'reads' ? READ_METHODS : methods;
    } catch (thrown) {
      if (thrown instanceof ServiceError) {
        // The database cannot be asked: then these are the methods of the path.
        return methods;
      }
      throw thrown;
    }
  };
  route.options(async (request, response) => {
    response
      .set('Allow', await readAllow(request, response))
      .status(204)
      .end();
  });
  route.all(async (request, response) => {
    const allow = await readAllow(request, response);
    response.set('Allow', allow);
    sendProblem(response, 405, `This path answers ${allow} only`);
  });
}
