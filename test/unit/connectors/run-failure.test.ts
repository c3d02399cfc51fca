import { describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import type { ConnectorErrorKind } from '../../../src/connectors/connector-error.ts';
import { IggyError } from '../../../src/connectors/iggy-error.ts';
import type { IggyErrorKind } from '../../../src/connectors/iggy-error.ts';
import { restartsByItself, toRunFailure } from '../../../src/connectors/run-failure.ts';

const DECISIONS: readonly (readonly [ConnectorErrorKind, boolean])[] = [
  // The database or Iggy was not there at the start: it may be by now.
  ['init', true],
  ['connection', true],
  ['lease-lost', true],
  ['invalid-config', false],
  ['invalid-state', false],
  ['invalid-record', false],
  // What on_failure = "halt" stopped at.
  ['storage', false],
];

const IGGY: readonly (readonly [IggyErrorKind, ConnectorErrorKind, boolean])[] = [
  ['unreachable', 'connection', true],
  ['timeout', 'connection', true],
  ['unavailable', 'connection', true],
  ['busy', 'connection', true],
  ['unauthenticated', 'connection', true],
  ['credentials', 'init', true],
  ['forbidden', 'init', true],
  ['not-found', 'connection', true],
  ['exists', 'connection', true],
  ['topic-full', 'connection', true],
  ['offset-range', 'connection', true],
  ['unexpected-reply', 'connection', true],
  ['too-large', 'connection', true],
  ['reply-too-large', 'invalid-record', false],
  // Of a send, the only request with records.
  ['unsendable', 'invalid-record', false],
  ['refused', 'connection', true],
];

describe('restartsByItself', () => {
  it.each(DECISIONS)('given_%s_should_be_%s', (kind, isRestarted) => {
    expect(restartsByItself(kind)).toBe(isRestarted);
  });
});

describe('toRunFailure', () => {
  it.each(IGGY)('given_iggy_%s_should_be_%s_and_restart_%s', (iggyKind, kind, isRestarted) => {
    const failure = toRunFailure(new IggyError(iggyKind, 'what Iggy said'));
    expect(failure).toMatchObject({ kind, message: 'what Iggy said' });
    expect(failure === undefined ? undefined : restartsByItself(failure.kind)).toBe(isRestarted);
  });

  it('given_a_connector_error_should_return_it_as_it_is', () => {
    const error = new ConnectorError('storage', 'The database refused');
    expect(toRunFailure(error)).toBe(error);
  });

  it.each([[new TypeError('x is not a function')], ['a text'], [undefined]])(
    'given_a_fault_should_be_undefined (%p)',
    (error) => {
      expect(toRunFailure(error)).toBeUndefined();
    },
  );
});
