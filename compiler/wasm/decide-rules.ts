/** The function (facts, result) of a site that is decided by its rules alone: completion, retrieval, chunk, ingest. */
import { EVENT_COMPLETION, FACT_KNOWN } from '../../filters/kernel/abi.ts';
import { FLAG_BUFFER, FLAG_DEFAULT, RESULT_OUTCOME } from '../../filters/kernel/decision/layout.ts';
import { MODEL_ENUM } from '../plan/plan.ts';
import { wordsFor, wordsOf } from './bits.ts';
import { addClassification } from './classification.ts';
import { asBit, type PolicyCode, some, stateOf, valueOf } from './policy-code.ts';
import {
  addChunkEffects,
  addRuleWords,
  addTouched,
  anyFired,
  beginBody,
  type Body,
  firedWords,
  isClassified,
  nodesWith,
  type SiteCode,
  storeFired,
  storeFlags,
  storeRedactions,
  touchedDenies,
} from './site-code.ts';
import { type Code, I32, I64, NONE } from './instructions.ts';

export function addRulesSite(siteCode: SiteCode): void {
  const { code, site } = siteCode;
  const { module } = code;
  const touched = addTouched(siteCode);
  const words = addRuleWords(siteCode);
  const chunkEffects = addChunkEffects(siteCode);

  const begun = beginBody(siteCode, [], 'computed');
  const { build } = begun;
  const raising = wordsOf([], site.nodes.length).map(() => build.local(I64));
  const classification = isClassified(siteCode)
    ? addClassification(begun, (node, holds) => {
        const word = raising[node >> 6]!;
        build.add(word.set(module.i64.or(word.get(), asBit(code, holds, node & 63))));
      })
    : undefined;
  const body: Body = classification === undefined ? begun : { ...begun, classification };
  const chosen = build.hold(I64, chosenBit(code, body));
  const fired = firedWords(body, words, chosen);
  if (site.classify.length > 0)
    fired.forEach((word, at) => build.add(word.set(module.i64.or(word.get(), raising[at]!.get()))));
  storeFired(body, fired);

  const passes = build.hold(
    I32,
    module.i32.or(anyFired(code, fired, nodesWith(site, 'allow')), module.i32.const(site.passesUndecided ? 1 : 0)),
  );
  for (const name of chunkEffects)
    build.add(passes.set(module.i32.or(passes.get(), module.call(name, [body.facts.get(), body.result.get()], I32))));
  const byDefault = build.hold(I32, site.default === 'deny' ? module.i32.eqz(passes.get()) : module.i32.const(0));
  const denied = some(code, [
    touchedDenies(body, touched, module.i32.const(-1), []),
    anyFired(code, fired, nodesWith(site, 'deny')),
    withholds(body),
    byDefault.get(),
  ]);
  const outcome = build.hold(I32, module.i32.eqz(denied));
  storeRedactions(body, fired);
  storeFlags(body, fired, [
    [FLAG_DEFAULT, byDefault.get()],
    [FLAG_BUFFER, module.i32.const(holdsReplies(siteCode) ? 1 : 0)],
  ]);
  build.add(module.i32.store8(RESULT_OUTCOME, 1, body.result.get(), outcome.get()));
  build.end(siteCode.name, NONE);
}

/** Whether a streamed reply must be held whole, whatever fires: the class of the policy's completion rules. */
function holdsReplies({ code, site }: SiteCode): boolean {
  return (
    site.event === EVENT_COMPLETION &&
    code.plan.events.some((event) => event.kind === 'completion' && event.stream === 'buffered')
  );
}

/** The model that was chosen for the prompt, as the fact says: its bit, 0 where it is not known. */
function chosenBit(code: PolicyCode, body: Body): Code {
  const { i32, i64 } = code.module;
  const fact = code.plan.facts.find(
    ({ path, type }) => type.kind === 'enum' && type.enum === MODEL_ENUM && path.join('.') === 'model.chosen',
  );
  if (fact === undefined) return i64.const(0n);
  const isKnown = i32.eq(stateOf(code, body.facts.get(), fact.id), i32.const(FACT_KNOWN));
  return i64.shl(i64.extend_u(isKnown), valueOf(code, body.facts.get(), fact.id));
}

function withholds(body: Body): Code {
  const { module } = body.code;
  const { layout, withheld } = body.site.site;
  return some(
    body.code,
    Array.from({ length: wordsFor(withheld.length) }, (_, word) =>
      module.i64.ne(module.i64.load(layout.withheld + word * 8, 8, body.result.get()), module.i64.const(0n)),
    ),
  );
}
