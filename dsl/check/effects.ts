/** Effects: THE table of event × effect, and what each effect needs. */
import { diagnostic, help, label } from '../diagnostic.ts';
import { EVENT_KINDS, EVENT_WORDING } from '../events.ts';
import { CLAUSE_WORDING } from '../grammar/clauses-of.ts';
import type { Effect, EffectKind, EventKind, RedactMode, ScalarValue } from '../program.ts';
import type { EffectClause, Literal, Path, RedactModeNode } from '../syntax-tree.ts';
import { exactNumber } from '../units.ts';
import { attributeOf } from './attributes.ts';
import { checkForEach } from './clauses.ts';
import type { ConditionScope } from './condition-scope.ts';
import { checkCondition } from './conditions.ts';
import { type Context, noteUnenforced, report, resolve } from './context.ts';
import { resolveDetectors } from './detector-names.ts';
import { isOrdered, typeWording } from './types.ts';
import { checkCount, checkPositive, checkScalar, checkShare } from './values.ts';

const TRAFFIC: readonly EventKind[] = ['prompt', 'completion', 'toolCall', 'retrieval', 'ingest', 'egress'];

/** The events on which each effect may stand. The reference prints it. */
export const EVENTS_OF_EFFECT: { readonly [K in EffectKind]: readonly EventKind[] } = {
  allow: TRAFFIC,
  deny: TRAFFIC,
  useOnlyModels: ['prompt'],
  require: ['ingest'],
  buffer: ['completion'],
  allowChunk: ['retrieval'],
  withholdChunk: ['retrieval'],
  keepNewest: ['retrieval'],
  redact: ['prompt', 'completion', 'toolCall', 'retrieval', 'ingest'],
  dropCall: ['toolCall'],
  set: ['prompt'],
  record: ['prompt', 'completion', 'exchange'],
  hold: ['prompt', 'completion', 'toolCall'],
  limit: ['prompt'],
  tag: ['prompt', 'completion', 'toolCall', 'retrieval', 'ingest', 'exchange', 'egress'],
  notify: EVENT_KINDS,
  sample: ['prompt', 'completion', 'exchange'],
};

export const EFFECT_OF_CLAUSE: { readonly [K in EffectClause['kind']]: EffectKind } = {
  allow: 'allow',
  deny: 'deny',
  useOnly: 'useOnlyModels',
  require: 'require',
  buffer: 'buffer',
  allowChunk: 'allowChunk',
  withholdChunk: 'withholdChunk',
  keepNewest: 'keepNewest',
  redact: 'redact',
  dropCall: 'dropCall',
  setField: 'set',
  record: 'record',
  hold: 'hold',
  limitTo: 'limit',
  tag: 'tag',
  notify: 'notify',
  sample: 'sample',
};

export const HOLD_APPROVALS_MAX = 16;
export const MASK_KEEP_MAX = 8;

/** Null, and reported, if it is wrong. */
export function checkEffect(scope: ConditionScope, clause: EffectClause): Effect | null {
  const kind = EFFECT_OF_CLAUSE[clause.kind];
  const events = EVENTS_OF_EFFECT[kind];
  if (scope.event !== null && !events.includes(scope.event)) {
    const possible = (Object.keys(EFFECT_OF_CLAUSE) as EffectClause['kind'][]).filter(
      (each) => scope.event !== null && EVENTS_OF_EFFECT[EFFECT_OF_CLAUSE[each]].includes(scope.event),
    );
    report(
      scope.context,
      diagnostic(
        'E0401',
        clause.span,
        `\`${CLAUSE_WORDING[clause.kind]}\` has no meaning on ${EVENT_WORDING[scope.event]}`,
        {
          help: [
            help(`it stands on ${events.map((event) => EVENT_WORDING[event]).join(', ')}`),
            help(
              `on ${EVENT_WORDING[scope.event]} there is ${possible.map((each) => `\`${CLAUSE_WORDING[each]}\``).join(', ')}`,
            ),
          ],
        },
      ),
    );
    return null;
  }
  const check: (scope: ConditionScope, clause: never) => Effect | null = EFFECTS[clause.kind];
  return check({ ...scope, size: { parts: 0 } }, clause as never);
}

const EFFECTS: {
  readonly [K in EffectClause['kind']]: (
    scope: ConditionScope,
    clause: Extract<EffectClause, { readonly kind: K }>,
  ) => Effect | null;
} = {
  allow: (scope, { span }) => {
    doesNothing(scope, span);
    return { kind: 'allow', span };
  },
  deny: (_, { reason, span }) => ({ kind: 'deny', reason: reason?.value ?? null, span }),
  useOnly: (scope, { condition, span }) => {
    const checked = checkCondition(scope, condition);
    return checked === null ? null : { kind: 'useOnlyModels', condition: checked, span };
  },
  require: (scope, { condition, span }) => {
    const checked = checkCondition(scope, condition);
    return checked === null ? null : { kind: 'require', condition: checked, span };
  },
  buffer: (_, { span }) => ({ kind: 'buffer', span }),
  allowChunk: (scope, { condition, span }) => {
    doesNothing(scope, span);
    const checked = checkCondition(scope, condition);
    return checked === null ? null : { kind: 'allowChunk', condition: checked, span };
  },
  withholdChunk: (scope, { condition, say, span }) => {
    const checked = checkCondition(scope, condition);
    return checked === null ? null : { kind: 'withholdChunk', unless: checked, say: say?.value ?? null, span };
  },
  keepNewest: (scope, { newest, forEach, span }) => {
    const version = chunkAttribute(scope, newest);
    const key = chunkAttribute(scope, forEach);
    if (version !== null && !isOrdered(version.type)) {
      report(
        scope.context,
        diagnostic(
          'E0413',
          newest.span,
          `\`${version.name}\` is ${typeWording(version.type)}, and no one of them is the newest`,
          {
            labels: [label(version.declared, 'declared here')],
          },
        ),
      );
      return null;
    }
    return version === null || key === null ? null : { kind: 'keepNewest', newest: version, forEach: key, span };
  },
  redact: (scope, { detectors, includingRestored, mode, span }) => {
    const found = detectors.map((name) => resolveDetectors(scope.context, name));
    const checkedMode = checkMode(scope, mode);
    if (includingRestored && scope.event !== 'completion') {
      report(
        scope.context,
        diagnostic('E0401', span, '`including restored` is said of completions only: nothing is restored before', {
          help: [help('leave it out')],
        }),
      );
    }
    const names = found.filter((each) => each !== null).flat();
    if (found.includes(null) || checkedMode === null) return null;
    return { kind: 'redact', detectors: [...new Set(names)].sort(), includingRestored, mode: checkedMode, span };
  },
  dropCall: (_, { span }) => ({ kind: 'dropCall', span }),
  setField: (scope, { path, value, span }) => {
    const [root, ...rest] = path.parts.map((part) => part.text);
    if (root !== 'prompt' || rest.length === 0) {
      report(
        scope.context,
        diagnostic('E0202', path.span, 'what is set is a field of the prompt on the wire', {
          help: [help('such as `set prompt.store to false`')],
        }),
      );
      return null;
    }
    const checked = plainValue(scope.context, value);
    return checked === null ? null : { kind: 'set', path: rest, value: checked, span };
  },
  record: (scope, { duration, span }) => {
    const milliseconds = checkPositive(scope.context, duration, 'duration', null);
    return milliseconds === null ? null : { kind: 'record', milliseconds, span };
  },
  hold: (scope, { count, reviewers, duration, span }) => {
    // A prompt waits; what else could be held is not yet.
    if (scope.event !== 'prompt') noteUnenforced(scope.context, 'hold', scope.declaration, scope.event, span);
    const approvals = Number(count.text);
    const found = resolve(scope.context, 'reviewers', reviewers);
    const milliseconds = checkPositive(scope.context, duration, 'duration', null);
    if (!Number.isInteger(approvals) || approvals < 1 || approvals > HOLD_APPROVALS_MAX) {
      report(
        scope.context,
        diagnostic('E0409', count.span, `1 to ${HOLD_APPROVALS_MAX} approvals can be asked for, not ${count.text}`),
      );
      return null;
    }
    return found === null || milliseconds === null
      ? null
      : {
          kind: 'hold',
          count: approvals,
          reviewers: reviewers.text,
          milliseconds,
          span,
        };
  },
  limitTo: (scope, { path, to, span }) => {
    const attribute = attributeOf(scope, path);
    if (attribute === null) return null;
    if (attribute.root !== 'prompt' || attribute.name !== 'output_tokens') {
      report(
        scope.context,
        diagnostic('E0410', path.span, 'only `prompt.output_tokens` can be limited', {
          help: [
            { message: 'write `prompt.output_tokens`', edits: [{ span: path.span, text: 'prompt.output_tokens' }] },
          ],
        }),
      );
      return null;
    }
    const value = checkPositive(scope.context, to, 'tokens', null);
    return value === null ? null : { kind: 'limit', attribute, to: { kind: 'tokens', value }, span };
  },
  tag: (scope, { name, value, span }) => {
    const checked = plainValue(scope.context, value);
    return checked === null ? null : { kind: 'tag', name: name.text, value: checked, span };
  },
  notify: (scope, { recipient, span }) => {
    return resolve(scope.context, 'recipient', recipient) === null
      ? null
      : { kind: 'notify', recipient: recipient.text, span };
  },
  sample: (scope, { share, reviewers, span }) => {
    const millionths = checkShare(scope.context, share);
    const found = resolve(scope.context, 'reviewers', reviewers);
    return millionths === null || found === null
      ? null
      : { kind: 'sample', share: millionths, reviewers: reviewers.text, span };
  },
};

function checkMode(scope: ConditionScope, mode: RedactModeNode): RedactMode | null {
  switch (mode.kind) {
    case 'placeholder':
    case 'remove':
    case 'year':
      return { kind: mode.kind };
    case 'mask': {
      if (mode.keepLast === null) return { kind: 'mask', keepLast: 0 };
      const keepLast = checkCount(
        scope.context,
        mode.keepLast,
        1,
        MASK_KEEP_MAX,
        'the number of characters that are kept',
      );
      return keepLast === null ? null : { kind: 'mask', keepLast };
    }
    case 'pseudonym': {
      const forEach = checkForEach(scope, mode.forEach);
      if (forEach === null) return null;
      if (forEach.root === 'caller' || (forEach.root === 'chunk' && scope.event === 'retrieval'))
        return { kind: 'pseudonym', forEach };
      report(
        scope.context,
        diagnostic(
          'E0426',
          mode.forEach.span,
          'pseudonyms are the same within an attribute of the caller, or of a found chunk',
          {
            help: [
              help(
                'such as `pseudonym for each caller.id`: what a client writes itself would let it choose which values look alike',
              ),
            ],
          },
        ),
      );
      return null;
    }
  }
}

/** On an event that is allowed by default. */
function doesNothing(scope: ConditionScope, span: EffectClause['span']): void {
  const { policy } = scope.context.typed;
  if (policy === null || scope.event === null || policy.defaults[scope.event] !== 'allow') return;
  report(
    scope.context,
    diagnostic(
      'E0402',
      span,
      `this \`allow\` does nothing: ${EVENT_WORDING[scope.event]} is allowed by default; did you mean \`unless\`?`,
      {
        labels: [
          label(
            { ...policy.span, end: policy.span.start + 6 },
            `\`default ${EVENT_WORDING[scope.event]}: allow\` is written in here`,
          ),
        ],
        help: [
          help('an exception from a rule that denies is its `unless`'),
          help(`or write \`default ${EVENT_WORDING[scope.event]}: deny\`, and only what some rule allows passes`),
        ],
      },
    ),
  );
}

function chunkAttribute(scope: ConditionScope, path: Path): ReturnType<typeof checkForEach> {
  if (path.parts[0]?.text === 'chunk') return checkForEach(scope, path);
  report(
    scope.context,
    diagnostic('E0413', path.span, 'an attribute of the chunk is needed here', {
      help: [help('such as `keep newest chunk.version for each chunk.source`')],
    }),
  );
  return null;
}

/** A value whose type is its own. */
export function plainValue(context: Context, node: Literal): ScalarValue | null {
  if (node.kind === 'boolean') return { kind: 'bool', value: node.value };
  if (node.kind === 'number') {
    return checkScalar(
      context,
      node,
      (exactNumber(node.text)?.scale ?? 0) > 0
        ? {
            kind: 'decimal',
            scale: exactNumber(node.text)?.scale ?? 0,
          }
        : { kind: 'int' },
      null,
    );
  }
  return checkScalar(context, node, { kind: 'text' }, null);
}
