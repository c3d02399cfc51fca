// What activity and the log answer, as schemas that describe it.
import { z } from 'zod';
import { ACTIVITY_KINDS, ACTIVITY_OUTCOMES } from '../src/store/activity-records.ts';
import { RECORD_TEXT_BYTES_MAX } from '../src/store/kept-text.ts';
import { SUMMARY_GROUPS_MAX } from '../src/store/activity-summary.ts';

const count = z.int().min(0);
const durationMs = z.number().min(0);

const record = z.object({
  id: z.uuid(),
  at: z.iso.datetime().describe('When it was over'),
  kind: z.enum(ACTIVITY_KINDS),
  account: z.string().describe('Its name, that of a token, or `anonymous`; of a login as given'),
  owner: z.string().optional().describe('`account:` with its id, or `token:` with its name'),
  session: z.string().optional().describe('Of the wire, or of a cookie'),
  request: z.string().optional().describe('Over HTTP: its X-Request-Id'),
  address: z.string(),
  door: z.string().describe('Name of the listener, or `http`'),
  backend: z.string().optional().describe('Of a statement: `postgres` or `mongodb`'),
  database: z.string().optional(),
  route: z.string().optional().describe('Over HTTP: method and path'),
  text: z
    .string()
    .optional()
    .describe(`The statement, secrets masked, cut at ${RECORD_TEXT_BYTES_MAX} bytes`),
  textSha256: z.string().optional().describe('Of the masked text before it was cut'),
  textBytes: count.optional().describe('As it was sent'),
  isHashOfBeginning: z
    .literal(true)
    .optional()
    .describe('The text is so long that its beginning alone was hashed'),
  outcome: z.string().describe(ACTIVITY_OUTCOMES.map((outcome) => `\`${outcome}\``).join(', ')),
  sqlState: z.string().optional(),
  status: z.int().optional().describe('Of a request'),
  repeated: count
    .optional()
    .describe('Of logins that were not looked at: how many of one address this stands for'),
  rows: count.optional(),
  bytes: count.optional(),
  durationMs: durationMs.optional(),
});

const line = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  level: z.enum(['error', 'warn', 'info', 'debug']),
  event: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});

const group = z.object({
  account: z.string(),
  backend: z.string().nullable().describe('Null for requests, which are none of a database'),
  outcome: z.string(),
  count,
  rows: count,
  bytes: count,
  durationMs: z
    .object({ p50: durationMs, p95: durationMs, p99: durationMs })
    .describe('Exact: the least that so many per cent did not exceed'),
});

const page = (item: z.ZodType): z.ZodType =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Address of the next page; null on the last one'),
  });

/** By their names in the description. */
export const ACTIVITY_ANSWERS = {
  ActivityRecord: record,
  ActivityPage: page(record),
  ActivitySummary: z.object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    items: z.array(group).max(SUMMARY_GROUPS_MAX).describe('The largest first'),
    truncated: z.boolean().describe('Whether there are more groups'),
  }),
  LogLine: line,
  LogPage: page(line),
} as const;
