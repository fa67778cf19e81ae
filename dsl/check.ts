/**
 * The front end's one entry: source files and the built-in detectors → the typed program and what is wrong. Pure. There
 * is a program if and only if there is no error; warnings do not hinder it.
 */
import { checkCaller, checkModelAttributes, checkStores, checkTools } from './check/attribute-blocks.ts';
import { checkBudgets, checkRates } from './check/budgets.ts';
import { checkClassifications } from './check/classifications.ts';
import { type Context, createContext, type DetectorCatalog, isImported } from './check/context.ts';
import { checkDetectorGroups, checkDetectors } from './check/detectors.ts';
import { checkEnums } from './check/enums.ts';
import {
  checkAssumptions,
  checkDelegations,
  checkGuarantees,
  checkSwitches,
  checkWaivers,
} from './check/governance.ts';
import { checkConversions } from './check/conversions.ts';
import { checkImports, withinCeiling } from './check/imports.ts';
import { checkModels } from './check/models.ts';
import { checkNames } from './check/names.ts';
import { checkHours, checkLists, checkRecipients, checkReviewers } from './check/people-and-lists.ts';
import { checkPolicy } from './check/policy.ts';
import { checkRoutes } from './check/routes.ts';
import { checkRules } from './check/rules.ts';
import { checkSurprises } from './check/surprises.ts';
import { checkTests } from './check/tests.ts';
import { checkUnused } from './check/unused.ts';
import { compareDiagnostics, type Diagnostic } from './diagnostic.ts';
import { type ParsedFile, parse } from './parser.ts';
import type { Program, UnenforcedUse } from './program.ts';
import type { SourceFile } from './source.ts';

export type { DetectorCatalog };
export type CheckResult = { readonly program: Program | null; readonly diagnostics: readonly Diagnostic[] };

export function checkProgram(files: readonly SourceFile[], catalog: DetectorCatalog): CheckResult {
  return checkParsed(files.map(parse), catalog);
}

/** For an editor, which parses only the files that changed. */
export function checkParsed(files: readonly ParsedFile[], catalog: DetectorCatalog): CheckResult {
  const context = createContext(
    files.map((each) => each.file),
    catalog,
  );
  const parts = runChecks(context);
  const { policy } = context.typed;
  // What an imported file could say better is its owner's matter.
  const ours = ({ severity, span }: Diagnostic): boolean => severity === 'error' || !isImported(context, span.file);
  const diagnostics = inOrder([...files.flatMap((each) => each.diagnostics), ...context.diagnostics].filter(ours));
  const hasError = diagnostics.some((each) => each.severity === 'error');
  if (hasError || policy === null) return { program: null, diagnostics };
  return {
    program: {
      policy,
      ...parts,
      usedDetectors: [...context.usedDetectors].sort(),
      unenforced: sortedUses(context.unenforced),
    },
    diagnostics,
  };
}

/** In this order: each reads only what those before it have typed. */
function runChecks(context: Context): Omit<Program, 'policy' | 'usedDetectors' | 'unenforced'> {
  checkNames(context);
  const enums = checkEnums(context);
  checkPolicy(context);
  const conversions = checkConversions(context);
  const imports = checkImports(context);
  const caller = checkCaller(context);
  const modelAttributes = checkModelAttributes(context);
  const models = checkModels(context);
  const stores = checkStores(context);
  const tools = checkTools(context);
  const lists = checkLists(context);
  const recipients = checkRecipients(context);
  const reviewers = checkReviewers(context);
  const hours = checkHours(context);
  const detectors = checkDetectors(context);
  const detectorGroups = checkDetectorGroups(context);
  const switches = checkSwitches(context);
  const rules = checkRules(context);
  const classifications = checkClassifications(context);
  const routes = checkRoutes(context);
  const budgets = checkBudgets(context);
  const rates = checkRates(context);
  const waivers = checkWaivers(context);
  const delegations = checkDelegations(context);
  const assumptions = checkAssumptions(context);
  const guarantees = checkGuarantees(context);
  const tests = checkTests(context);
  checkUnused(context);
  checkSurprises(context, { rules, models, stores, budgets });
  return withinCeiling(context, {
    enums,
    caller,
    modelAttributes,
    models,
    stores,
    tools,
    lists,
    recipients,
    reviewers,
    hours,
    conversions,
    detectors,
    detectorGroups,
    rules,
    classifications,
    routes,
    budgets,
    rates,
    waivers,
    switches,
    delegations,
    imports,
    assumptions,
    guarantees,
    tests,
  });
}

/** By place. A term's mistake is said once, though each of its uses finds it. */
function inOrder(found: readonly Diagnostic[]): Diagnostic[] {
  const sorted = [...found].sort(compareDiagnostics);
  const seen = new Set<string>();
  return sorted.filter((each) => {
    const key = `${each.code} ${each.span.file} ${each.span.start} ${each.span.end} ${each.message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function sortedUses(uses: readonly UnenforcedUse[]): UnenforcedUse[] {
  const key = (use: UnenforcedUse): string =>
    `${use.declaration}\u0000${use.form}\u0000${use.event ?? ''}\u0000${String(use.span.start).padStart(9, '0')}`;
  return uses
    .map((use) => ({ use, key: key(use) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((each) => each.use);
}
