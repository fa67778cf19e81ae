/** IPv6 addresses. */
import type { Detector } from './detector.ts';

export const ipv6: Detector = {
  name: 'ipv6',
  title: 'IPv6 address',
  about:
    'Addresses as RFC 4291 section 2.2 writes them, shortened or not, the last part perhaps as IPv4. An address without any decimal digit is taken for code.',
  forms: [
    {
      pattern: '[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,41}',
      boundary: { before: 'address', after: 'address' },
      validator: 'ipv6',
    },
  ],
  examples: [
    'ping ⟦2001:db8::1⟧ now',
    '⟦2001:0db8:85a3:0000:0000:8a2e:0370:7334⟧',
    'http://[⟦fe80::1⟧]:8080/',
    'loopback ⟦::1⟧.',
    'mapped ⟦::ffff:192.0.2.128⟧, yes',
    '⟦2001:db8::⟧/32',
    'at ⟦1:2:3:4:5:6:7:8⟧',
  ],
  lookAlikes: [
    'time 12:34:56',
    'mac 00:1a:2b:3c:4d:5e',
    'std::vector and a::b',
    'ratio 1:2',
    'fingerprint 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48',
    'Note: see 3:16',
    'dead::beef',
    '1:2:3:4:5:6:7:8:9',
  ],
};
