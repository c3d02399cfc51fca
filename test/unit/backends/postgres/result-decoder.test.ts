import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ResultDecoder } from '../../../../src/backends/postgres/result-decoder.ts';
import type { ResultEvent } from '../../../../src/backends/pool.ts';
import {
  encodeCommandComplete,
  encodeErrorResponse,
  encodeNoticeResponse,
  encodeParameterStatus,
  encodeReadyForQuery,
} from '../../../../wire/protocol/backend-messages.ts';
import {
  encodeDataRows,
  encodeEmptyQueryResponse,
  encodeRowDescription,
} from '../../../../wire/protocol/result-messages.ts';

const COLUMNS = [
  { name: 'a', typeOid: 25 },
  { name: 'größe', typeOid: 4_000_000_000 },
];

const NOTICE = { severity: 'NOTICE', sqlState: '00000', message: 'look', hint: 'there' };

const ROWS = [
  [Buffer.from('1'), null],
  [Buffer.alloc(0), Buffer.from('x'.repeat(3000))],
  [Buffer.from('last'), Buffer.from('ü')],
];

const STREAM = Buffer.concat([
  encodeParameterStatus('TimeZone', 'UTC'),
  encodeRowDescription(COLUMNS),
  encodeDataRows(ROWS.slice(0, 2)),
  encodeNoticeResponse(NOTICE),
  encodeDataRows(ROWS.slice(2)),
  encodeCommandComplete('SELECT 3'),
  encodeEmptyQueryResponse(),
  encodeReadyForQuery('I'),
]);

/** Rows gathered up, since how they are batched is the chunks' doing. */
function gather(events: readonly ResultEvent[]): unknown[] {
  const gathered: unknown[] = [];
  for (const event of events) {
    const last: unknown = gathered.at(-1);
    if (event.kind === 'rows' && Array.isArray(last)) {
      last.push(...event.rows.map(textsOf));
    } else {
      gathered.push(event.kind === 'rows' ? event.rows.map(textsOf) : event);
    }
  }
  return gathered;
}

function textsOf(row: readonly (Buffer | null)[]): (string | null)[] {
  return row.map((value) => value?.toString('utf8') ?? null);
}

const EXPECTED = [
  { kind: 'columns', columns: COLUMNS },
  ROWS.slice(0, 2).map(textsOf),
  { kind: 'notice', notice: expect.objectContaining(NOTICE) as unknown },
  ROWS.slice(2).map(textsOf),
  { kind: 'complete', commandTag: 'SELECT 3' },
  { kind: 'empty' },
];

describe('Frames of an exchange', () => {
  it('are the same results however they are cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: STREAM.length }), { maxLength: 40 }),
        (cuts) => {
          const decoder = new ResultDecoder(0);
          const edges = [...new Set([0, ...cuts, STREAM.length])].sort((a, b) => a - b);
          const events = edges
            .slice(1)
            .flatMap((end, index) => decoder.decode(STREAM.subarray(edges[index], end)));
          expect(gather(events)).toEqual(EXPECTED);
          expect(decoder.error).toBeUndefined();
        },
      ),
    );
  });

  it('are the same results byte by byte', () => {
    const decoder = new ResultDecoder(0);
    const events = [...STREAM].flatMap((byte) => decoder.decode(Buffer.from([byte])));
    expect(gather(events)).toEqual(EXPECTED);
  });

  it('hide what was completed for ourselves in front', () => {
    const decoder = new ResultDecoder(1);
    const own = encodeCommandComplete('SET');
    expect(decoder.decode(Buffer.concat([own, encodeCommandComplete('INSERT 0 1')]))).toEqual([
      { kind: 'complete', commandTag: 'INSERT 0 1' },
    ]);
  });

  it('keep the first error, with what it says', () => {
    const decoder = new ResultDecoder(0);
    const report = {
      severity: 'ERROR',
      sqlState: '22P02',
      message: 'no',
      detail: 'd',
      position: 7,
    };
    decoder.decode(encodeErrorResponse(report));
    decoder.decode(encodeErrorResponse({ ...report, sqlState: '42601' }));
    expect(decoder.error).toMatchObject({
      name: 'ServiceError',
      severity: 'ERROR',
      sqlState: '22P02',
      message: 'no',
      detail: 'd',
      hint: undefined,
      position: 7,
    });
  });

  it.each(['FATAL', 'PANIC'])('know %s as the end of the session', (severity) => {
    const decoder = new ResultDecoder(0);
    decoder.decode(encodeErrorResponse({ severity, sqlState: '57P01', message: 'bye' }));
    expect(decoder.error?.severity).toBe('FATAL');
  });
});
