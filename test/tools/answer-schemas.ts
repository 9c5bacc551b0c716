/**
 * Writes admin/api/gen/answers.json: the JSON Schema of what each route of the API answers with,
 * taken from the types of the handlers, so that the document and the code cannot tell two stories.
 */
import { globSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ast from 'typescript/unstable/ast';
import { API, type Checker, SignatureKind, type Type } from 'typescript/unstable/sync';
import { routeTable } from '../../admin/api/route-table.ts';
import { SchemaMaker } from './answer-schema-maker.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
export const answersFile = `${project}admin/api/gen/answers.json`;

interface FoundRoute {
  readonly method: string;
  /** Matches paths; a part that is computed matches anything. */
  readonly path: RegExp;
  readonly answer: Type;
}

/** What a file says, without what runs at the start of the program. */
export function answerSchemas(): string {
  const api = new API({ cwd: project });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [`${project}tsconfig.json`] });
    const [opened] = snapshot.getProjects();
    if (opened === undefined) throw new Error('there is no project');
    const { program, checker } = opened;
    const found = globSync('admin/api/{routes,login}/**/*.ts', { cwd: project })
      .sort()
      .flatMap((file) => {
        const source = program.getSourceFile(`${project}${file}`);
        return source === undefined ? [] : routesIn(source, checker);
      });
    const maker = new SchemaMaker(checker);
    const answers: Record<string, unknown> = {};
    for (const { method, path } of routeTable) {
      const route = found.find((each) => each.method === method && each.path.test(path));
      if (route !== undefined) answers[`${method} ${path}`] = maker.schemaOf(route.answer);
    }
    return fileText(answers, maker.named());
  } finally {
    api.close();
  }
}

/** One line an entry, so that a change is seen where it is. */
function fileText(answers: Record<string, unknown>, schemas: Record<string, unknown>): string {
  const lines = (entries: Record<string, unknown>): string =>
    Object.entries(entries)
      .map(([name, schema]) => `  ${JSON.stringify(name)}: ${JSON.stringify(schema)}`)
      .join(',\n');
  return `{\n "answers": {\n${lines(answers)}\n },\n "schemas": {\n${lines(schemas)}\n }\n}\n`;
}

function routesIn(source: ast.SourceFile, checker: Checker): FoundRoute[] {
  const found: FoundRoute[] = [];
  const visit = (node: ast.Node): void => {
    if (ast.isCallExpression(node) && node.expression.getText(source) === 'route') {
      const [definition] = node.arguments;
      if (definition !== undefined && ast.isObjectLiteralExpression(definition)) {
        const route = routeOf(definition, source, checker);
        if (route !== undefined) found.push(route);
      }
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function routeOf(
  definition: ast.ObjectLiteralExpression,
  source: ast.SourceFile,
  checker: Checker,
): FoundRoute | undefined {
  const member = (name: string): ast.Node | undefined => {
    for (const property of definition.properties) {
      if (ast.isPropertyAssignment(property) && property.name.getText(source) === name) {
        return property.initializer;
      }
      if (ast.isMethodDeclaration(property) && property.name.getText(source) === name)
        return property;
    }
    return undefined;
  };
  const handle = member('handle');
  if (handle === undefined) return undefined;
  const type = checker.getTypeAtLocation(handle);
  const [signature] =
    type === undefined ? [] : checker.getSignaturesOfType(type, SignatureKind.Call);
  const promise = signature && checker.getReturnTypeOfSignature(signature);
  const answer = promise && shown(awaited(promise, checker), handle, source, checker);
  if (answer === undefined) return undefined;
  const text = (name: string): string => (member(name)?.getText(source) ?? '').slice(1, -1);
  const pattern = text('path')
    .split(/\$\{[^}]*\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]+');
  return { method: text('method'), path: new RegExp(`^${pattern}$`), answer };
}

/** Of an Answer whose body is JSON: the type of that. */
function shown(
  type: Type | undefined,
  handle: ast.Node,
  source: ast.SourceFile,
  checker: Checker,
): Type | undefined {
  if (type?.getSymbol()?.name !== 'Answer') return type;
  let found: Type | undefined;
  const visit = (node: ast.Node): void => {
    const [value] =
      ast.isCallExpression(node) && node.expression.getText(source) === 'JSON.stringify'
        ? node.arguments
        : [];
    if (value !== undefined) found ??= checker.getTypeAtLocation(value);
    node.forEachChild(visit);
  };
  visit(handle);
  return found ?? type;
}

function awaited(type: Type, checker: Checker): Type | undefined {
  if (!type.isTypeReference()) return type;
  return type.getSymbol()?.name === 'Promise' ? checker.getTypeArguments(type)[0] : type;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(answersFile, answerSchemas());
