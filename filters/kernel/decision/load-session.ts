/**
 * Facts that come to a session as JSON objects: the claims of the verified caller, the metadata of one chunk, the
 * arguments of one call.
 */
import { FACT_FAILED, T_FACTS } from '../abi';
import { Arena } from './arena';
import { FACTS_CLAIMS, STORE_METADATA, TOOL_ARGUMENTS } from './layout';
import { loadObject, setAllFacts } from './load-facts';
import { section, storeRecord, toolRecord } from './tables';

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

/** Sets every fact of a call's arguments. False where the text is no JSON object: all of them have failed then. */
export function loadArguments(facts: usize, arena: Arena, tool: u32, json: usize, length: u32): bool {
  return loadObject<Arena>(load<u32>(toolRecord(tool), TOOL_ARGUMENTS), facts, arena, json, length, true, true);
}
