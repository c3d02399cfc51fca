// What a path answers: its methods, and every other one with 405.
import type { RequestHandler, Router } from 'express';
import { sendProblem } from './problem.ts';

/** By what Express calls them; this is the order in which they are named. */
export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export type Method = (typeof METHODS)[number];

export type MethodHandlers = Readonly<Partial<Record<Method, RequestHandler>>>;

/**
 * Serves a path. HEAD is GET's, which Express cuts off the body of; OPTIONS names the methods in
 * Allow, and so does the 405 for those that the path has not.
 */
export function serveMethods(router: Router, path: string, handlers: MethodHandlers): void {
  const route = router.route(path);
  const allowed: string[] = [];
  for (const method of METHODS) {
    const handler = handlers[method];
    if (handler !== undefined) {
      route[method](handler);
      allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    }
  }
  const allow = [...allowed, 'OPTIONS'].join(', ');
  route.options((_request, response) => {
    response.set('Allow', allow).status(204).end();
  });
  route.all((_request, response) => {
    response.set('Allow', allow);
    sendProblem(response, 405, `This path answers ${allow} only`);
  });
}
