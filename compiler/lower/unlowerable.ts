/**
 * Thrown while lowering when a condition or an effect uses a form that the plan cannot hold because nothing enforces it
 * yet. It never leaves `compiler/lower`: whoever lowers the declaration catches it and either refuses the declaration
 * or turns it into a deny.
 */
export class Unlowerable extends Error {
  readonly form: string;
  constructor(form: string) {
    super(`\`${form}\` cannot be enforced`);
    this.name = 'Unlowerable';
    this.form = form;
  }
}
