// The example policy with so many rules: each generated rule reads facts, finds detectors and has an effect, as the
// example's own do.

const GROUPS = ['staff', 'editors', 'jobs', 'auditors', 'partners'];
const DEPARTMENTS = ['marketing', 'support', 'finance', 'hr'];
const DETECTORS = ['iban', 'payment_card', 'us_ssn', 'passport', 'email', 'phone'];
const CLASSES = ['public', 'internal', 'confidential'];

/** A file of so many rules on prompts, for the folder of the example policy. */
export function manyRules(count: number): string {
  return Array.from({ length: count }, (_, at) => rule(at)).join('\n');
}

function rule(at: number): string {
  const pick = <T>(values: readonly T[]): T => values[at % values.length] ?? raise();
  const head = `rule generated_${at} "Rule number ${at}"\n  on prompt\n`;
  switch (at % 4) {
    case 0:
      return (
        `${head}  where caller.department is ${pick(DEPARTMENTS)} and text contains any of (${pick(DETECTORS)})\n` +
        `  deny "Number ${at} does not allow it"\n`
      );
    case 1:
      return (
        `${head}  where caller.groups contains "${pick(GROUPS)}-${at}" and prompt.tools is above ${at}\n` +
        `  use only models where model.tier is small\n`
      );
    case 2:
      return (
        `${head}  where model.zone is external and prompt.tokens_estimate is above ${at} tokens\n` +
        `  redact ${pick(DETECTORS)} as placeholder\n`
      );
    default:
      return (
        `${head}  where caller.region is eu and prompt.classification is above ${pick(CLASSES)}\n` +
        `  use only models where model.region is eu\n`
      );
  }
}

function raise(): never {
  throw new Error('there is nothing to pick from');
}
