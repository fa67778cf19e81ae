/** Relations: an attribute and what is said of it. One function a relation, in a table that must be complete. */
import { diagnostic, type Help, help, replaceWith } from '../diagnostic.ts';
import type { AttributeRef, Condition, Operand, ScalarValue, Type } from '../program.ts';
import { cover, type Span } from '../source.ts';
import type { ConditionNode, Name, Operand as OperandNode, Relation } from '../syntax-tree.ts';
import { attributeOf, declaredLabel, isRoot } from './attributes.ts';
import type { ConditionScope } from './condition-scope.ts';
import { noteUnenforced, report, resolve } from './context.ts';
import { resolveDetectors } from './detector-names.ts';
import { isOrdered, isScalar, sameType, typeWording } from './types.ts';
import { bareName, checkScalar, checkValue, writtenWording } from './values.ts';

const COMPLEXITY_MAX = 1000;

type RelationNode = Extract<ConditionNode, { kind: 'relation' }>;
type Check<K extends Relation['kind']> = (
  scope: ConditionScope,
  node: RelationNode,
  relation: Extract<Relation, { readonly kind: K }>,
  span: Span,
) => Condition | null;

export function checkRelation(scope: ConditionScope, node: RelationNode): Condition | null {
  const span = scope.usedAt ?? node.span;
  const check = CHECKS[node.relation.kind] as Check<Relation['kind']>;
  const condition = check(scope, node, node.relation, span);
  return condition !== null && node.negated ? { kind: 'not', operand: condition, span } : condition;
}

const CHECKS: { readonly [K in Relation['kind']]: Check<K> } = {
  holds: (scope, node, _, span) => {
    const attribute = usable(scope, node);
    if (attribute === null) return null;
    if (attribute.type.kind === 'bool') return { kind: 'isTrue', attribute, span };
    report(
      scope.context,
      diagnostic('E0310', span, `\`${textOf(node)}\` is ${typeWording(attribute.type)}, not true or false`, {
        labels: [declaredLabel(attribute, typeWording(attribute.type))],
        help: [help('say what must hold of it, such as `is …` or `contains …`')],
      }),
    );
    return null;
  },

  known: (scope, node, _, span) => {
    const attribute = attributeOf(scope, node.left);
    if (attribute === null) return null;
    if (attribute.optional) return { kind: 'known', attribute, span };
    report(
      scope.context,
      diagnostic('E0307', span, `\`${textOf(node)}\` is always known`, {
        labels: [declaredLabel(attribute, 'not `optional`')],
        help: [
          help(attribute.declared === null ? 'leave this out' : 'leave this out, or declare the attribute `optional`'),
        ],
      }),
    );
    return null;
  },

  unredacted: (scope, node, relation, span) => {
    const name = node.left.parts.length === 1 ? node.left.parts[0] : undefined;
    if (!scope.inGuarantee) return guaranteeOnly(scope, relation.span, 'is unredacted');
    if (name === undefined) {
      report(
        scope.context,
        diagnostic('E0308', span, 'a detector stands before `is unredacted`', {
          help: [help('such as `payment_card is unredacted`')],
        }),
      );
      return null;
    }
    const detectors = resolveDetectors(scope.context, { ...name, span: scope.usedAt ?? name.span });
    return detectors === null ? null : { kind: 'unredacted', detectors, span };
  },

  oneOf: (scope, node, relation, span) => {
    if (isModel(node)) return modelIs(scope, relation.values, span);
    const attribute = usable(scope, node);
    if (attribute === null) return null;
    const { type } = attribute;
    if (!isScalar(type)) return notComparable(scope, node, attribute, span);
    const why = declaredLabel(attribute, typeWording(type));
    const values = relation.values
      .map((value) => checkScalar(scope.context, value, type, why))
      .filter((value) => value !== null);
    return values.length === relation.values.length ? { kind: 'oneOf', attribute, values, span } : null;
  },

  inList: (scope, node, relation, span) => {
    const attribute = usable(scope, node);
    const list = resolve(scope.context, 'list', relation.list);
    const element = scope.context.typed.lists.get(relation.list.text);
    if (attribute === null || list === null || element === undefined) return null;
    if (!sameType(attribute.type, element)) {
      report(
        scope.context,
        diagnostic(
          'E0316',
          span,
          `\`${relation.list.text}\` holds ${typeWording(element)} and not ${typeWording(attribute.type)}`,
          {
            labels: [
              declaredLabel(attribute, typeWording(attribute.type)),
              { span: list.name.span, message: `a list of ${element.kind}` },
            ],
          },
        ),
      );
      return null;
    }
    return { kind: 'inList', attribute, list: relation.list.text, span };
  },

  inHours: (scope, node, relation, span) => {
    const attribute = usable(scope, node);
    const hours = resolve(scope.context, 'hours', relation.hours);
    if (attribute === null || hours === null) return null;
    if (attribute.type.kind !== 'time') {
      report(
        scope.context,
        diagnostic('E0315', span, `\`${textOf(node)}\` is ${typeWording(attribute.type)}, not a time`, {
          help: [help('the instant of the request is `now`')],
        }),
      );
      return null;
    }
    return { kind: 'inHours', attribute, hours: relation.hours.text, span };
  },

  approvedBy: (scope, node, relation, span) => {
    if (!scope.inGuarantee || scope.event === null) return guaranteeOnly(scope, relation.span, 'is approved by');
    const what = textOf(node);
    const subject = scope.event === 'retrieval' ? 'chunk' : scope.event;
    if (what !== subject) {
      report(
        scope.context,
        diagnostic('E0308', span, `only \`${subject}\` can be approved here, not \`${what}\``, {
          help: [replaceWith(node.left.span, subject)],
        }),
      );
      return null;
    }
    return resolve(scope.context, 'reviewers', relation.reviewers) === null
      ? null
      : {
          kind: 'approvedBy',
          event: scope.event,
          reviewers: relation.reviewers.text,
          span,
        };
  },

  compare: (scope, node, relation, span) => {
    if (isModel(node)) {
      if (relation.operator === 'is') return modelIs(scope, [relation.right], span);
      report(
        scope.context,
        diagnostic('E0305', span, 'models have no order', {
          help: [help('compare an attribute of the model, such as `model.clearance`')],
        }),
      );
      return null;
    }
    const left = usable(scope, node);
    if (left === null) return null;
    if (!isScalar(left.type)) return notComparable(scope, node, left, span);
    if (relation.operator !== 'is' && !isOrdered(left.type)) return unordered(scope, node, left, relation.span);
    const right = operand(scope, node, relation.right, left, left.type);
    if (
      right?.kind === 'literal' &&
      left.root === 'prompt' &&
      left.name === 'complexity' &&
      right.value.kind === 'int' &&
      right.value.value > COMPLEXITY_MAX
    ) {
      report(
        scope.context,
        diagnostic('W0301', right.span, `\`prompt.complexity\` is never above ${COMPLEXITY_MAX}`, {
          help: [
            help(`it is a score from 0 to ${COMPLEXITY_MAX}; the length of a prompt is \`prompt.tokens_estimate\``),
          ],
        }),
      );
    }
    return right === null ? null : { kind: 'compare', operator: relation.operator, left, right, span };
  },

  subsetOf: (scope, node, relation, span) => setRelation(scope, node, relation.right, 'subsetOf', span),
  overlaps: (scope, node, relation, span) => setRelation(scope, node, relation.right, 'overlaps', span),

  contains: (scope, node, relation, span) => {
    const attribute = usable(scope, node);
    if (attribute === null) return null;
    const { type } = attribute;
    if (relation.includingRestored && type.kind !== 'content') {
      report(scope.context, diagnostic('E0308', span, '`including restored` is said of scanned text only'));
    }
    if (type.kind === 'content') return containsInContent(scope, attribute, relation, span);
    if (type.kind === 'set') return containsInSet(scope, node, attribute, type, relation.values, span);
    if (type.kind === 'text') {
      const values = relation.values.map((value) =>
        checkScalar(scope.context, value, { kind: 'text' }, declaredLabel(attribute, 'a text')),
      );
      const texts = values.filter((value) => value?.kind === 'text').map((value) => value.value);
      return texts.length === values.length ? { kind: 'containsText', attribute, texts, span } : null;
    }
    const first = relation.values[0];
    const fix: Help | null =
      first !== undefined && relation.values.length === 1
        ? replaceWith(relation.span, `is ${sourceText(first)}`, `did you mean \`is ${sourceText(first)}\`?`)
        : null;
    report(
      scope.context,
      diagnostic('E0308', relation.span, `\`${textOf(node)}\` is ${typeWording(type)} and contains nothing`, {
        labels: [declaredLabel(attribute, typeWording(type))],
        help: [fix],
      }),
    );
    return null;
  },
};

/** The attribute on the left, where an optional one is known. */
function usable(scope: ConditionScope, node: RelationNode): AttributeRef | null {
  const attribute = attributeOf(scope, node.left);
  return attribute === null
    ? null
    : knownOrReported(scope, attribute, node.left.parts.map((part) => part.text).join('.'), node.span);
}

function knownOrReported(
  scope: ConditionScope,
  attribute: AttributeRef,
  path: string,
  whole: Span,
): AttributeRef | null {
  if (!attribute.optional || scope.known.has(path)) return attribute;
  const span = scope.usedAt ?? whole;
  report(
    scope.context,
    diagnostic('E0306', span, `\`${path}\` may have no value here`, {
      labels: [declaredLabel(attribute, '`optional`')],
      help: [
        {
          message: `say what holds then: \`${path} is known and …\`, or \`${path} is not known or …\``,
          edits:
            scope.usedAt === null
              ? [
                  {
                    span: { ...whole, end: whole.start },
                    text: `(${path} is known and `,
                  },
                  { span: { ...whole, start: whole.end }, text: ')' },
                ]
              : [],
        },
      ],
    }),
  );
  return null;
}

function operand(
  scope: ConditionScope,
  node: RelationNode,
  right: OperandNode,
  left: AttributeRef,
  type: Type,
): Operand | null {
  const name = bareName(right);
  const isAttribute =
    right.kind === 'path' && (name === null || name.text === 'now' || (isRoot(name.text) && type.kind !== 'enum'));
  if (isAttribute) {
    const found = attributeOf(scope, right);
    if (found === null) return null;
    if (!sameType(found.type, type)) {
      report(
        scope.context,
        diagnostic(
          'E0301',
          scope.usedAt ?? cover(node.left.span, right.span),
          `${typeWording(type)} and ${typeWording(found.type)} cannot be compared`,
          {
            labels: [declaredLabel(left, typeWording(left.type)), declaredLabel(found, typeWording(found.type))],
            help: [overlapsFix(node.relation, found)],
          },
        ),
      );
      return null;
    }
    return knownOrReported(scope, found, right.parts.map((part) => part.text).join('.'), node.span);
  }
  const value = checkValue(scope.context, right, type, declaredLabel(left, typeWording(left.type)));
  return value === null ? null : { kind: 'literal', value, type, span: scope.usedAt ?? right.span };
}

/** `a contains b`, of two sets. */
function overlapsFix(relation: Relation, right: AttributeRef): Help | null {
  const [value, second] = relation.kind === 'contains' ? relation.values : [];
  if (right.type.kind !== 'set' || value === undefined || second !== undefined) return null;
  return replaceWith(
    relation.span,
    `overlaps ${sourceText(value)}`,
    `two sets that have a member in common: \`overlaps ${sourceText(value)}\``,
  );
}

function setRelation(
  scope: ConditionScope,
  node: RelationNode,
  right: OperandNode,
  kind: 'overlaps' | 'subsetOf',
  span: Span,
): Condition | null {
  const left = usable(scope, node);
  if (left === null) return null;
  if (left.type.kind !== 'set') {
    const words = kind === 'overlaps' ? 'overlaps' : 'subset of';
    report(
      scope.context,
      diagnostic(
        'E0309',
        span,
        `\`${words}\` compares two sets, and \`${textOf(node)}\` is ${typeWording(left.type)}`,
        {
          labels: [declaredLabel(left, typeWording(left.type))],
        },
      ),
    );
    return null;
  }
  const found = operand(scope, node, right, left, left.type);
  return found === null ? null : { kind, left, right: found, span };
}

/** Detectors and words may stand in one list: either kind that hits is enough. */
function containsInContent(
  scope: ConditionScope,
  text: AttributeRef,
  relation: Extract<Relation, { kind: 'contains' }>,
  span: Span,
): Condition | null {
  const { context } = scope;
  const { includingRestored } = relation;
  const words: string[] = [];
  const detectors = new Set<string>();
  let whole = true;
  for (const value of relation.values) {
    const name = bareName(value);
    if (value.kind === 'text' && value.value.trim() !== '') {
      words.push(value.value);
    } else if (name !== null) {
      const found = resolveDetectors(context, { ...name, span: scope.usedAt ?? name.span });
      for (const each of found ?? []) detectors.add(each);
      whole &&= found !== null;
    } else {
      const what = value.kind === 'text' ? 'an empty text, which is in every text' : writtenWording(value);
      report(
        context,
        diagnostic(
          'E0308',
          scope.usedAt ?? value.span,
          `text contains detectors or words in quotes, and this is ${what}`,
        ),
      );
      whole = false;
    }
  }
  if (!whole) return null;
  const operands: Condition[] = [];
  if (detectors.size > 0)
    operands.push({ kind: 'containsDetector', text, detectors: [...detectors].sort(), includingRestored, span });
  if (words.length > 0) operands.push({ kind: 'containsWords', text, words, includingRestored, span });
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind: 'or', operands, span };
}

function containsInSet(
  scope: ConditionScope,
  node: RelationNode,
  set: AttributeRef,
  type: Extract<Type, { kind: 'set' }>,
  values: readonly OperandNode[],
  span: Span,
): Condition | null {
  const members: (ScalarValue | AttributeRef)[] = [];
  for (const value of values) {
    const found = operand(scope, node, value, set, type.element);
    if (found === null) return null;
    if (found.kind === 'attribute') members.push(found);
    else if (found.value.kind !== 'set') members.push(found.value);
  }
  return { kind: 'setContains', set, members, span };
}

function isModel(node: RelationNode): boolean {
  return node.left.parts.length === 1 && node.left.parts[0]?.text === 'model';
}

function modelIs(scope: ConditionScope, values: readonly OperandNode[], span: Span): Condition | null {
  if (scope.event !== null && !['prompt', 'completion', 'toolCall', 'exchange'].includes(scope.event)) {
    report(scope.context, diagnostic('E0207', span, '`model` is not known here'));
    return null;
  }
  const names: (Name | null)[] = values.map(bareName);
  const models = names.map((name, index) => {
    const value = values[index];
    if (name !== null) return resolve(scope.context, 'model', { ...name, span: scope.usedAt ?? name.span });
    if (value !== undefined) {
      report(
        scope.context,
        diagnostic('E0301', value.span, `a model is needed here, and this is ${writtenWording(value)}`, {
          help: [help('models are named as they are declared, without quotes')],
        }),
      );
    }
    return null;
  });
  const found = models.filter((model) => model !== null).map((model) => model.name.text);
  return found.length === values.length ? { kind: 'modelIs', models: [...new Set(found)].sort(), span } : null;
}

function notComparable(scope: ConditionScope, node: RelationNode, attribute: AttributeRef, span: Span): null {
  const { type } = attribute;
  report(
    scope.context,
    diagnostic('E0301', span, `\`${textOf(node)}\` is ${typeWording(type)}, which cannot be compared so`, {
      labels: [declaredLabel(attribute, typeWording(type))],
      help: [
        help(
          type.kind === 'set'
            ? 'of sets one says `contains`, `overlaps` or `subset of`'
            : type.kind === 'content'
              ? 'of scanned text one says `contains`'
              : 'of collections one says `some m in … has (…)`',
        ),
      ],
    }),
  );
  return null;
}

function unordered(scope: ConditionScope, node: RelationNode, left: AttributeRef, span: Span): null {
  const declared = left.type.kind === 'enum' ? scope.context.typed.enums.get(left.type.name) : undefined;
  report(
    scope.context,
    diagnostic('E0305', scope.usedAt ?? span, `\`${textOf(node)}\` is ${typeWording(left.type)}, which has no order`, {
      labels: [
        declared === undefined || declared.span.file === ''
          ? declaredLabel(left, typeWording(left.type))
          : {
              span: declared.span,
              message: 'declared with `|`, without order',
            },
      ],
      help: [
        help(
          declared === undefined
            ? 'compare with `is`'
            : `compare with \`is one of (…)\`, or declare the order: \`${declared.name} = ${declared.members.join(' < ')}\``,
        ),
      ],
    }),
  );
  return null;
}

function guaranteeOnly(scope: ConditionScope, span: Span, words: string): null {
  report(scope.context, diagnostic('E0313', scope.usedAt ?? span, `\`${words}\` can be said in a \`guarantee\` only`));
  return null;
}

function textOf(node: RelationNode): string {
  return node.left.parts.map((part) => part.text).join('.');
}

function sourceText(value: OperandNode): string {
  return value.kind === 'path'
    ? value.parts.map((part) => part.text).join('.')
    : value.kind === 'text'
      ? `"${value.value}"`
      : value.kind === 'number'
        ? value.text
        : '…';
}
