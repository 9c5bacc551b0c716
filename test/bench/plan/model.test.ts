import t from 'tap';
import { nonNegativeFit } from '../../../bench/plan/least-squares.ts';
import {
  bindingOf,
  carries,
  errorShare,
  type Fleet,
  fitModel,
  hardwareFor,
  type Machine,
  type Model,
  needsOf,
  predict,
  restartSeconds,
  usable,
  usesOf,
} from '../../../bench/plan/model.ts';
import { fc } from '../../support/property.ts';

const models: fc.Arbitrary<Model> = fc.record({
  base_cores: fc.double({ min: 0, max: 0.5, noNaN: true }),
  cpu_us_per_checkin: fc.double({ min: 20, max: 2000, noNaN: true }),
  cpu_us_per_report: fc.double({ min: 0, max: 10_000, noNaN: true }),
  writer_us_per_report: fc.double({ min: 0, max: 5000, noNaN: true }),
  cpu_us_per_handshake: fc.double({ min: 100, max: 10_000, noNaN: true }),
  base_kb: fc.double({ min: 100_000, max: 1_000_000, noNaN: true }),
  kb_per_envoy: fc.double({ min: 60, max: 300, noNaN: true }),
  disk_bytes_per_report: fc.double({ min: 0, max: 10_000, noNaN: true }),
});
const fleets: fc.Arbitrary<Fleet> = fc.record({
  envoys: fc.integer({ min: 1, max: 1_000_000 }),
  interval_s: fc.integer({ min: 1, max: 3600 }),
  changed: fc.double({ min: 0, max: 1, noNaN: true }),
});
const machines: fc.Arbitrary<Machine> = fc.record({
  cores: fc.integer({ min: 1, max: 128 }),
  memory_kb: fc.integer({ min: 2 ** 20, max: 2 ** 29 }),
  open_files: fc.integer({ min: 1024, max: 2_000_000 }),
  disk_bytes: fc.integer({ min: 1e9, max: 1e12 }),
});
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

t.test('from points without noise the fit finds the model that made them', async () => {
  fc.assert(
    fc.property(models, (model) => {
      const loads = [
        { connections: 1000, checkins_per_second: 1000, reports_per_second: 0 },
        { connections: 1000, checkins_per_second: 1000, reports_per_second: 50 },
        { connections: 1000, checkins_per_second: 500, reports_per_second: 0 },
        { connections: 1000, checkins_per_second: 0, reports_per_second: 0 },
      ];
      const points = loads.map((load) => ({ ...load, ...predict(model, load) }));
      const readings = [0, 500, 1000].map((connections) => ({
        connections,
        rss_kb: model.base_kb + connections * model.kb_per_envoy,
      }));
      const fitted = fitModel(points, readings, model);
      return (
        near(fitted.base_cores, model.base_cores) &&
        near(fitted.cpu_us_per_checkin, model.cpu_us_per_checkin) &&
        near(fitted.cpu_us_per_report, model.cpu_us_per_report) &&
        near(fitted.kb_per_envoy, model.kb_per_envoy) &&
        near(fitted.base_kb, model.base_kb)
      );
    }),
  );
});

t.test('no coefficient is ever negative, and none of the simpler fits is nearer', async () => {
  const rows = fc.array(
    fc.record({
      inputs: fc.tuple(
        fc.constant(1),
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
      ),
      output: fc.double({ min: -1, max: 10, noNaN: true }),
    }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(rows, (observations) => {
      const fit = nonNegativeFit(observations);
      const error = (coefficients: readonly number[]) =>
        observations.reduce((sum, { inputs, output }) => {
          const said = inputs.reduce((all, input, at) => all + input * (coefficients[at] ?? 0), 0);
          return sum + (said - output) ** 2;
        }, 0);
      const mean = observations.reduce((sum, { output }) => sum + output, 0) / observations.length;
      const simplest = [[0, 0, 0], ...(mean >= 0 ? [[mean, 0, 0]] : [])];
      return (
        fit.every((value) => value >= 0) &&
        simplest.every((other) => error(fit) <= error(other) * (1 + 1e-6) + 1e-9)
      );
    }),
  );
});

t.test('more envoys, a shorter interval or more changes never need less', async () => {
  fc.assert(
    fc.property(models, fleets, (model, fleet) => {
      const needs = needsOf(model, fleet);
      const larger = [
        { ...fleet, envoys: fleet.envoys + 1000 },
        { ...fleet, interval_s: fleet.interval_s / 2 },
        { ...fleet, changed: Math.min(1, fleet.changed + 0.1) },
      ].map((more) => needsOf(model, more));
      return larger.every((more) =>
        (Object.keys(needs) as (keyof typeof needs)[]).every(
          (resource) => more[resource] >= needs[resource] - 1e-9,
        ),
      );
    }),
  );
});

t.test('what a machine is said to carry fits, and one envoy more does not', async () => {
  fc.assert(
    fc.property(models, fleets, machines, (model, fleet, machine) => {
      const most = carries(model, fleet, machine);
      const use = (envoys: number) => {
        const uses = usesOf(model, { ...fleet, envoys }, machine);
        return uses[bindingOf(uses)];
      };
      const fits = most === 0 || use(most) <= 1;
      return fits && (most === 1_000_000 || use(most + 1) > 1);
    }),
  );
});

t.test('the hardware that is named carries the fleet', async () => {
  fc.assert(
    fc.property(models, fleets, (model, fleet) => {
      const { cores, memory_gb, open_files, disk_gb, writer_keeps_up } = hardwareFor(model, fleet);
      if (cores === undefined || memory_gb === undefined || !writer_keeps_up) return true;
      const machine = {
        ...{ cores, open_files },
        memory_kb: memory_gb * 2 ** 20,
        disk_bytes: Math.max(1, disk_gb) * 1e9,
      };
      const uses = usesOf(model, fleet, machine);
      return uses[bindingOf(uses)] <= 1 + 1e-9;
    }),
  );
});

t.test('a known fleet has known needs', async (t) => {
  const model: Model = {
    ...{ base_cores: 0.02, cpu_us_per_checkin: 200, cpu_us_per_report: 1000 },
    ...{ writer_us_per_report: 500, cpu_us_per_handshake: 3000 },
    ...{ base_kb: 300_000, kb_per_envoy: 80, disk_bytes_per_report: 1000 },
  };
  const fleet = { envoys: 15_000, interval_s: 15, changed: 0.1 };
  t.match(needsOf(model, fleet), { memory: 1_500_000, files: 15_300, disk: 3e9, writer: 0.05 });
  t.ok(near(needsOf(model, fleet).cpu, 0.02 + 0.2 + 0.1));
  t.same(hardwareFor(model, fleet), {
    ...{ cores: 1, memory_gb: 2, open_files: 15_300, writer_keeps_up: true },
    disk_gb: Math.ceil(3 / usable.disk),
  });
  t.equal(restartSeconds(model, fleet, { cores: 2 }), 25, 'admission: 300 a second and shard');
  t.equal(errorShare(0.9, 1).toFixed(2), '-0.10');
  t.equal(errorShare(1, 0), 0);
});
