/**
 * Groups to the bytes of the section T_DETECTORS; layout: filters/kernel/text/layout.ts. Equal blocks are written once.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import type { Automaton } from './automaton.ts';
import { rarestPair } from './anchor.ts';
import { bucketsOf, type Bucket } from './buckets.ts';
import { bytesOf, halvesOf, hasByte, TOKEN_BYTES, type ByteSet } from './byte-set.ts';
import type { CompiledForm } from './compiled-form.ts';
import { encodeWords } from './context-words.ts';
import type { BoundaryName, ContextSource, ValidatorName } from './detector-source.ts';
import { FOLDS } from './fold-ranges.ts';
import { glancesOf, type Glance } from './glances.ts';
import type { Group } from './groups.ts';
import type { Positions } from './positions.ts';

const BOUNDARIES: { readonly [B in BoundaryName]: number } = {
  none: L.BOUNDARY_NONE,
  digit: L.BOUNDARY_DIGIT,
  word: L.BOUNDARY_WORD,
  number: L.BOUNDARY_NUMBER,
  serial: L.BOUNDARY_SERIAL,
  address: L.BOUNDARY_ADDRESS,
  list: L.BOUNDARY_LIST,
};
const VALIDATORS: { readonly [V in ValidatorName]: number } = {
  payment_card: L.VALIDATOR_PAYMENT_CARD,
  iban: L.VALIDATOR_IBAN,
  us_ssn: L.VALIDATOR_US_SSN,
  ipv4: L.VALIDATOR_IPV4,
  ipv6: L.VALIDATOR_IPV6,
  phone: L.VALIDATOR_PHONE,
  phone_national: L.VALIDATOR_PHONE_NATIONAL,
  email: L.VALIDATOR_EMAIL,
  date: L.VALIDATOR_DATE,
  entropy: L.VALIDATOR_ENTROPY,
};
const WHERE: { readonly [W in ContextSource['where']]: number } = {
  before: L.WHERE_BEFORE,
  after: L.WHERE_AFTER,
  around: L.WHERE_AROUND,
};
const FOLD_KINDS = { drop: L.FOLD_DROP, same: L.FOLD_SAME, shift: L.FOLD_SHIFT } as const;
const CODE_POINTS = 0x110000;
/** Characters that a boundary reads beyond the match. */
const BOUNDARY_BYTES = L.LIST_GAP_MAX + 1;
const UTF8_BYTES_MAX = 4;

export function writeTables(detectors: number, groups: readonly Group[]): Uint8Array {
  const section = new Section();
  const forms = groups.flatMap((group) => group.forms);
  section.reserve(L.HEADER_BYTES);
  section.u32(L.H_DETECTORS, detectors);
  section.u32(L.H_GROUPS, groups.length);
  section.u32(L.H_LOOK_BEHIND, Math.max(BOUNDARY_BYTES, ...groups.map(lookBehind)));
  section.u32(L.H_NEAR_BEHIND, Math.max(0, ...groups.map((group) => (group.kind === 'near' ? nearBehind(group) : 0))));
  writeFolds(section);
  writeBuckets(section, groups);
  writeRuns(section, groups);
  const glances = glancesOf(groups).map((glance) => writeGlance(section, glance));
  section.u32(L.H_GLANCES_AT, section.block(u32s([glances.length, ...glances])));
  const formsAt = section.reserve(forms.length * L.FORM_BYTES);
  section.u32(L.H_FORMS_AT, formsAt);
  forms.forEach((form, i) => writeForm(section, formsAt + i * L.FORM_BYTES, form));
  const groupsAt = section.reserve(groups.length * L.GROUP_BYTES);
  section.u32(L.H_GROUPS_AT, groupsAt);
  let firstForm = 0;
  groups.forEach((group, i) => {
    writeGroup(section, groupsAt + i * L.GROUP_BYTES, group, firstForm);
    firstForm += group.forms.length;
  });
  return section.bytes();
}

/** Folded bytes before a place that its boundaries, contexts and backward automata may read. */
function lookBehind(group: Group): number {
  const contexts = group.forms.map(({ source }) => (source.context?.within ?? 0) * UTF8_BYTES_MAX + 1);
  return Math.max(BOUNDARY_BYTES, ...contexts) + (group.kind === 'pivot' ? group.beforeMost : 0);
}

function nearBehind({ forms }: Group): number {
  return Math.max(...forms.map(({ source }) => (source.context?.within ?? 0) * UTF8_BYTES_MAX));
}

function writeFolds(section: Section): void {
  section.u32(L.H_FOLDS, FOLDS.length);
  section.u32(
    L.H_FOLD_LEADS,
    FOLDS.reduce((leads, { from, to }) => {
      for (let lead = from >> 12; lead <= Math.min(to >> 12, 15); lead += 1) leads |= 1 << lead;
      return leads;
    }, 0),
  );
  const blocks = new Uint8Array((CODE_POINTS >> 8) >> 3);
  const bytes = new Uint8Array(FOLDS.length * L.FOLD_BYTES);
  const view = new DataView(bytes.buffer);
  FOLDS.forEach((fold, i) => {
    view.setUint32(i * L.FOLD_BYTES, fold.from, true);
    view.setUint32(i * L.FOLD_BYTES + 4, fold.to + FOLD_KINDS[fold.kind] * 0x1000000, true);
    view.setUint32(i * L.FOLD_BYTES + 8, fold.kind === 'drop' ? 0 : fold.becomes, true);
    for (let block = fold.from >> 8; block <= fold.to >> 8; block += 1)
      blocks[block >> 3] = (blocks[block >> 3] ?? 0) | (1 << (block & 7));
  });
  section.u32(L.H_FOLDS_AT, section.block(bytes));
  section.u32(L.H_FOLD_BLOCKS_AT, section.block(blocks));
}

function writeBuckets(section: Section, groups: readonly Group[]): void {
  const buckets = bucketsOf(groups);
  section.u32(L.H_WIDE, buckets.length > L.BUCKETS_NARROW ? 1 : 0);
  buckets.forEach((bucket, number) => {
    section.u32(L.H_BUCKETS + 4 * number, writeAnchors(section, bucket.entries));
    bucket.bytes.forEach((set, i) =>
      writeHalves(section, L.H_PREFILTER + (number >> 3) * L.PREFILTER_BYTES + i * 32, set, number & 7),
    );
    rarestPair(bucket.bytes).forEach((set, i) => writeHalves(section, L.H_PAIRS + i * 32, set, number & 7));
  });
}

function writeHalves(section: Section, table: number, set: ByteSet, bit: number): void {
  const { low, high } = halvesOf(set);
  for (let half = 0; half < 16; half += 1) {
    if ((low >> half) & 1) section.setBit(table + half, bit);
    if ((high >> half) & 1) section.setBit(table + 16 + half, bit);
  }
}

function writeAnchors(section: Section, entries: Bucket['entries']): number {
  const words = entries.flatMap(({ group, anchor }) => {
    const masks = anchor.bytes.map(maskOf);
    return [
      group + anchor.backLeast * 0x10000 + anchor.backMost * 0x1000000,
      littleEndian(masks.map((each) => each?.mask ?? 0)),
      littleEndian(masks.map((each) => each?.value ?? 0)),
      ...anchor.bytes.map((set, i) => (masks[i] === null ? section.block(setBytes(set)) : 0)),
    ];
  });
  return section.block(u32s([entries.length, ...words]));
}

/** What begins with a long run of token characters, and which those are. */
function writeRuns(section: Section, groups: readonly Group[]): void {
  const entries = groups.flatMap(({ kind, anchors }, group) =>
    kind === 'run' ? anchors.map((anchor) => ({ group, anchor })) : [],
  );
  section.u32(L.H_RUNS, writeAnchors(section, entries));
  for (const byte of bytesOf(TOKEN_BYTES)) {
    section.setBit(L.H_TOKENS + (byte & 15), byte >> 4);
    section.setBit(L.H_TOKENS + 16 + (byte >> 4), byte >> 4);
  }
}

function writeForm(section: Section, at: number, { detector, source, longest }: CompiledForm): void {
  section.u8(at + L.FORM_DETECTOR, detector);
  section.u8(at + L.FORM_VALIDATOR, source.validator === undefined ? L.VALIDATOR_NONE : VALIDATORS[source.validator]);
  section.u8(at + L.FORM_WHERE, source.context === undefined ? L.WHERE_NOWHERE : WHERE[source.context.where]);
  section.u16(at + L.FORM_WITHIN, source.context?.within ?? 0);
  section.u32(
    at + L.FORM_WORDS_AT,
    source.context === undefined ? 0 : section.block(encodeWords(source.context.words)),
  );
  section.u32(at + L.FORM_LONGEST, longest);
}

function writeGroup(section: Section, at: number, group: Group, firstForm: number): void {
  const mask = (holds: (form: CompiledForm) => boolean): number =>
    group.forms.reduce((bits, form, i) => (holds(form) ? bits | (1 << i) : bits), 0) >>> 0;
  section.u8(at + L.GROUP_FORMS, group.forms.length);
  section.u16(at + L.GROUP_FIRST_FORM, firstForm);
  for (const [name, kind] of Object.entries(BOUNDARIES)) {
    section.u32(
      at + L.GROUP_BEFORE + 4 * kind,
      mask(({ source }) => source.boundary.before === name),
    );
    section.u32(
      at + L.GROUP_AFTER + 4 * kind,
      mask(({ source }) => source.boundary.after === name),
    );
  }
  section.u32(
    at + L.GROUP_ALL_ENDS,
    mask(
      ({ source }) =>
        source.validator !== undefined || (source.context !== undefined && source.context.where !== 'before'),
    ),
  );
  section.u32(
    at + L.GROUP_HEADS,
    mask(({ source }) => source.validator === 'payment_card' && source.boundary.after !== 'none'),
  );
  section.u32(
    at + L.GROUP_CONTEXT_BEFORE,
    mask(({ source }) => source.context?.where === 'before'),
  );
  section.u32(
    at + L.GROUP_WITHIN_MOST,
    Math.max(0, ...group.forms.map(({ source }) => (source.context?.where === 'before' ? source.context.within : 0))),
  );
  section.u32(at + L.GROUP_FORWARD_MOST, Math.max(...group.forms.map(({ longest }) => longest)));
  switch (group.kind) {
    case 'prefix':
      section.u8(at + L.GROUP_KIND, L.KIND_PREFIX);
      section.u32(at + L.GROUP_FORWARD_AT, writeAutomaton(section, group.forward));
      return;
    case 'run':
      section.u8(at + L.GROUP_KIND, L.KIND_RUN);
      section.u32(at + L.GROUP_FORWARD_AT, writeAutomaton(section, group.forward));
      return;
    case 'near':
      section.u8(at + L.GROUP_KIND, L.KIND_NEAR);
      section.u32(at + L.GROUP_FORWARD_AT, writeAutomaton(section, group.forward));
      return;
    case 'bitset':
      section.u8(at + L.GROUP_KIND, L.KIND_BITSET);
      section.u32(at + L.GROUP_FORWARD_AT, writeBitset(section, group.positions));
      return;
    case 'pivot':
      section.u8(at + L.GROUP_KIND, L.KIND_PIVOT);
      section.u32(at + L.GROUP_FORWARD_AT, writeAutomaton(section, group.forward));
      section.u32(at + L.GROUP_BACKWARD_AT, writeAutomaton(section, group.backward));
      section.u32(at + L.GROUP_TAIL_AT, writeAutomaton(section, group.tail));
      section.u32(at + L.GROUP_BACKWARD_MOST, group.beforeMost);
      return;
  }
}

function writeAutomaton(section: Section, { classes, classCount, start, states }: Automaton): number {
  // Dead first, then states that do not accept, then those that do: one comparison tells.
  const order = [...states.keys()].sort((a, b) => rank(a) - rank(b) || a - b);
  function rank(state: number): number {
    return state === 0 ? 0 : states[state]?.accepts === 0 ? 1 : 2;
  }
  const rowOf = new Map(order.map((state, row) => [state, row]));
  const wide = states.length > L.DFA_NARROW_STATES_MAX;
  const cells = (numbers: readonly number[]): Uint8Array => (wide ? u16s(numbers) : Uint8Array.from(numbers));
  const infos: number[] = [];
  const infoOf = (accepts: number, later: number): number => {
    for (let i = 0; i < infos.length; i += 2) if (infos[i] === accepts && infos[i + 1] === later) return i / 2;
    infos.push(accepts, later);
    return infos.length / 2 - 1;
  };
  const rows = order.flatMap((number) => (states[number]?.next ?? []).map((next) => rowOf.get(next) ?? 0));
  const numbers = order.map((number) => infoOf(states[number]?.accepts ?? 0, states[number]?.later ?? 0));
  const plain = states.filter(({ accepts }) => accepts === 0).length;
  const bytes = new Uint8Array(L.DFA_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(L.DFA_CLASSES_AT, section.block(classes), true);
  view.setUint32(L.DFA_ROWS_AT, section.block(cells(rows)), true);
  view.setUint32(L.DFA_INFO_NUMBERS_AT, section.block(cells(numbers)), true);
  view.setUint32(L.DFA_INFOS_AT, section.block(u32s(infos)), true);
  view.setUint16(L.DFA_START, rowOf.get(start) ?? 0, true);
  view.setUint16(L.DFA_CLASSES, classCount, true);
  view.setUint16(L.DFA_FIRST_ACCEPT, plain, true);
  view.setUint16(L.DFA_WIDE, wide ? 1 : 0, true);
  return section.block(bytes);
}

function writeGlance(section: Section, glance: Glance): number {
  const { groups, classes, classCount, heads, signs, rows, sets } = glance;
  const words = groups.map(({ group, firstBit, forms }) => group + firstBit * 0x10000 + forms * 0x1000000);
  return section.block(
    u32s([
      groups.length,
      section.block(u32s(words)),
      classCount,
      section.block(classes),
      section.block(heads),
      section.block(signs),
      section.block(rows),
      section.block(u32s(sets.flatMap((set) => [Number(BigInt.asUintN(32, set)), Number(set >> 32n)]))),
    ]),
  );
}

function writeBitset(section: Section, { reads, follow, first, last }: Positions): number {
  const distinct = [...new Set(reads)];
  const keys = Array.from({ length: 256 }, (_, byte) =>
    distinct.map((set) => (hasByte(set, byte) ? '1' : '0')).join(''),
  );
  const kinds = [...new Set(keys)];
  const classes = new Uint8Array(keys.map((key) => kinds.indexOf(key)));
  const readers = kinds.map((kind) =>
    reads.flatMap((set, position) => (hasByte(set, keys.indexOf(kind)) ? [position] : [])),
  );
  const bytes = new Uint8Array(L.BITSET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(L.BITSET_CLASSES_AT, section.block(classes), true);
  view.setUint32(L.BITSET_READS_AT, section.block(joinBytes(readers.map(bits))), true);
  view.setUint32(L.BITSET_FOLLOW_AT, section.block(joinBytes(follow.map((set) => bits([...set])))), true);
  bytes.set(bits([...first]), L.BITSET_FIRST);
  bytes.set(bits([...last]), L.BITSET_LAST);
  return section.block(bytes);
}

function bits(positions: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(L.BITSET_POSITIONS_MAX / 8);
  for (const position of positions) bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (1 << (position & 7));
  return bytes;
}

function setBytes(set: ByteSet): Uint8Array {
  const bytes = new Uint8Array(32);
  for (const byte of bytesOf(set)) bytes[byte >> 3] = (bytes[byte >> 3] ?? 0) | (1 << (byte & 7));
  return bytes;
}

/** The mask under which the set's bytes, and no others, are one value; null where there is none. */
function maskOf(set: ByteSet): { readonly mask: number; readonly value: number } | null {
  const bytes = bytesOf(set);
  const ones = bytes.reduce((bits, byte) => bits & byte, 0xff);
  const mask = 0xff & ~(bytes.reduce((bits, byte) => bits | byte, 0) ^ ones);
  const free = 8 - [...mask.toString(2)].filter((bit) => bit === '1').length;
  return bytes.length === 1 << free ? { mask, value: ones } : null;
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduce((word, byte, i) => word + byte * 2 ** (8 * i), 0);
}

function u16s(numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 2));
  numbers.forEach((value, i) => view.setUint16(i * 2, value, true));
  return new Uint8Array(view.buffer);
}

function u32s(numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((value, i) => view.setUint32(i * 4, value, true));
  return new Uint8Array(view.buffer);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A growing run of bytes with fields at known places. */
class Section {
  #bytes = new Uint8Array(4096);
  #length = 0;
  readonly #blocks = new Map<string, number>();

  /** Room for `size` zero bytes, aligned to 4. */
  reserve(size: number): number {
    const at = (this.#length + 3) & ~3;
    this.#length = at + size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }

  /** The place of these bytes; the same as before where equal ones were written. */
  block(bytes: Uint8Array): number {
    const key = bytes.join();
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#blocks.set(key, at);
    return at;
  }

  u8(at: number, value: number): void {
    this.#view().setUint8(at, value);
  }

  u16(at: number, value: number): void {
    this.#view().setUint16(at, value, true);
  }

  u32(at: number, value: number): void {
    this.#view().setUint32(at, value, true);
  }

  setBit(at: number, bit: number): void {
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << bit);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, (this.#length + 15) & ~15);
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer);
  }
}
