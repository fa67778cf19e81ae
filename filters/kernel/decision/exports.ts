/** What the compiled `decide` calls. An entry beside every kernel's own; the linker takes the exports away again. */
export {
  bitsHave as decision_bits_have,
  bitsOverlap as decision_bits_overlap,
  bitsWithin as decision_bits_within,
  inHours as decision_in_hours,
  setHas as decision_set_has,
  setsOverlap as decision_sets_overlap,
  setWithinBits as decision_set_within_bits,
  setWithin as decision_set_within,
  textContains as decision_text_contains,
  textIs as decision_text_is,
  worstCase as decision_worst_case,
} from './compare';

/** First byte behind the kernel's static data: the linker puts the policy's tables there. */
export function decision_heap_base(): usize {
  return __heap_base;
}
