/**
 * The function (facts, result, rank of the classification, whether the choice can be made) → position of the route that
 * serves the requested name, -1 for none. It stores what each of the route's preferences offers and their union, the
 * candidates; where the choice cannot be made, none.
 */
import { FACT_KNOWN, SLOT_BYTES } from '../../filters/kernel/abi.ts';
import { RESULT_CANDIDATES } from '../../filters/kernel/decision/layout.ts';
import type { PromptEvent, Route } from '../plan/plan.ts';
import type { Local } from './function-builder.ts';
import { ask, maskIf, stateOf } from './policy-code.ts';
import { beginBody, type Body, modelMask, type SiteCode, untouched } from './site-code.ts';
import { factsAt } from './site.ts';
import { type Code, I32, I64 } from './instructions.ts';

export function addCandidates(siteCode: SiteCode, prompt: PromptEvent): string {
  const name = `${siteCode.name}/candidates`;
  const { module } = siteCode.code;
  const { i32 } = module;
  const begun = beginBody(siteCode, [I32, I32], 'loaded');
  const { build, code } = begun;
  const body: Body = code.plan.classification === undefined ? begun : { ...begun, classification: build.param(2) };
  const canChoose = build.param(3);
  const route = build.hold(I32, i32.const(-1));
  const [requested] = factsAt(code.plan, ['prompt.requested_model']);
  if (requested !== undefined) {
    const isKnown = i32.eq(stateOf(code, body.facts.get(), requested), i32.const(FACT_KNOWN));
    const isText = code.plan.facts[requested]!.type.kind === 'text';
    if (isText) build.add(module.if(isKnown, serve(body, prompt, route, canChoose, requested)));
  }
  build.add(route.get());
  build.end(name, I32);
  return name;
}

/** Finds the route of the requested name and offers its models. */
function serve(body: Body, prompt: PromptEvent, route: Local, canChoose: Local, requested: number): Code {
  const { build, code } = body;
  const { module } = code;
  const { i32, i64 } = module;
  const asked = build.local(I64);
  return build.block(() => {
    build.add(asked.set(askedModel(body, requested)));
    const fallback = prompt.routes.findIndex(({ requested: served }) => served.kind === 'any');
    const offers = (at: number) =>
      build.block(() => {
        build.add(route.set(i32.const(at)));
        build.add(module.if(canChoose.get(), offerRoute(body, prompt.routes[at]!, asked)));
      });
    const otherwise =
      fallback >= 0
        ? offers(fallback)
        : module.if(
            canChoose.get(),
            module.block(null, [
              i64.store(body.site.site.layout.preferences, 8, body.result.get(), asked.get()),
              i64.store(RESULT_CANDIDATES, 8, body.result.get(), asked.get()),
            ]),
          );
    // The first route of a name wins.
    const named = prompt.routes.flatMap(({ requested: served }, at) =>
      served.kind === 'name' ? [{ name: served.name, at }] : [],
    );
    build.add(
      named.reduceRight(
        (next, { name, at }) => module.if(isRequested(body, requested, name), offers(at), next),
        otherwise,
      ),
    );
  });
}

function isRequested(body: Body, requested: number, name: string): Code {
  const { code } = body;
  const { i32 } = code.module;
  const text = code.writer.intern(name);
  return ask(code, 'text_is', [
    i32.add(body.facts.get(), i32.const(requested * SLOT_BYTES)),
    i32.const(text.address),
    i32.const(text.bytes),
  ]);
}

/** The catalog's model of the requested name, as a mask; the first where several have it. */
function askedModel(body: Body, requested: number): Code {
  const { code, site } = body;
  const { module } = code;
  const seen = new Set<string>();
  const models = code.plan.models.filter(({ wireName }) => !seen.has(wireName) && seen.add(wireName));
  return models.reduceRight(
    (next, { id, wireName }) =>
      module.if(
        isRequested(body, requested, wireName),
        module.i64.const(BigInt.asIntN(64, 1n << BigInt(site.modelBit(id)))),
        next,
      ),
    module.i64.const(0n),
  );
}

function offerRoute(body: Body, served: Route, asked: Local): Code {
  const { build, code, site } = body;
  const { module } = code;
  const { i64 } = module;
  const candidates = build.local(I64);
  return build.block(() => {
    build.add(candidates.set(i64.const(0n)));
    served.preferences.forEach(({ target, reads, when }, at) => {
      const targets =
        target.kind === 'requested'
          ? asked.get()
          : i64.const(target.kind === 'cheapest' ? -1n : BigInt.asIntN(64, 1n << BigInt(site.modelBit(target.model))));
      const offered = build.hold(
        I64,
        i64.and(
          targets,
          i64.and(
            reads.length === 0 ? i64.const(-1n) : maskIf(code, untouched(body, reads), -1n),
            modelMask(when, body),
          ),
        ),
      );
      build.add(i64.store(site.site.layout.preferences + at * 8, 8, body.result.get(), offered.get()));
      build.add(candidates.set(i64.or(candidates.get(), offered.get())));
    });
    build.add(i64.store(RESULT_CANDIDATES, 8, body.result.get(), candidates.get()));
  });
}
