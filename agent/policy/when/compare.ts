import { AgentError } from '../../errors.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { formatOperand, type WhenCompare, type WhenOperand } from './ast.ts';
import type { WhenEnvironment } from './environment.ts';
import { compareVersions } from './versions.ts';

type Scalar = string | number | boolean;

/**
 * A trait that is not known equals nothing. Throws AgentError POLICY_WHEN_VARIABLE for a variable
 * that does not exist.
 */
export function evaluateCompare(node: WhenCompare, environment: WhenEnvironment): boolean {
  const left = operandValue(node.left, environment);
  const right = operandValue(node.right, environment);
  return holds(node, left, right);
}

function operandValue(operand: WhenOperand, environment: WhenEnvironment): PolicyValue | undefined {
  if (operand.kind === 'literal') return operand.value;
  const path = operand.path.join('.');
  if (operand.root === 'traits') return environment.trait(path);
  const value = environment.variable?.(path);
  if (value !== undefined) return value;
  throw new AgentError('POLICY_WHEN_VARIABLE', {
    name: formatOperand(operand),
    offset: operand.offset,
  });
}

function holds(
  { operator }: WhenCompare,
  left: PolicyValue | undefined,
  right: PolicyValue | undefined,
): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'in':
      return contains(right, left);
  }
  const difference = order(left, right);
  if (difference === undefined) return false;
  if (operator === '<') return difference < 0;
  if (operator === '<=') return difference <= 0;
  return operator === '>' ? difference > 0 : difference >= 0;
}

function contains(container: PolicyValue | undefined, item: PolicyValue | undefined): boolean {
  if (Array.isArray(container)) return container.some((one) => equal(one, item));
  if (container === null || typeof container !== 'object') return false;
  return Object.hasOwn(container, String(item));
}

function isScalar(value: PolicyValue | undefined): value is Scalar {
  return value !== undefined && value !== null && typeof value !== 'object';
}

/** A number equals the text that writes it, since values of policy are often quoted. */
function equal(left: PolicyValue | undefined, right: PolicyValue | undefined): boolean {
  if (!isScalar(left) || !isScalar(right)) return false;
  if (typeof left === 'number' || typeof right === 'number') {
    return numberOf(left) !== undefined && numberOf(left) === numberOf(right);
  }
  return String(left) === String(right);
}

/** Numbers by value; two texts as versions are compared. */
function order(left: PolicyValue | undefined, right: PolicyValue | undefined): number | undefined {
  if (typeof left === 'string' && typeof right === 'string') return compareVersions(left, right);
  const [x, y] = [numberOf(left), numberOf(right)];
  return x === undefined || y === undefined ? undefined : x - y;
}

function numberOf(value: PolicyValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}
