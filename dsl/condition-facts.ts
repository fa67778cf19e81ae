/** What a typed condition reads. One traversal, for every check and consumer that asks. */
import type { AttributeRef, Condition } from './program.ts';

/** Every attribute that the condition reads, in order of writing, repetitions included. */
export function attributesOf(condition: Condition): AttributeRef[] {
  const found: AttributeRef[] = [];
  collect(condition, found);
  return found;
}

/** Where it first reads the model: an attribute of it or its name. */
export function readsModel(condition: Condition): Condition | AttributeRef | null {
  const attribute = attributesOf(condition).find((each) => each.root === 'model');
  return attribute ?? findModelIs(condition);
}

function collect(condition: Condition, found: AttributeRef[]): void {
  switch (condition.kind) {
    case 'and':
    case 'or':
      for (const operand of condition.operands) collect(operand, found);
      return;
    case 'not':
      collect(condition.operand, found);
      return;
    case 'compare':
    case 'overlaps':
    case 'subsetOf':
      found.push(condition.left);
      if (condition.right.kind === 'attribute') found.push(condition.right);
      return;
    case 'setContains':
      found.push(condition.set);
      for (const member of condition.members) if (member.kind === 'attribute') found.push(member);
      return;
    case 'containsDetector':
    case 'containsWords':
      found.push(condition.text);
      return;
    case 'quantified':
      found.push(condition.collection);
      collect(condition.body, found);
      return;
    case 'known':
    case 'isTrue':
    case 'oneOf':
    case 'containsText':
    case 'inList':
    case 'inHours':
      found.push(condition.attribute);
      return;
    case 'modelIs':
    case 'switch':
    case 'approvedBy':
    case 'unredacted':
      return;
  }
}

function findModelIs(condition: Condition): Condition | null {
  switch (condition.kind) {
    case 'modelIs':
      return condition;
    case 'and':
    case 'or':
      return condition.operands.map(findModelIs).find((each) => each !== null) ?? null;
    case 'not':
      return findModelIs(condition.operand);
    case 'quantified':
      return findModelIs(condition.body);
    default:
      return null;
  }
}
