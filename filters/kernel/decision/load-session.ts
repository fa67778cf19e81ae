/** Facts that come to a session as JSON objects: the claims of the verified caller, and the metadata of one chunk. */
import { FACT_FAILED, T_FACTS } from '../abi';
import { Arena } from './arena';
import { FACTS_CLAIMS, STORE_METADATA } from './layout';
import { loadObject, setAllFacts } from './load-facts';
import { section, storeRecord } from './tables';

/** Sets every fact of the caller. False where the text is no JSON object: all of them have failed then. */
export function loadClaims(facts: usize, arena: Arena, json: usize, length: u32): bool {
  return loadObject<Arena>(load<u32>(section(T_FACTS), FACTS_CLAIMS), facts, arena, json, length, true, true);
}

/** Nobody was identified: every fact of the caller has failed, those with an `else` too. */
export function failClaims(facts: usize): void {
  setAllFacts(load<u32>(section(T_FACTS), FACTS_CLAIMS), facts, FACT_FAILED);
}

/** Sets every fact of the chunks of a store. False where the text is no JSON object: all of them have failed then. */
export function loadMetadata(facts: usize, arena: Arena, store: u32, json: usize, length: u32): bool {
  return loadObject<Arena>(load<u32>(storeRecord(store), STORE_METADATA), facts, arena, json, length, true, true);
}
