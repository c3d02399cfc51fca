// Activity and the log, as the API's description has them.
import { answer, example, json, OF_TOKENS, problems } from './openapi-answers.ts';
import { LIST_BOUNDS } from './list-parameters.ts';
import type { Content, DraftOperation, DraftPaths, Parameter } from './openapi-types.ts';
import { ACTIVITY_FILTERS, LINES_MAX, LOG_FILTERS } from './record-parameters.ts';
import type { RecordFilters } from './record-parameters.ts';

const TAG = 'Activity';

const RECORD = {
  id: '2f6a1b9d-7e21-4c55-8f43-0c4f1c558f43',
  at: '2030-01-31T12:00:00.000Z',
  kind: 'statement',
  account: 'ada',
  owner: 'account:7b0c9c2e-5d1f-4f53-9a55-6f0a3a8f2d64',
  session: '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21',
  address: '10.0.0.7',
  door: 'postgres',
  backend: 'postgres',
  database: 'shop',
  text: 'alter role reporting password ***',
  textSha256: '3bda3b9ac8b1b5d1a34f7e8e32ba47a9c7e5b2f0f4b3f9e5b6d3a9d0c1e2f3a4',
  textBytes: 41,
  outcome: 'ok',
  rows: 0,
  bytes: 0,
  durationMs: 1.25,
} as const;

const LINE = {
  id: '5b2f0d43-a514-4c0e-9f63-6f9f3f1f7a10',
  at: '2030-01-31T12:00:00.000Z',
  level: 'info',
  event: 'session-opened',
  message: 'Session opened',
  fields: { session: RECORD.session, listener: 'postgres', user: 'ada' },
} as const;

const SUMMARY = {
  from: '2030-01-31T11:00:00.000Z',
  to: '2030-01-31T12:00:00.000Z',
  items: [
    {
      ...{ account: 'ada', backend: 'postgres', outcome: 'ok', count: 120, rows: 4800 },
      bytes: 96_000,
      durationMs: { p50: 1.1, p95: 4.2, p99: 17.5 },
    },
  ],
  truncated: false,
} as const;

const OF_READING = [...OF_TOKENS, 404, 429, 500, 503, 504] as const;

const WHOSE = 'Whoever is no administrator sees his own.';

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  account: 'Name of an account or token, or `anonymous`; of others only for administrators',
  session: 'Id of a session',
  backend: 'Of the statement',
  outcome: 'How it ended',
  kind: 'What it tells of',
  level: 'Of the line',
  event: 'What happened, such as `session-opened`',
};

function query(name: string, description: string, schema: Parameter['schema']): Parameter {
  return { name, in: 'query', description, schema };
}

const INSTANT = { type: 'string', format: 'date-time' } as const;
const FROM = query('from', 'The first instant that is meant, RFC 3339', INSTANT);
const TO = query('to', 'The first instant that is not meant any more, RFC 3339', INSTANT);

function listParameters(filters: RecordFilters): readonly Parameter[] {
  const { limitDefault, limitMax } = LIST_BOUNDS;
  return [
    ...Object.entries<readonly string[] | undefined>(filters).map(([name, choices]) =>
      query(name, DESCRIPTIONS[name] ?? '', {
        type: 'string',
        ...(choices && { enum: [...choices] }),
      }),
    ),
    FROM,
    TO,
    query('limit', `Most of them: ${limitMax} in a page of JSON, ${LINES_MAX} in lines`, {
      ...{ type: 'integer', minimum: 1, maximum: LINES_MAX, default: limitDefault },
    }),
    query('after', 'Where the page before ended: part of its `next`', { type: 'string' }),
  ];
}

const LINES: Content = {
  'application/x-ndjson': {
    schema: {
      type: 'string',
      description:
        'One a line, and at the end `{"$meta":{"rows":2,"bytes":180,"truncated":false,' +
        '"next":null,…}}`. What breaks off without it is not whole. An error after the first ' +
        'line is in it, with `sqlState` and `message`',
    },
  },
};

const ACTIVITY: DraftOperation = {
  operationId: 'listActivity',
  tags: [TAG],
  summary: 'List statements, requests and logins, newest first',
  description: `${WHOSE} A record is there about a second after what it tells of.`,
  parameters: listParameters(ACTIVITY_FILTERS),
  responses: {
    200: answer('A page, or lines as `Accept` asks for', {
      headers: ['Link'],
      content: { ...json('ActivityPage', example({ items: [RECORD], next: null })), ...LINES },
    }),
    ...problems(...OF_READING, 406),
  },
};

const SUMMARIZE: DraftOperation = {
  operationId: 'summarizeActivity',
  tags: [TAG],
  summary: 'Count statements and requests by account, backend and outcome',
  description: `${WHOSE} The window is the last hour unless said.`,
  parameters: [FROM, TO],
  responses: {
    200: answer('The groups', { content: json('ActivitySummary', example(SUMMARY)) }),
    ...problems(...OF_READING),
  },
};

const LOGS: DraftOperation = {
  operationId: 'listLogs',
  tags: [TAG],
  summary: 'List lines of the log, newest first',
  description: `${WHOSE} \`account\`, \`session\`, \`backend\`, \`outcome\` are fields of lines.`,
  parameters: listParameters(LOG_FILTERS),
  responses: {
    200: answer('A page, or lines as `Accept` asks for', {
      headers: ['Link'],
      content: { ...json('LogPage', example({ items: [LINE], next: null })), ...LINES },
    }),
    ...problems(...OF_READING, 406),
  },
};

export const ACTIVITY_PATHS: DraftPaths = {
  '/api/activity': { get: ACTIVITY },
  '/api/activity/summary': { get: SUMMARIZE },
  '/api/logs': { get: LOGS },
};
