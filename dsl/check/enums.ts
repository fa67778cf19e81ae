/** Enums, declared and built in. */
import { diagnostic, help, label } from '../diagnostic.ts';
import { BUILT_IN_ENUMS } from '../events.ts';
import type { EnumType } from '../program.ts';
import { byName, type Context, report } from './context.ts';

export const ENUM_MEMBERS_MAX = 64;

export function checkEnums(context: Context): EnumType[] {
  for (const [name, members] of Object.entries(BUILT_IN_ENUMS)) {
    context.typed.enums.set(name, { name, ordered: false, members, span: { file: '', start: 0, end: 0 } });
  }
  for (const node of context.named.enum.values()) {
    if (context.typed.enums.has(node.name.text)) continue;
    const count = node.members.length;
    if (count < 2) {
      report(
        context,
        diagnostic('E0504', node.span, `\`${node.name.text}\` has one member only`, {
          help: [help('an enum is a choice: `NAME = a | b`, or in order `NAME = a < b`')],
        }),
      );
    }
    if (count > ENUM_MEMBERS_MAX) {
      report(
        context,
        diagnostic(
          'E0504',
          node.name.span,
          `\`${node.name.text}\` has ${count} members; the most is ${ENUM_MEMBERS_MAX}`,
        ),
      );
    }
    for (const [index, member] of node.members.entries()) {
      const earlier = node.members.findIndex((each) => each.text === member.text);
      if (earlier < index) {
        report(
          context,
          diagnostic('E0505', member.span, `\`${member.text}\` is a member already`, {
            labels: [label(node.members[earlier]?.span ?? null, 'first written here')],
          }),
        );
      }
      if (index > ENUM_MEMBERS_MAX) break;
    }
    context.typed.enums.set(node.name.text, {
      name: node.name.text,
      ordered: node.ordered,
      members: node.members.map((member) => member.text),
      span: node.span,
    });
  }
  return byName([...context.typed.enums.values()]);
}
