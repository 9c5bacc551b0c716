import type { PublishedPort } from '../../platform/docker/docker-engine.ts';
import { dockerContainerSchema } from '../../policy/resource-schemas/docker-container.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { readTimeout, splitWords } from './settings.ts';

export interface ContainerSpec {
  readonly name: string;
  readonly state: 'running' | 'stopped' | 'absent';
  readonly image: string;
  readonly pull: 'missing' | 'always' | 'never';
  readonly command: readonly string[] | undefined;
  readonly ports: readonly PublishedPort[];
  readonly volumes: readonly string[];
  readonly network: string | undefined;
  /** NAME=value, by name. */
  readonly environment: readonly string[];
  /** As declared, such as "on-failure:5". */
  readonly restart: string;
  readonly waitHealthy: boolean;
  readonly timeoutMs: number;
}

const portLimit = 65_535;
const variableName = /^[^=\s\0]+$/;

export function parseContainer(values: Readonly<Record<string, PolicyValue>>): ContainerSpec {
  const reader = new ParameterReader(dockerContainerSchema.parameters, values);
  const command = reader.text('command');
  const words = command === undefined ? undefined : splitWords(command);
  if (command !== undefined && words === undefined)
    reader.problem('command', 'has a quote that is not closed');
  const spec: ContainerSpec = {
    name: reader.text('container') ?? '',
    state: reader.enumeration('state', ['running', 'stopped', 'absent']) ?? 'running',
    image: reader.text('image') ?? '',
    pull: reader.enumeration('pull', ['missing', 'always', 'never']) ?? 'missing',
    command: words,
    ports: (reader.list('ports') ?? []).map((port) => readPort(port, reader)),
    volumes: [...(reader.list('volumes') ?? [])].sort(),
    network: reader.text('network'),
    environment: readEnvironment(values.environment, reader),
    restart: reader.text('restart_policy') ?? 'unless-stopped',
    waitHealthy: reader.boolean('wait_healthy') ?? true,
    timeoutMs: readTimeout(reader),
  };
  if (spec.state === 'running' && spec.image === '')
    reader.problem('image', 'is required for state running');
  reader.finish();
  return spec;
}

function readPort(text: string, reader: ParameterReader): PublishedPort {
  const [ports = '', protocol = 'tcp'] = text.split('/');
  const address = /^(?:\[([^\]]*)\]|([0-9.]+)):(?=.)/.exec(ports);
  const isAddress = address !== null && (address[1] !== undefined || address[2]!.includes('.'));
  const rest = isAddress ? ports.slice(address[0].length) : ports;
  const [first = '', second] = rest.split(':');
  const hostPort = second === undefined ? '' : first;
  const containerPort = second ?? first;
  for (const port of [hostPort, containerPort])
    if (port !== '' && !(Number(port) >= 1 && Number(port) <= portLimit))
      reader.problem('ports', 'must be from 1 to 65535');
  return {
    address: isAddress ? (address[1] ?? address[2] ?? '') : '',
    hostPort,
    containerPort,
    protocol,
  };
}

function readEnvironment(value: PolicyValue | undefined, reader: ParameterReader): string[] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    reader.problem('environment', 'must be a map');
    return [];
  }
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, one]) => {
      if (!variableName.test(name)) reader.problem('environment', 'has a name that cannot be one');
      if (one !== null && typeof one === 'object')
        reader.problem('environment', 'must hold one value per name');
      const text = one === null ? '' : String(one);
      if (text.includes('\0')) reader.problem('environment', 'must not hold NUL characters');
      return `${name}=${text}`;
    });
}
