/**
 * The three samples of the overview as a stack, word for word. Of the third the file and its
 * trigger; a command stands for the containers. `running` keeps the service up, which the samples
 * leave to the restart.
 */
export function samplesStack(greeting: string): Record<string, string> {
  return {
    'modules/webserver.vgo': `name: webserver
resources:
  - name: Install nginx
    type: package
    package: nginx
  - name: Nginx config
    type: file
    target_path: /etc/nginx/nginx.conf
    owner: root
    group: root
    mode: "0644"
    source: templates/nginx.conf.tmpl
    notify: [Restart nginx]
  - name: Restart nginx
    type: service
    service: nginx
    state: restarted
    enabled: "true"
    when: "changed"
`,
    'modules/running.vgo': `name: running
depends_on: [webserver]
resources:
  - name: Run nginx
    type: service
    service: nginx
    state: running
    enabled: "true"
`,
    'modules/repositories.vgo': `name: repositories
resources:
  - name: Install apt-transport-https
    type: package
    package: apt-transport-https
    when: "os_family('debian')"
  - name: Install epel-release
    type: package
    package: epel-release
    when: "os_family('redhat')"
`,
    'modules/myapp.vgo': `name: myapp
resources:
  - name: App compose file
    type: file
    target_path: /opt/myapp/docker-compose.yml
    owner: root
    group: root
    mode: "0644"
    content: |
      services:
        web:
          image: nginx:latest
          ports: ["80:80"]
    notify: [App stack]
  - name: App stack
    type: exec
    command: echo up >> /var/log/app-stack.log
    when: "changed"
`,
    'templates/nginx.conf.tmpl': `# {{ .Traits.os.distro }}
worker_processes 1;
pid /run/nginx.pid;
events { worker_connections {{ .Vars.worker_connections }}; }
http {
  access_log off;
  server { listen 80; return 200 "{{ .Vars.greeting }}"; }
}
`,
    'site.vgo': `envoys:
  - match: "web-*"
    modules: [webserver, running, repositories, myapp]
    vars:
      worker_connections: 1024
      greeting: ${JSON.stringify(greeting)}
`,
  };
}

export const nginxConfig = '/etc/nginx/nginx.conf';
export const composeFile = '/opt/myapp/docker-compose.yml';

/** What the template of the stack gives on a Debian host. */
export function wantedConfig(greeting: string): string {
  return `# debian
worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  server { listen 80; return 200 "${greeting}"; }
}
`;
}
