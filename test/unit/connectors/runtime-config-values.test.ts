import { describe, expect, it } from '@jest/globals';
import { resolveHttp, resolveIggy } from '../../../src/connectors/runtime-config-values.ts';

const LOGIN = { username: 'iggy', password: 'hunter2' };

type Values = Parameters<typeof resolveIggy>[0];

interface Resolved {
  readonly iggy: ReturnType<typeof resolveIggy>;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

function resolve(values: Values, isTls = false): Resolved {
  const problems: string[] = [];
  const notes: string[] = [];
  const iggy = resolveIggy(values, { isTls, problems, notes });
  return { iggy, problems, notes };
}

describe('resolveIggy', () => {
  it.each([
    ['http://iggy:3000', false, ['http://iggy:3000']],
    ['iggy:3000', false, ['http://iggy:3000']],
    ['iggy:3000', true, ['https://iggy:3000']],
    ['https://iggy', false, ['https://iggy']],
    ['https://iggy:3000', true, ['https://iggy:3000']],
    ['http://a:3000, b:3000', false, ['http://a:3000', 'http://b:3000']],
    ['http://a:3000,', false, ['http://a:3000']],
    [['http://a:3000', 'https://b/'], false, ['http://a:3000', 'https://b']],
    ['http://[::1]:3000', false, ['http://[::1]:3000']],
  ])('given_the_address_%j_and_tls_%s_should_ask_%j', (address, isTls, addresses) => {
    const { iggy, problems } = resolve({ address, ...LOGIN }, isTls);
    expect(problems).toEqual([]);
    expect(iggy?.addresses).toEqual(addresses);
  });

  it.each([
    ['the binary protocol', 'iggy+tcp://iggy:8090'],
    ['credentials', 'http://iggy:hunter2@iggy:3000'],
    ['a path', 'http://iggy:3000/api'],
    ['a query', 'http://iggy:3000?x=hunter2'],
    ['a port that is none', 'http://iggy:99999'],
    ['blanks', 'http://ig gy'],
  ])('given_an_address_with_%s_should_refuse_it_without_repeating_it', (_what, address) => {
    const { problems } = resolve({ address, ...LOGIN });
    expect(problems).toEqual([expect.stringContaining("is not one of Iggy's HTTP API")]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('given_only_commas_should_say_that_no_server_is_named', () => {
    expect(resolve({ address: ' , ', ...LOGIN }).problems).toEqual([
      'iggy.address names no server: write http://host:3000',
    ]);
  });

  it('given_tls_and_an_address_without_should_refuse_the_contradiction', () => {
    expect(resolve({ address: 'http://iggy:3000', ...LOGIN }, true).problems).toEqual([
      'iggy.address begins with http://, and iggy.tls is enabled: write https://',
    ]);
  });

  it('given_the_port_of_the_binary_protocol_should_note_that_it_is_probably_another', () => {
    const { iggy, notes } = resolve({ address: 'localhost:8090', ...LOGIN });
    expect(iggy?.addresses).toEqual(['http://localhost:8090']);
    expect(notes).toEqual([expect.stringContaining('port 8090')]);
  });

  it('given_a_password_should_log_in_by_it', () => {
    expect(resolve({ address: 'iggy', ...LOGIN }).iggy?.credentials).toEqual({
      kind: 'password',
      ...LOGIN,
    });
  });

  it('given_a_token_should_prefer_it_and_note_what_is_not_used', () => {
    const { iggy, notes } = resolve({ address: 'iggy', ...LOGIN, token: 'hunter2-token' });
    expect(iggy?.credentials).toEqual({ kind: 'token', token: 'hunter2-token' });
    expect(notes).toEqual([
      'iggy.username and iggy.password are not used, because iggy.token is given',
    ]);
    expect(resolve({ address: 'iggy', token: 't' }).notes).toEqual([]);
  });

  it.each([{}, { username: 'iggy' }, { password: 'hunter2' }])(
    'given_half_a_login_should_say_what_is_missing_%#',
    (login) => {
      const { iggy, problems } = resolve({ address: 'iggy', ...login });
      expect(iggy).toBeUndefined();
      expect(problems).toEqual([expect.stringContaining('iggy.token, are missing')]);
      expect(problems.join()).not.toContain('hunter2');
    },
  );
});

describe('resolveHttp', () => {
  const resolveAt = (address: string, problems: string[] = []): ReturnType<typeof resolveHttp> =>
    resolveHttp({ enabled: true, address, api_key: 'k' }, true, problems);

  it.each([
    ['127.0.0.1:8081', '127.0.0.1', 8081],
    ['localhost:0', 'localhost', 0],
    ['[::1]:65535', '::1', 65_535],
    [' 0.0.0.0:80 ', '0.0.0.0', 80],
  ])('given_the_address_%j_should_listen_on_%s_and_%d', (address, host, port) => {
    expect(resolveAt(address)).toEqual({ host, port, apiKey: 'k', isMetricsEnabled: true });
  });

  it.each([
    '8081',
    'localhost',
    'localhost:',
    ':8081',
    'http://localhost:8081',
    '::1:8081',
    'a:99999',
  ])('given_the_address_%j_should_refuse_it', (address) => {
    const problems: string[] = [];
    expect(resolveAt(address, problems)).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('accepted is host:port')]);
  });

  it('given_that_it_is_off_should_not_even_look_at_the_address', () => {
    const problems: string[] = [];
    expect(resolveHttp({ enabled: false, address: '?' }, true, problems)).toBeUndefined();
    expect(problems).toEqual([]);
  });
});
