// The connectors, as the API's description has them.
import { answer, example, json, OF_TOKENS, problems } from './openapi-answers.ts';
import { refParameters } from './openapi-parameters.ts';
import type { DraftOperation, DraftPaths } from './openapi-types.ts';

const TAG = 'Connectors';

const CONNECTOR = {
  key: 'mongodb',
  type: 'sink',
  name: 'Orders to MongoDB',
  isEnabled: true,
  status: 'running',
  lastError: null,
  streams: [{ stream: 'shop', topics: ['orders'], consumer_group: 'iggy-connect-sink-mongodb' }],
  pluginConfig: { connection_uri: 'mongodb://app***', database: 'shop', collection: 'orders' },
  counters: {
    ...{ received: 1000, delivered: 1000, replayed: 0 },
    ...{ deadLettered: 0, skipped: 0, errors: 0 },
  },
};

const LIST: DraftOperation = {
  operationId: 'listConnectors',
  tags: [TAG],
  summary: 'List the connectors of this process',
  description: 'Those that are switched off or in error too.',
  responses: {
    200: answer('The connectors', {
      content: json('ConnectorList', example({ items: [CONNECTOR] })),
    }),
    ...problems(...OF_TOKENS, 429, 500, 503),
  },
};

const READ: DraftOperation = {
  operationId: 'readConnector',
  tags: [TAG],
  summary: 'Read one connector',
  parameters: refParameters('ConnectorType'),
  responses: {
    200: answer('The connector', { content: json('Connector', example(CONNECTOR)) }),
    ...problems(...OF_TOKENS, 404, 409, 429, 500, 503),
  },
};

const RESTART: DraftOperation = {
  operationId: 'restartConnector',
  tags: [TAG],
  summary: 'Stop one connector and start it again',
  description:
    'Its file is read again, so that a corrected field counts. The answer comes when it has ' +
    'stopped in good order and is starting; its status says how that ends.',
  parameters: refParameters('ConnectorType'),
  responses: {
    204: answer('It is starting'),
    ...problems(...OF_TOKENS, 404, 409, 429, 500, 503),
  },
};

export const CONNECTORS_PATHS: DraftPaths = {
  '/connectors': { get: LIST },
  '/connectors/{key}': { parameters: refParameters('ConnectorKey'), get: READ },
  '/connectors/{key}/restart': { parameters: refParameters('ConnectorKey'), post: RESTART },
};
