/** Blocks of attributes: of the caller, of all models, of stores and tools. */
import { diagnostic, help, label } from '../diagnostic.ts';
import type { Absence, Attribute, AttributeSource, Caller, Store, Tool } from '../program.ts';
import type { AttributeNode } from '../syntax-tree.ts';
import { all, byName, type Context, report, unknownName } from './context.ts';
import { BUILT_IN_SETTINGS } from './models.ts';
import { checkType } from './types.ts';
import { checkValue } from './values.ts';

const PREPOSITION: { readonly [K in AttributeSource['kind']]: string } = {
  claim: 'from claim "…"',
  metadata: 'from metadata "…"',
  argument: 'from argument "…"',
};
/** Stores whose protocol is spoken. */
export const STORE_KINDS = ['chroma'] as const;

export function checkCaller(context: Context): Caller {
  const node = all(context, 'caller')[0];
  const file = all(context, 'callerFrom')[0];
  if (file !== undefined) {
    report(
      context,
      diagnostic('E0527', file.span, 'the attributes of `caller` are not read from a file here', {
        help: [help('write them in a `caller { … }` block; the types of it can be generated')],
      }),
    );
  }
  if (node === undefined) return { attributes: [], span: null };
  const attributes = checkAttributes(context, node.attributes, 'claim');
  for (const each of attributes) context.typed.caller.set(each.name, each);
  return { attributes, span: node.span };
}

export function checkModelAttributes(context: Context): Attribute[] {
  const node = all(context, 'models')[0];
  const attributes = node === undefined ? [] : checkAttributes(context, node.attributes, null);
  for (const { name } of node?.attributes ?? []) {
    if (BUILT_IN_SETTINGS.includes(name.text)) {
      report(
        context,
        diagnostic('E0204', name.span, `every model has \`${name.text}\` already`, {
          help: [help('choose another name')],
        }),
      );
    }
  }
  for (const each of attributes) context.typed.models.set(each.name, each);
  return attributes;
}

export function checkStores(context: Context): Store[] {
  for (const node of context.named.store.values()) {
    if (!STORE_KINDS.some((kind) => kind === node.store.text))
      report(context, { ...unknownName('kind of store', node.store, STORE_KINDS), code: 'E0510' });
    const attributes = checkAttributes(context, node.attributes, 'metadata');
    context.typed.stores.set(node.name.text, {
      name: node.name.text,
      store: node.store.text,
      collection: node.collection.value,
      attributes,
      span: node.span,
    });
  }
  return byName([...context.typed.stores.values()]);
}

export function checkTools(context: Context): Tool[] {
  for (const node of context.named.tool.values()) {
    const pattern = node.wirePattern.value;
    if (!/^[^*]+\*?$/.test(pattern)) {
      report(
        context,
        diagnostic('E0529', node.wirePattern.span, `"${pattern}" does not name tools`, {
          help: [help('write the name on the wire; `*` may stand at its end')],
        }),
      );
    }
    const attributes = checkAttributes(context, node.attributes, 'argument');
    context.typed.tools.set(node.name.text, {
      name: node.name.text,
      wirePattern: pattern,
      attributes,
      span: node.span,
    });
  }
  return byName([...context.typed.tools.values()]);
}

/** `from`: null for models, whose values are in the catalog. */
function checkAttributes(
  context: Context,
  nodes: readonly AttributeNode[],
  from: AttributeSource['kind'] | null,
): Attribute[] {
  const attributes = new Map<string, Attribute>();
  for (const node of nodes) {
    const earlier = attributes.get(node.name.text);
    if (earlier !== undefined) {
      report(
        context,
        diagnostic('E0203', node.name.span, `\`${node.name.text}\` is declared twice`, {
          labels: [label(earlier.span, 'first declared here')],
        }),
      );
    }
    const source = checkSource(context, node, from);
    const type = checkType(context, node.type);
    if (type === null || source === undefined) continue;
    const absence = checkAbsence(context, node, type, from);
    if (absence !== null && earlier === undefined) {
      attributes.set(node.name.text, { name: node.name.text, type, source, absence, span: node.name.span });
    }
    // An attribute that is partly wrong is still there, so that its uses are not reported too.
    else if (earlier === undefined) {
      attributes.set(node.name.text, {
        name: node.name.text,
        type,
        source,
        absence: { kind: 'required' },
        span: node.name.span,
      });
    }
  }
  return [...attributes.values()];
}

/** Undefined, and reported, if it is wrong. */
function checkSource(
  context: Context,
  node: AttributeNode,
  from: AttributeSource['kind'] | null,
): AttributeSource | null | undefined {
  const { source } = node;
  if (from === null) {
    if (source === null) return null;
    report(
      context,
      diagnostic('E0511', source.span, 'attributes of models have their values in the catalog', {
        help: [{ message: 'leave this out', edits: [{ span: source.span, text: '' }] }],
      }),
    );
    return null;
  }
  if (source === null) {
    const at = { ...node.type.span, start: node.type.span.end };
    report(
      context,
      diagnostic('E0511', node.name.span, `\`${node.name.text}\` does not say where its value comes from`, {
        help: [
          {
            message: `write \`${PREPOSITION[from].replace('…', node.name.text)}\``,
            edits: [{ span: at, text: ` ${PREPOSITION[from].replace('…', node.name.text)}` }],
          },
        ],
      }),
    );
    return { kind: from, name: node.name.text, splitBy: null };
  }
  if (source.from !== from) {
    report(
      context,
      diagnostic('E0511', source.span, `this attribute cannot come from a ${source.from}`, {
        help: [help(`write \`${PREPOSITION[from].replace('…', source.name.value)}\``)],
      }),
    );
  }
  if (source.splitBy !== null && (node.type.kind !== 'setType' || source.splitBy.value === '')) {
    report(
      context,
      diagnostic('E0511', source.splitBy.span, '`split by` makes a set of one text', {
        help: [help('the type is `set of text`, and the separator is not empty')],
      }),
    );
  }
  return { kind: from, name: source.name.value, splitBy: source.splitBy?.value ?? null };
}

function checkAbsence(
  context: Context,
  node: AttributeNode,
  type: Attribute['type'],
  from: AttributeSource['kind'] | null,
): Absence | null {
  if (from === null && (node.optional || node.otherwise !== null)) {
    report(
      context,
      diagnostic('E0512', node.span, 'every model has every attribute of `models`', {
        help: [help('leave `optional` and `else` out')],
      }),
    );
    return null;
  }
  if (node.otherwise === null) return { kind: node.optional ? 'optional' : 'required' };
  if (node.optional) {
    report(
      context,
      diagnostic(
        'E0512',
        node.otherwise.span,
        'an attribute with an `else` always has a value, so it is not `optional`',
        {
          help: [help('leave one of the two out')],
        },
      ),
    );
  }
  const value = checkValue(context, node.otherwise, type, label(node.type.span, 'the type is declared here'));
  return value === null ? null : { kind: 'else', value };
}
