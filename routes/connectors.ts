// What runs of the connectors, and to start one of them again.
import { Router } from 'express';
import type { Request } from 'express';
import type { ConnectorsControl, ShownConnector } from '../src/connectors-control.ts';
import { RequestError } from './request-error.ts';
import { serveMethods } from './serve-methods.ts';

export interface ConnectorsDependencies {
  readonly connectors: ConnectorsControl;
}

/** The types that a key can be of, and the values of the parameter `type`. */
export const CONNECTOR_TYPES = ['sink', 'source'] as const;

const ONE = '/connectors/:key';
const RESTART = `${ONE}/restart`;

/** Answers at /connectors and below it only; scopes have been asked for before. */
export function createConnectorsRoutes({ connectors }: ConnectorsDependencies): Router {
  const router = Router();
  serveMethods(router, '/connectors', {
    get: (request, response) => {
      refuseParameters(request, []);
      response.json({ items: connectors.list().map(describeConnector) });
    },
  });
  serveMethods(router, ONE, {
    get: (request, response) => {
      response.json(describeConnector(findConnector(request, connectors)));
    },
  });
  serveMethods(router, RESTART, {
    post: async (request, response) => {
      await restart(request, connectors);
      response.status(204).end();
    },
  });
  return router;
}

type ConnectorType = ShownConnector['type'];

/** @throws RequestError as findConnector, where its file does not define it by now either */
async function restart(request: Request, connectors: ConnectorsControl): Promise<void> {
  const type = readType(request);
  const key = String(request.params['key']);
  const isListed = connectors
    .list()
    .some((one) => one.key === key && (type ?? one.type) === one.type);
  const types = isListed ? [findConnector(request, connectors).type] : (type ?? CONNECTOR_TYPES);
  for (const one of [types].flat()) {
    if (await connectors.restart(one, key)) {
      return;
    }
  }
  throw notFound(key, type);
}

/** @throws RequestError 404 when there is none, 409 when there are two and `type` says not which */
function findConnector(request: Request, connectors: ConnectorsControl): ShownConnector {
  const type = readType(request);
  const { key } = request.params;
  const found = connectors
    .list()
    .filter((one) => one.key === key && (type ?? one.type) === one.type);
  const [first] = found;
  if (first === undefined) {
    throw notFound(String(key), type);
  }
  // Two files may wrongly define the same one; both are refused then, and shown alike.
  if (found.some((one) => one.type !== first.type)) {
    throw new RequestError(409, `A sink and a source have the key ${JSON.stringify(key)}`, {
      hint: 'Say which one is meant: ?type=sink or ?type=source',
    });
  }
  return first;
}

function readType(request: Request): ConnectorType | undefined {
  const { type: text } = refuseParameters(request, ['type']);
  const type = CONNECTOR_TYPES.find((one) => one === text);
  if (text !== undefined && type === undefined) {
    const message = `accepted is ${CONNECTOR_TYPES.join(' or ')}, once`;
    throw new RequestError(400, 'The query parameter type is not taken', {
      fields: [{ field: 'type', message }],
    });
  }
  return type;
}

/** The query parameters; a misspelt one would silently choose nothing. */
function refuseParameters(
  { query }: Request,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const message = known.length === 0 ? 'this path takes none' : `known are ${known.join(', ')}`;
    throw new RequestError(400, 'A query parameter is not known', {
      fields: unknown.map((field) => ({ field, message })),
    });
  }
  return query;
}

function notFound(key: string, type: ConnectorType | undefined): RequestError {
  const what = type ?? 'connector';
  return new RequestError(404, `No ${what} has the key ${JSON.stringify(key)}`, {
    hint: 'GET /connectors lists those that there are',
  });
}

function describeConnector(connector: ShownConnector): object {
  const { key, type, name, isEnabled, status, lastError, streams, pluginConfig, counters } =
    connector;
  return {
    key,
    type,
    name,
    isEnabled,
    status,
    lastError:
      lastError === undefined
        ? null
        : { message: lastError.message, at: lastError.at.toISOString() },
    streams,
    pluginConfig,
    counters,
  };
}
