/** IBANs (ISO 13616): the length that the country registered, and the check digits (ISO 7064, mod 97-10). */
import { isDigit, isLetter } from './characters';

/** Country and length, from the IBAN registry. */
const COUNTRIES =
  'AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30';

export function isIban(p: usize, end: usize): bool {
  const first = upper(load<u8>(p));
  const second = upper(load<u8>(p, 1));
  const registered = lengthOf(first, second);
  // Groups of four: at most three separators a group. Most ends are refused here.
  if (registered == 0 || end - p < registered || end - p > registered + (registered >> 2) * 3) return false;
  let length: u32 = 0;
  for (let q = p; q < end; q += 1) if (isDigit(load<u8>(q)) || isLetter(load<u8>(q))) length += 1;
  if (length != registered) return false;
  // The number with country and check digits moved to its end, letters as two digits, modulo 97. Country and check
  // digits are the first four bytes: no separator stands in them.
  let rest: u32 = 0;
  for (let q = p + 4; q < end; q += 1) rest = append(rest, load<u8>(q));
  for (let q = p; q < p + 4; q += 1) rest = append(rest, load<u8>(q));
  return rest == 1;
}

function append(rest: u32, c: u32): u32 {
  if (isDigit(c)) return (rest * 10 + c - 0x30) % 97;
  if (isLetter(c)) return (rest * 100 + upper(c) - 0x37) % 97;
  return rest;
}

/** The registered length of a country's IBANs, or 0. */
function lengthOf(first: u32, second: u32): u32 {
  const list = changetype<usize>(COUNTRIES);
  const end = list + ((<usize>COUNTRIES.length) << 1);
  for (let at = list; at < end; at += 8) {
    if (<u32>load<u16>(at) == first && <u32>load<u16>(at, 2) == second)
      return (<u32>load<u16>(at, 4) - 0x30) * 10 + <u32>load<u16>(at, 6) - 0x30;
  }
  return 0;
}

function upper(c: u32): u32 {
  return isLetter(c) ? c & 0xdf : c;
}
