import { describe, expect, it } from '@jest/globals';
import { redactSecrets, redactUri } from '../../../src/connectors/redact.ts';

describe('redactUri', () => {
  it.each([
    ['mongodb://app:secret@host:27017/db', 'mongodb://app***'],
    ['mongodb+srv://administrator:secret@cluster.example/db?w=1', 'mongodb+srv://adm***'],
    ['mongodb://localhost:27017', 'mongodb://loc***'],
    ['http://iggy:iggy@127.0.0.1:3000', 'http://igg***'],
    ['mongodb://a:pw@host', 'mongodb://a***'],
    ['mongodb://:pw@host', 'mongodb://***'],
    ['mongodb://', 'mongodb://***'],
    ['user:secret@host', 'use***'],
    ['', '***'],
    ['mongodb://ab\nsecret', 'mongodb://ab***'],
  ])('shows %j as %j', (uri, shown) => {
    expect(redactUri(uri)).toBe(shown);
  });
});

describe('redactSecrets', () => {
  it.each([
    ['a secret', 'password hunter2 refused', ['hunter2'], 'password *** refused'],
    ['each of its places', 'hunter2hunter2', ['hunter2'], '******'],
    ['a secret in a URI', 'q=p%40ss%2Fword', ['p@ss/word'], 'q=***'],
    ['a secret in JSON', String.raw`{"p":"a\"b"}`, ['a"b'], '{"p":"***"}'],
    ['the longer of two first', 'abcdef', ['abc', 'abcdef'], '***'],
    ['credentials of a URI', 'see http://u:p@host/x', [], 'see http://***@host/x'],
    ['a bearer token', 'Authorization: Bearer abc.def', [], 'Authorization: Bearer ***'],
    ['nothing for an empty secret', 'plain', [''], 'plain'],
    ['nothing where there is nothing', 'a stream is missing', ['hunter2'], 'a stream is missing'],
  ])('hides %s', (_, text, secrets, shown) => {
    expect(redactSecrets(text, secrets)).toBe(shown);
  });
});
