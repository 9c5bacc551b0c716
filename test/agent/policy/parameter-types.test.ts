import t from 'tap';
import { cronSchema } from '../../../agent/policy/resource-schemas/cron.ts';
import { fileSchema } from '../../../agent/policy/resource-schemas/file.ts';
import type { ParametersOf } from '../../../agent/policy/resource-schemas/parameter-types.ts';
import type { ResourceSchema } from '../../../agent/policy/resource-schemas/schema.ts';
import { valueProblem } from '../../../agent/policy/resource-schemas/value-problem.ts';

/** Compiling is half of the test: a wrong name, state or kind would not. */
const file: ParametersOf<typeof fileSchema> = {
  target_path: '/etc/motd',
  mode: '0644',
  state: 'present',
  baseindent: 2,
  stream_edit: ['/usr/bin/rev'],
};
const job: ParametersOf<typeof cronSchema> = {
  name: 'nightly',
  schedule: '@daily',
  command: 'true',
  environment: 'A=1,B=2',
};

function problems(schema: ResourceSchema, values: object): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const spec = schema.parameters.find((parameter) => parameter.name === name);
    return (spec && valueProblem(spec, value)) ?? [];
  });
}

t.test('parameters that compile are parameters that publish accepts', async (t) => {
  t.same(problems(fileSchema, file), []);
  t.same(problems(cronSchema, job), []);
});
