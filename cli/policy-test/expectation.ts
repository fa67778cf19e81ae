/** Whether what was expected came; if not, what came instead, in words. */
import type { Decision, Reason } from '../../compiler/plan/decision.ts';
import { tagText } from '../../compiler/lower/tags.ts';
import { list } from '../../compiler/report/describe.ts';
import type { Expectation } from '../../dsl/program.ts';
import type { Happened } from './exchange.ts';

/** Null: it came. */
export function unmet(expected: Expectation, happened: Happened): string | null {
  const { decision } = happened;
  if (decision === null) return `there was no decision: ${happened.refusal ?? 'nothing was sent'}`;
  switch (expected.kind) {
    case 'allow':
      return decision.outcome === 'allow' ? null : outcomeText(decision);
    case 'deny':
    case 'withheld':
      if (decision.outcome !== 'deny') return outcomeText(decision);
      return expected.by === null || decidedBy(decision).includes(expected.by)
        ? null
        : `it was denied, but not by \`${expected.by}\`: ${reasonsText(decision)}`;
    case 'redact': {
      if (decision.outcome === 'deny') return outcomeText(decision);
      const wrong = expected.detectors.filter(
        (name) =>
          !decision.redact.some(
            (each) => each.detector === name && (expected.by === null || each.rules.includes(expected.by)),
          ),
      );
      if (wrong.length === 0) return null;
      const redacted = decision.redact.map((each) => `${each.detector} by ${list(each.rules, 'and')}`);
      return `${list(wrong, 'and')} is not redacted${expected.by === null ? '' : ` by \`${expected.by}\``}; redacted is ${redacted.length === 0 ? 'nothing' : list(redacted, 'and')}`;
    }
    case 'sent':
      if (happened.sent === null) return `nothing was sent: ${outcomeText(decision)}`;
      return happened.sent === expected.text ? null : `what was sent is "${happened.sent}"`;
    case 'model':
      return decision.model === expected.model
        ? null
        : decision.model === null
          ? `no model was chosen: ${reasonsText(decision)}`
          : `the model is \`${decision.model}\``;
    case 'classification':
      return decision.classification === expected.level.name
        ? null
        : `the classification is \`${decision.classification ?? 'not known'}\``;
    case 'hold':
      if (decision.outcome !== 'hold') return decision.outcome === 'allow' ? 'it was allowed' : outcomeText(decision);
      return expected.by === null || decision.holds.some(({ rule }) => rule === expected.by)
        ? null
        : `it was held, but not by \`${expected.by}\`: ${holdsText(decision)}`;
    case 'record':
    case 'sample': {
      const kept = decision.keeps.filter(({ reviewers }) => (reviewers === null) === (expected.kind === 'record'));
      if (kept.some(({ rule }) => expected.by === null || nameOf(rule) === expected.by)) return null;
      return kept.length === 0
        ? `no rule ${expected.kind}s it`
        : `it is kept, but not by \`${expected.by ?? ''}\`: by ${list([...new Set(kept.map(({ rule }) => `\`${nameOf(rule)}\``))], 'and')}`;
    }
    case 'tag': {
      const value = tagText(expected.value);
      return decision.tags.some((tag) => tag.name === expected.name && tag.value === value)
        ? null
        : `it has ${
            decision.tags.length === 0
              ? 'no tag'
              : `the tags ${list(
                  decision.tags.map((tag) => `${tag.name} = ${tag.value}`),
                  'and',
                )}`
          }`;
    }
  }
}

/** The rule that a sample is drawn by has a name of its own where it does other things too. */
function nameOf(rule: string): string {
  return /^sample (\w+)/.exec(rule)?.[1] ?? rule.replace(/ \d+$/, '');
}

/** What became of it. */
function outcomeText(decision: Decision): string {
  if (decision.outcome === 'allow') return 'it was allowed';
  return decision.outcome === 'hold'
    ? `it was held for review by ${holdsText(decision)}`
    : `it was denied: ${reasonsText(decision)}`;
}

function holdsText({ holds }: Decision): string {
  return list(
    holds.map(({ rule, reviewers }) => `\`${rule}\` (${reviewers})`),
    'and',
  );
}

export function reasonsText(decision: Decision): string {
  return decision.reasons.map(reasonText).join('; ') || 'no reason is given';
}

function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'rule':
      return `\`${reason.rule}\`: ${reason.message}`;
    case 'default':
      return 'no rule allows it';
    case 'removed':
      return `\`${reason.model}\` may not be used, because of ${list(reason.by, 'and')}`;
    case 'unknown_model':
      return 'there is no such model, and no route for it';
    case 'failed':
      return `\`${reason.rule}\` cannot be decided without ${list(reason.facts, 'and')}`;
    case 'withheld':
      return `withheld by \`${reason.rule}\``;
    case 'input':
      return 'the event cannot be decided';
  }
}

/** Names of what denied: rules, and budgets and rates by their own name. */
function decidedBy(decision: Decision): string[] {
  return decision.reasons.flatMap((reason) => {
    switch (reason.kind) {
      case 'rule':
      case 'withheld':
      case 'failed':
        return [reason.rule.replace(/^(budget|rate|guarantee|require) /, '')];
      case 'removed':
        return reason.by.map((name) => name.replace(/^(budget|rate|guarantee) /, ''));
      case 'default':
      case 'unknown_model':
      case 'input':
        return [];
    }
  });
}
