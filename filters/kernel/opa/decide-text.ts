/** One decision: from the input's text to a result block on the heap. */
import { inputEvent, inputStore, loadInput } from '../decision/load-facts';
import { decide, factsBytes, resultBytes } from '../policy';
import { Heap, heap, heapTop } from './heap';
import { withoutSets } from './values';

/** No input (0 bytes) is one that cannot be decided. */
export function decideText(input: usize, length: u32): usize {
  const arena = heap();
  const facts = arena.take(factsBytes());
  const result = arena.take(resultBytes());
  memory.fill(facts, 0, factsBytes());
  memory.fill(result, 0, resultBytes());
  let isRead = loadInput<Heap>(facts, arena, input, length);
  if (!isRead && length != 0) {
    const plain = withoutSets(input, length);
    if (plain != 0) isRead = loadInput<Heap>(facts, arena, plain, <u32>(heapTop() - plain));
  }
  if (isRead) decide(inputEvent, inputStore, facts, result);
  return result;
}
