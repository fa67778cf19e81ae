/** The stratum of the classification, of a prompt or of a completion, as instructions. */
import { RESULT_CLASSIFICATION } from '../../filters/kernel/decision/layout.ts';
import { condition } from './condition.ts';
import type { Local } from './function-builder.ts';
import { every } from './policy-code.ts';
import { type Body, untouched } from './site-code.ts';
import { type Code, I32 } from './instructions.ts';

/**
 * The rank, -1 where it has failed. Undefined where the policy has no classification; what fires is noted all the same.
 */
export function addClassification(body: Body, setNode: (node: number, holds: Code) => void): Local | undefined {
  const { code, build, site } = body;
  const { module } = code;
  const { i32 } = module;
  const { classify, classifyNodes } = site.site;
  const type = code.plan.enums.find(({ name }) => name === code.plan.classification?.enum);
  const rankOf = (member: string) => Math.max(0, type?.members.indexOf(member) ?? 0);
  const rank = build.hold(I32, i32.const(rankOf(code.plan.classification?.base ?? '')));
  classify.forEach((each, at) => {
    const fires = build.hold(I32, every(code, [untouched(body, each.reads), condition(each.when, body)]));
    setNode(classifyNodes[at]!, fires.get());
    const raised = i32.mul(fires.get(), i32.const(rankOf(each.member)));
    const higher = build.hold(I32, raised);
    build.add(rank.set(module.select(i32.gt_s(higher.get(), rank.get()), higher.get(), rank.get())));
  });
  if (code.plan.classification === undefined) return undefined;
  const isWhole = untouched(
    body,
    classify.flatMap((each) => each.reads),
  );
  build.add(rank.set(module.select(isWhole, rank.get(), i32.const(-1))));
  build.add(i32.store8(RESULT_CLASSIFICATION, 1, body.result.get(), i32.add(rank.get(), i32.const(1))));
  return rank;
}
