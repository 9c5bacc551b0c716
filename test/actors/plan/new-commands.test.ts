import t from 'tap';
import { newCommands } from '../../../actors/plan/new-commands.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

const of = (vars: Record<string, string>, ...resources: ResourceInput[]) =>
  bundle([module('m', resources, { vars })]);
const exec = (parameters: ResourceInput['parameters'], rest: Partial<ResourceInput> = {}) =>
  ({ name: 'x', type: 'exec', parameters: { command: 'act', ...parameters }, ...rest }) as const;

t.test('one admin alone must not have a command run on machines by planning it', async (t) => {
  const live = of({ p: '/a' }, exec({ unless: 'test -e /x', onlyif: 'test -e {{ .Vars.p }}' }));
  const told = (...resources: ResourceInput[]) => newCommands(live, of({ p: '/a' }, ...resources));
  t.same(told(exec({ unless: 'test -e /x' })), [], 'a guard that is in force');
  t.same(told(exec({ command: 'another' })), [], 'a command itself does not run in a dry run');
  t.same(told(exec({ unless: 'curl evil' })), ['m/x']);
  t.same(told(exec({ unless: 'test -e /x', user: 'root' })), ['m/x'], 'as somebody else');
  t.same(told(exec({ onlyif: 'test -e {{ .Vars.p }}' })), []);
  const other = of({ p: '/b; evil' }, exec({ onlyif: 'test -e {{ .Vars.p }}' }));
  t.same(newCommands(live, other), ['m/x'], 'a variable in it changes it');
  t.same(told(exec({}, { when: "command_succeeds('evil')" })), ['m/x']);
  t.same(told({ name: 'f', type: 'file', parameters: { stream_edit: ['/bin/evil'] } }), ['m/f']);
  t.same(told({ name: 'c', type: 'custom', parameters: { script: '/bin/evil' } }), ['m/c']);
  const variants = { on: 'a', match: { default: { unless: 'evil' } } };
  t.same(told(exec({}, { variants })), ['m/x'], 'nor hidden in a variant');
});
