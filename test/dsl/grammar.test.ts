// The grammar itself: no rule is ambiguous, left-recursive or named twice. The parser does not look for that at each start.
import { expect, test } from 'vitest';
import { DeclarationGrammar } from '../../dsl/grammar/declaration-grammar.ts';
import { CloseBrace, OpenBrace } from '../../dsl/tokens.ts';

class ValidatedGrammar extends DeclarationGrammar {
  constructor() {
    super({ skipValidations: false });
    this.performSelfAnalysis();
  }
}

/** With two alternatives that begin alike for longer than anything is looked ahead. */
class AmbiguousGrammar extends DeclarationGrammar {
  constructor() {
    super({ skipValidations: false });
    this.RULE('ambiguous', () => {
      const braces = (): void => {
        for (const index of [1, 2, 3] as const) this.consume(index, OpenBrace);
      };
      this.OR([{ ALT: braces }, { ALT: () => (braces(), this.consume(4, CloseBrace)) }]);
    });
    this.performSelfAnalysis();
  }
}

test('the grammar is valid', () => {
  const grammar = new ValidatedGrammar();
  expect(Object.keys(grammar.getGAstProductions()).length).toBeGreaterThan(50);
});

test('an ambiguous rule would be found', () => {
  expect(() => new AmbiguousGrammar()).toThrow('Ambiguous');
});
