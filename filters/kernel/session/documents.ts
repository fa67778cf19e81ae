/**
 * Whole documents without an exchange: one decision over given facts, and what the detectors find in one text. For
 * tools; traffic goes through sessions.
 */
import { Bytes } from '../bytes';
import { Arena, newFacts, newResult, renderDecision } from '../decision/api';
import { inputEvent, inputStore, loadInput } from '../decision/load-facts';
import { free } from '../memory';
import { decide } from '../policy';
import { scanText } from '../text/scan';

const answer: usize = memory.data(8, 8);
let kept: usize = 0;

/** Address of (address, bytes) of the decision's JSON; 0 when memory is exhausted. */
export function decideDocument(ptr: usize, length: u32): usize {
  const out = begin();
  if (out == 0) return 0;
  const facts = newFacts();
  const result = newResult();
  const arena = Arena.create();
  const complete = facts != 0 && result != 0 && changetype<usize>(arena) != 0;
  if (complete) {
    if (loadInput<Arena>(facts, arena, ptr, length)) decide(inputEvent, inputStore, facts, result);
    renderDecision(result, changetype<Bytes>(out));
  }
  if (changetype<usize>(arena) != 0) arena.destroy();
  free(facts);
  free(result);
  return complete ? end() : 0;
}

/** Address of (address, bytes) of the hits: detector, start, end, three u32 each; 0 when memory is exhausted. */
export function scanDocument(ptr: usize, length: u32): usize {
  const out = begin();
  return out != 0 && scanText(ptr, length, changetype<Bytes>(out)) ? end() : 0;
}

function begin(): usize {
  if (kept == 0) kept = changetype<usize>(Bytes.create());
  if (kept != 0) changetype<Bytes>(kept).clear();
  return kept;
}

function end(): usize {
  const out = changetype<Bytes>(kept);
  if (out.failed) return 0;
  store<u32>(answer, <u32>out.ptr);
  store<u32>(answer, out.len, 4);
  return answer;
}
