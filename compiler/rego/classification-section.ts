/** The stratum of the classification in Rego, of a prompt or of a completion. */
import type { Classify } from '../plan/plan.ts';
import { alternatives } from './condition.ts';
import { readable, type SectionInProgress } from './section.ts';
import { comment, member, quoted, rule } from './text.ts';

/** `PREFIX_rank`, which conditions read, and `PREFIX_classification`, its name or null. */
export function addClassification(section: SectionInProgress, classify: readonly Classify[]): void {
  const { names, prefix, text } = section;
  const { classification } = names.plan;
  classify.forEach((each, at) => {
    section.reads(each.name, each.reads);
    // Several may have one name.
    const before = classify.slice(0, at).filter(({ name }) => name === each.name).length;
    const scope = section.scope(before === 0 ? each.name : `${each.name} or ${before + 1}`);
    const bodies = alternatives(each.when, scope).map((body) =>
      section.adds('classifies', `[${quoted(each.name)}, ${names.text(each.member)}]`, [
        ...readable(names, each.reads),
        ...body,
      ]),
    );
    section.titled(each, [...(bodies.length === 0 ? [comment('It never fires.')] : bodies), ...scope.helpers]);
  });
  if (classification === undefined) {
    text.push(`${prefix}_classification := null`);
    return;
  }
  const reads = [...new Set(classify.flatMap((each) => each.reads))];
  const ranks = `ranks${member(classification.enum)}`;
  const raised = section.has('classifies') ? ` | {${ranks}[raised] | some [_, raised] in ${prefix}_classifies}` : '';
  text.push(
    `${comment('The highest of the base and every classification that fires. None where one of them cannot be read.')}\n${rule(`${prefix}_rank := max({${ranks}${member(classification.base)}}${raised})`, readable(names, reads))}`,
    `default ${prefix}_classification := null`,
    rule(`${prefix}_classification := name`, [`some name, rank in ${ranks}`, `rank == ${prefix}_rank`]),
  );
}

/** The names of those that fired, as a set; nothing where none can. */
export function classifiesThatFired(section: SectionInProgress): readonly string[] {
  return section.has('classifies') ? [`{each[0] | some each in ${section.prefix}_classifies}`] : [];
}
