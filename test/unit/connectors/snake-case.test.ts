import { describe, expect, it } from '@jest/globals';
import { createSnakeCase, toSnakeCase } from '../../../src/connectors/snake-case.ts';

describe('toSnakeCase', () => {
  it.each([
    ['firstName', 'first_name'],
    ['FirstName', 'first_name'],
    ['first_name', 'first_name'],
    ['userID', 'user_id'],
    ['ID', 'id'],
    ['XMLHttpRequest', 'xml_http_request'],
    ['parseXML', 'parse_xml'],
    ['_id', '_id'],
    ['_ID', '_id'],
    ['_privateField', '_private_field'],
    ['__v', '__v'],
    ['user_Name', 'user_name'],
    ['address2Line', 'address2_line'],
    ['ipV4', 'ip_v4'],
    ['iOSVersion', 'i_os_version'],
    ['größteZahl', 'größte_zahl'],
    ['ŻółtyDom', 'żółty_dom'],
    ['a b-c.d', 'a b-c.d'],
    ['$ref', '$ref'],
    ['10', '10'],
    ['', ''],
  ])('given_name_%s_should_give_%s', (name, snake) => {
    expect(toSnakeCase(name)).toBe(snake);
    expect(toSnakeCase(snake)).toBe(snake);
  });
});

describe('createSnakeCase', () => {
  it('given_a_name_seen_before_should_give_the_same', () => {
    const rename = createSnakeCase();
    expect([rename('firstName'), rename('firstName'), rename('constructor')]).toEqual([
      'first_name',
      'first_name',
      'constructor',
    ]);
  });

  it('given_more_names_than_are_remembered_should_still_convert', () => {
    const rename = createSnakeCase();
    for (let index = 0; index < 10_001; index += 1) {
      rename(`fieldName${index}`);
    }
    expect(rename('lastName')).toBe('last_name');
  });
});
