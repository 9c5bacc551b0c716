import {
  type Checker,
  type Symbol as Member,
  SymbolFlags,
  type Type,
  TypeFlags,
} from 'typescript/unstable/sync';

type Schema = Record<string, unknown>;

/** Types that JSON writes otherwise than their members say. */
const opaque: ReadonlySet<string> = new Set(['StreamBody', 'LiveBody', 'Answer', 'Uint8Array']);

/** Turns types of values that become JSON into JSON Schema; named object types are written once. */
export class SchemaMaker {
  readonly #checker: Checker;
  readonly #named = new Map<string, Schema>();
  /** Name -> the type that has it; another type of the same name stands where it is used. */
  readonly #owners = new Map<string, number>();

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** By name, sorted. */
  named(): Record<string, Schema> {
    return Object.fromEntries([...this.#named].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  schemaOf(type: Type): Schema {
    const { flags } = type;
    if (flags & (TypeFlags.Any | TypeFlags.Unknown)) return {};
    if (flags & (TypeFlags.Undefined | TypeFlags.Void)) return { type: 'object', properties: {} };
    if (flags & TypeFlags.Null) return { type: 'null' };
    if (flags & TypeFlags.Boolean) return { type: 'boolean' };
    if (type.isLiteralType()) return { const: type.value };
    if (flags & (TypeFlags.String | TypeFlags.TemplateLiteral)) return { type: 'string' };
    if (flags & TypeFlags.Number) return { type: 'number' };
    return this.#once(type, () => {
      if (type.isUnionType()) return this.#union(type.getTypes());
      return flags & TypeFlags.Intersection ? this.#object(type) : this.#objectLike(type);
    });
  }

  /** A named type is written once and referred to; it may refer to itself. */
  #once(type: Type, make: () => Schema): Schema {
    const name = nameOf(type);
    const owner = name === undefined ? undefined : this.#owners.get(name);
    if (name === undefined || (owner !== undefined && owner !== type.id)) return make();
    if (owner === undefined) {
      this.#owners.set(name, type.id);
      this.#named.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #union(types: readonly Type[]): Schema {
    const parts = types.filter(({ flags }) => !(flags & (TypeFlags.Undefined | TypeFlags.Void)));
    if (parts.some((part) => opaque.has(part.getSymbol()?.name ?? ''))) return {};
    const literals = parts.filter((part) => part.isLiteralType());
    const texts = literals.filter((part) => part.isStringLiteralType()).map(({ value }) => value);
    const hasBoolean = parts.filter((part) => part.flags & TypeFlags.BooleanLiteral).length === 2;
    const schemas = parts
      .filter((part) => !part.isStringLiteralType())
      .filter((part) => !(hasBoolean && part.flags & TypeFlags.BooleanLiteral))
      .map((part) => this.schemaOf(part));
    if (hasBoolean) schemas.push({ type: 'boolean' });
    if (texts.length > 0) schemas.push({ type: 'string', enum: [...texts].sort() });
    const unique = [...new Map(schemas.map((each) => [JSON.stringify(each), each])).values()];
    const [only] = unique;
    return unique.length === 1 && only !== undefined ? only : { anyOf: unique };
  }

  #objectLike(type: Type): Schema {
    const name = type.getSymbol()?.name ?? '';
    if (opaque.has(name)) return {};
    if (type.isTupleType()) return { type: 'array' };
    if (this.#checker.isArrayLikeType(type)) {
      const [item] = type.isTypeReference() ? this.#checker.getTypeArguments(type) : [];
      return { type: 'array', items: item === undefined ? {} : this.schemaOf(item) };
    }
    return this.#object(type);
  }

  #object(type: Type): Schema {
    const [index] = this.#checker.getIndexInfosOfType(type);
    if (index !== undefined) {
      return { type: 'object', additionalProperties: this.schemaOf(index.valueType) };
    }
    const members = this.#checker.getPropertiesOfType(type);
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const member of members) {
      const memberType = this.#checker.getTypeOfSymbol(member);
      if (memberType === undefined) continue;
      const description = documentation(member, this.#checker);
      const schema = this.schemaOf(memberType);
      properties[member.name] = description === '' ? schema : { ...schema, description };
      if (!mayBeAbsent(member, memberType)) required.push(member.name);
    }
    return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
  }
}

/** What is undefined is left out of JSON. */
function mayBeAbsent(member: Member, type: Type): boolean {
  const types = type.isUnionType() ? type.getTypes() : [type];
  const hasUndefined = types.some(({ flags }) => (flags & TypeFlags.Undefined) !== 0);
  return (member.flags & SymbolFlags.Optional) !== 0 || hasUndefined;
}

function documentation(member: Member, checker: Checker): string {
  return member.getDocumentationComment(checker).replaceAll(/\s+/g, ' ').trim();
}

/** Of an interface or an alias without type parameters. */
function nameOf(type: Type): string | undefined {
  const alias = type.getAliasSymbol();
  if (alias !== undefined && type.getAliasTypeArguments().length === 0) return alias.name;
  const name = type.getSymbol()?.name;
  if (!type.isClassOrInterface() || name === undefined || opaque.has(name)) return undefined;
  return /^[A-Z]\w+$/.test(name) && type.getTypeParameters().length === 0 ? name : undefined;
}
