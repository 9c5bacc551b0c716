import t from 'tap';
import { readInitScript } from '../../../../agent/platform/services/init-script.ts';
import { fc } from '../../../support/property.ts';

const read = (text: string) => readInitScript('web', '/etc/init.d/web', text);

t.test('what a script says in plain words is known without running it', async (t) => {
  const debian = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          web
### END INIT INFO
NAME=webd
DAEMON="/usr/sbin/$NAME"
PIDFILE=/run/\${NAME}.pid # kept by the daemon
case "$1" in
start) ;;
restart|force-reload) ;;
status) ;;
esac
`;
  t.match(read(debian), {
    openrc: false,
    pidFile: '/run/webd.pid',
    program: '/usr/sbin/webd',
    answersStatus: true,
  });
  const redHat =
    '#!/bin/bash\n# chkconfig: 2345 55 25\n# processname: sshd\n# pidfile: /var/run/sshd.pid\n';
  t.match(read(`${redHat}case "$1" in\n  start|stop) ;;\n  rh_status|status)\n`), {
    pidFile: '/var/run/sshd.pid',
    program: 'sshd',
    answersStatus: true,
  });
  const openrc = `#!/sbin/openrc-run\ncommand=/usr/bin/x\npidfile="/run/\${RC_SVCNAME}.pid"\n`;
  t.match(read(openrc), { openrc: true, pidFile: '/run/web.pid', program: '/usr/bin/x' });
  t.equal(read('#!/usr/bin/env /lib/init/init-d-script\nDAEMON=/bin/x\n').answersStatus, true);
});

t.test('what is not certain is not guessed', async (t) => {
  for (const value of ['$(cat x)', `\${DIR:-/run}/x.pid`, '`x`', '$UNSET/x.pid', 'run/x.pid', ''])
    t.equal(read(`#!/bin/sh\nPIDFILE="${value}"\n`).pidFile, undefined, value);
  const twice = '#!/bin/sh\nPIDFILE=/run/a.pid\nPIDFILE=/run/b.pid\n';
  t.equal(read(twice).pidFile, undefined, 'it depends on what the script finds');
  t.equal(read('#!/bin/sh\necho "status of x"\n').answersStatus, false);
  t.equal(read('#!/bin/sh\ncase $1 in start|stop) ;; esac\n').answersStatus, false);
});

t.test('no script breaks the reader, and a pid file is always an absolute path', async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc
            .tuple(
              fc.constantFrom('PIDFILE', 'pidfile', 'NAME', 'DAEMON', 'command'),
              fc.constantFrom('', '"', "'"),
              fc.string(),
            )
            .map(([name, quote, value]) => `${name}=${quote}${value}${quote}`),
        ),
      ),
      (lines) => {
        const { pidFile } = read(lines.join('\n'));
        return pidFile === undefined || pidFile.startsWith('/');
      },
    ),
  );
});
