import { describe, expect, it } from '@jest/globals';
import { toAddressKey } from '../../src/address-key.ts';

describe('toAddressKey', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:DB8:0:0:ffff::1', '2001:db8:0:0'],
    ['2001:0db8:0000:0001::', '2001:db8:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('of %j is %j', (address, key) => {
    expect(toAddressKey(address)).toBe(key);
  });
});
