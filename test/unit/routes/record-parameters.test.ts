import { describe, expect, it, test } from '@jest/globals';
import { encodeCursor } from '../../../routes/page-cursor.ts';
import { RequestError } from '../../../routes/request-error.ts';
import {
  ACTIVITY_FILTERS,
  LOG_FILTERS,
  ownerFor,
  parseRecordParameters,
  parseSummaryWindow,
  SUMMARY_WINDOW_MS,
} from '../../../routes/record-parameters.ts';
import type { RecordFilters, RecordParameters } from '../../../routes/record-parameters.ts';
import type { RequestContext } from '../../../routes/request-context.ts';

const BOUNDS = { limitMax: 1000 };

function parse(query: string, filters: RecordFilters = ACTIVITY_FILTERS): RecordParameters {
  return parseRecordParameters(new URLSearchParams(query), filters, BOUNDS);
}

/** The fields that are refused; undefined where nothing is. */
function refused(ask: () => unknown): string[] | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 400) {
      throw error;
    }
    return error.fields.map(({ field }) => field);
  }
}

describe('parseRecordParameters', () => {
  it('asks for the newest hundred of everything unless something is said', () => {
    expect(parse('')).toEqual({
      ...{ matches: {}, from: undefined, to: undefined, limit: 100, after: undefined },
    });
  });

  it('reads filters, times, limit and cursor', () => {
    const id = '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21';
    const after = encodeCursor(['2030-01-31T12:00:00.000Z', id]);
    const filters = 'account=ada&session=s&backend=mongodb&outcome=refused&kind=statement';
    const query = `${filters}&limit=7&after=${after}`;
    const range = '&from=2030-01-31T12:00:00Z&to=2030-01-31T14:30:00.5%2B02:00';
    expect(parse(`${query}${range}`)).toEqual({
      matches: {
        ...{ account: 'ada', session: 's', backend: 'mongodb' },
        ...{ outcome: 'refused', kind: 'statement' },
      },
      from: new Date('2030-01-31T12:00:00Z'),
      to: new Date('2030-01-31T12:30:00.500Z'),
      limit: 7,
      after: { at: new Date('2030-01-31T12:00:00Z'), id },
    });
  });

  it('reads what the log is looked for by', () => {
    expect(parse('level=warn&event=session-opened', LOG_FILTERS).matches).toEqual({
      level: 'warn',
      event: 'session-opened',
    });
  });

  test.each([
    ['a name that is not known', 'acount=ada', ['acount']],
    ['one of the other list', 'level=warn', ['level']],
    ['a name twice', 'account=a&account=b', ['account']],
    ['an operator', 'account[$ne]=x', ['account[$ne]']],
    ['a backend that is none', 'backend=mysql', ['backend']],
    ['an outcome that is none', 'outcome=fine', ['outcome']],
    ['a kind that is none', 'kind=query', ['kind']],
    ['an empty name', 'account=', ['account']],
    ['a name that is too long', `session=${'x'.repeat(257)}`, ['session']],
    ['a name with NUL', 'session=%00', ['session']],
    ['a limit of none', 'limit=0', ['limit']],
    ['a limit that is too large', 'limit=1001', ['limit']],
    ['a limit that is no number', 'limit=1e3', ['limit']],
    ['a day', 'from=2030-01-31', ['from']],
    ['a time without a zone', 'to=2030-01-31T12:00:00', ['to']],
    ['a time that there is not', 'from=2030-13-31T12:00:00Z', ['from']],
    ['a blank for a plus', 'to=2030-01-31T12:00:00+02:00', ['to']],
    ['several at once', 'limit=0&kind=x&y=1', ['y', 'kind', 'limit']],
    ['a cursor that is none', 'after=x', ['after']],
    ['a cursor of another list', `after=${encodeCursor(['1', '2'])}`, ['after']],
    ['a cursor of too much', `after=${encodeCursor(['1', '2', '3'])}`, ['after']],
    ['an empty cursor', 'after=', ['after']],
  ])('refuses %s', (_name, query, fields) => {
    expect(refused(() => parse(query))).toEqual(fields);
  });
});

describe('parseSummaryWindow', () => {
  const now = new Date('2030-01-31T12:00:00Z');
  const DAY_MS = 86_400_000;
  const window = (query: string): { from: Date; to: Date } =>
    parseSummaryWindow(new URLSearchParams(query), DAY_MS, now);

  it('is the last hour unless something is said', () => {
    expect(window('')).toEqual({ from: new Date(now.getTime() - SUMMARY_WINDOW_MS), to: now });
  });

  it('is the hour before its end where only that is said', () => {
    expect(window('to=2030-01-31T06:00:00Z')).toEqual({
      from: new Date('2030-01-31T05:00:00Z'),
      to: new Date('2030-01-31T06:00:00Z'),
    });
  });

  test.each([
    ['from=2030-01-31T12:00:00Z', ['from']],
    ['from=2030-01-30T11:59:59Z', ['from']],
    ['from=2030-01-31T11:00:00Z&to=2030-01-31T10:00:00Z', ['from']],
    ['limit=5', ['limit']],
    ['account=ada', ['account']],
  ])('refuses %s', (query, fields) => {
    expect(refused(() => window(query))).toEqual(fields);
  });
});

describe('ownerFor', () => {
  const context = (changes: Partial<RequestContext>): RequestContext => ({
    ...{ requestId: 'r', address: '', signal: new AbortController().signal },
    ...{ caller: 'ada', scope: 'read', owner: 'account:7' },
    ...changes,
  });

  test.each<readonly [string, Partial<RequestContext>, string | undefined]>([
    ['his own to a reader', {}, 'account:7'],
    ['his own to a writer', { scope: 'write' }, 'account:7'],
    ['his own to a token', { owner: 'token:ci', caller: 'ci' }, 'token:ci'],
    ['everything to an administrator', { scope: 'admin' }, undefined],
    ['everything to whoever is local', { scope: 'admin', owner: undefined }, undefined],
  ])('gives %s', (_name, changes, owner) => {
    expect(ownerFor(context(changes))).toBe(owner);
  });

  it('takes his own name for a filter', () => {
    expect(ownerFor(context({}), 'ada')).toBe('account:7');
  });

  test.each<readonly [string, Partial<RequestContext>, string | undefined]>([
    ['another name', {}, 'grace'],
    ['another name in other capitals', {}, 'ADA'],
    ['nobody', { owner: undefined }, undefined],
    ['nobody by a name', { owner: undefined, caller: 'anonymous' }, 'anonymous'],
  ])('refuses %s', (_name, changes, account) => {
    expect(() => ownerFor(context(changes), account)).toThrow(
      expect.objectContaining({ status: 403 }),
    );
  });
});
