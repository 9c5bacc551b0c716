import type { TestPackage } from '../../test/lab/apt-repository.ts';
import { type HostResource, ofKind } from './description.ts';

/** The packages of the description, those of the services with a unit that just runs. */
export function describedPackages(resources: readonly HostResource[]): readonly TestPackage[] {
  const services = new Set(ofKind(resources, 'service').map(({ service }) => service));
  return ofKind(resources, 'package').map(({ package: name }) =>
    services.has(name) ? servicePackage(name) : toolPackage(name),
  );
}

function toolPackage(name: string): TestPackage {
  return { name, version: '1.0', files: { [`/usr/share/${name}/data`]: `${name}\n` } };
}

function servicePackage(name: string): TestPackage {
  const unit = `[Unit]
Description=A service of the lab
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`;
  return {
    name,
    version: '1.0',
    files: { [`/usr/lib/systemd/system/${name}.service`]: unit },
    scripts: {
      postinst: '#!/bin/sh\nsystemctl daemon-reload\n',
      prerm: `#!/bin/sh\n[ "$1" != remove ] || systemctl -q disable --now ${name}\n`,
      postrm: '#!/bin/sh\nsystemctl daemon-reload\n',
    },
  };
}
