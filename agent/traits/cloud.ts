import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import { readDmi } from './dmi.ts';
import { known, readMachineFile } from './machine-file.ts';
import { isMap } from './values.ts';

/** World-readable; cloud-init keeps secrets out of this one. */
const cloudInitPath = '/run/cloud-init/instance-data.json';
const cloudInitLimit = 4 * 1024 * 1024;
const azureChassisTag = '7783-7084-3265-9085-8269-3286-77';

/** cloud-init's names of providers that are not ours. */
const aliases: Readonly<Record<string, string>> = {
  ec2: 'aws',
  gce: 'gcp',
  akamai: 'linode',
};
const providers = new Set('aws gcp azure digitalocean oracle hetzner vultr linode'.split(' '));

interface Firmware {
  readonly vendor: string;
  readonly product: string;
  readonly serial: string | undefined;
  readonly board: string | undefined;
  readonly chassis: string;
}

/** cloud.provider and what the provider and cloud-init left on the machine. */
export const cloudCollector: TraitCollector = {
  name: 'cloud',
  collect: async ({ platform }) => {
    const firmware = await readFirmware(platform);
    const text = await readMachineFile(platform, cloudInitPath, cloudInitLimit);
    const data: PolicyValue = text === undefined ? {} : JSON.parse(text);
    const named = textAt(data, ['v1', 'cloud_name'])?.toLowerCase() ?? '';
    const cloudInit = aliases[named] ?? named;
    const provider = byFirmware(firmware) ?? (providers.has(cloudInit) ? cloudInit : 'none');
    if (provider === 'none') return { provider };
    return { provider, ...fromFirmware(provider, firmware), ...fromCloudInit(data) };
  },
};

async function readFirmware(platform: Platform): Promise<Firmware> {
  return {
    vendor: (await readDmi(platform, 'sys_vendor')) ?? '',
    product: (await readDmi(platform, 'product_name')) ?? '',
    serial: await readDmi(platform, 'product_serial'),
    board: await readDmi(platform, 'board_asset_tag'),
    chassis: (await readDmi(platform, 'chassis_asset_tag')) ?? '',
  };
}

function byFirmware({ vendor, product, chassis }: Firmware): string | undefined {
  if (vendor === 'Amazon EC2') return 'aws';
  if (product === 'Google Compute Engine' || vendor === 'Google') return 'gcp';
  if (chassis === azureChassisTag) return 'azure';
  if (chassis === 'OracleCloud.com') return 'oracle';
  const plain = vendor.toLowerCase();
  if (plain === 'akamai') return 'linode';
  return ['digitalocean', 'hetzner', 'vultr', 'linode'].find((name) => name === plain);
}

/** Providers that write ids into the firmware, in the fields that they chose for it. */
function fromFirmware(provider: string, { product, serial, board }: Firmware) {
  if (provider === 'aws') {
    const id = board?.startsWith('i-') === true ? board : undefined;
    return known({ instance_id: id, instance_type: product.includes('.') ? product : undefined });
  }
  const hasSerial = ['digitalocean', 'hetzner', 'vultr'].includes(provider);
  return known({ instance_id: hasSerial ? serial : undefined });
}

function fromCloudInit(data: PolicyValue): Record<string, PolicyValue> {
  const meta = (...names: string[]) =>
    names.map((name) => textAt(data, ['ds', 'meta_data', name])).find((one) => one !== undefined);
  const tags = at(data, ['ds', 'meta_data', 'tags']);
  const identity = ['ds', 'dynamic', 'instance-identity', 'document'];
  return known({
    instance_id: textAt(data, ['v1', 'instance_id']),
    instance_type: meta('instance-type', 'instance_type') ?? textAt(data, ['v1', 'machine_type']),
    instance_name: meta('instance-name', 'name', 'hostname', 'local-hostname'),
    region: textAt(data, ['v1', 'region']),
    zone: textAt(data, ['v1', 'availability_zone']),
    account_id: textAt(data, [...identity, 'accountId']) ?? meta('project-id'),
    public_ip: meta('public-ipv4', 'public_ipv4'),
    image_id: meta('ami-id', 'image-id'),
    tags: isMap(tags) ? textsOf(tags) : undefined,
  });
}

function textsOf(map: Readonly<Record<string, PolicyValue>>): Record<string, string> {
  const entries = Object.entries(map);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function at(value: PolicyValue, path: readonly string[]): PolicyValue | undefined {
  let inner: PolicyValue | undefined = value;
  for (const name of path) {
    inner = isMap(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }
  return inner;
}

/** Numbers, such as ids, as text; empty text and what cloud-init holds back count as nothing. */
function textAt(value: PolicyValue, path: readonly string[]): string | undefined {
  const found = at(value, path);
  if (typeof found === 'number') return String(found);
  if (typeof found !== 'string' || found === '') return undefined;
  return found.startsWith('redacted') ? undefined : found;
}
