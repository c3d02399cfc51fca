import { expect, test } from '@jest/globals';
import { explainListenError } from '../../src/listen-error.ts';

const ADDRESS = { host: '127.0.0.1', port: 5433, portSetting: 'WIRE_POSTGRES_PORT' };

test.each([
  ['EADDRINUSE', /^Port 5433 on 127\.0\.0\.1 is in use: .*WIRE_POSTGRES_PORT$/],
  ['EACCES', /^Port 5433 is not open to this user: set WIRE_POSTGRES_PORT to 1024 or above$/],
  [
    'EADDRNOTAVAIL',
    /^Host 127\.0\.0\.1 is no address of this machine \(EADDRNOTAVAIL\): set HOST$/,
  ],
  ['EMFILE', /^Port 5433 cannot be listened on$/],
])('explains %s by the setting that changes it, and keeps the cause', (code, sentence) => {
  const cause = Object.assign(new Error('listen failed'), { code });
  const error = explainListenError(cause, ADDRESS);
  expect(error.message).toMatch(sentence);
  expect(error.cause).toBe(cause);
});

test('names the setting of the host where it is another one', () => {
  const cause = Object.assign(new Error('listen failed'), { code: 'ENOTFOUND' });
  const error = explainListenError(cause, { ...ADDRESS, hostSetting: 'http.address' });
  expect(error.message).toBe(
    'Host 127.0.0.1 is no address of this machine (ENOTFOUND): set http.address',
  );
});
