/*
 * The echo of tls-echo-entry.ts with the socket and TLS outside of Node.js: epoll and OpenSSL, one thread. Prints its
 * port; runs until it is killed, or until who started it is gone.
 * Usage: tls-echo CERTIFICATE KEY AUTHORITY (PEM files). Built by tls-echo-servers.ts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { answer_bytes = 190, request_limit = 4096, backlog = 4096, events_per_wait = 256 };

static const char session_context[] = "vigo-agents";
static char answer[answer_bytes];

static void fail(const char *what) {
  fprintf(stderr, "tls-echo: %s: %s\n", what, strerror(errno));
  ERR_print_errors_fp(stderr);
  exit(1);
}

/* As Node.js sets it up for actors/server/endpoint/tls-listener.ts, where OpenSSL has a name for it. */
static SSL_CTX *make_context(char **files) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (context == NULL) fail("SSL_CTX_new");
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context, files[0]) != 1) fail(files[0]);
  if (SSL_CTX_use_PrivateKey_file(context, files[1], SSL_FILETYPE_PEM) != 1) fail(files[1]);
  if (SSL_CTX_load_verify_file(context, files[2]) != 1) fail(files[2]);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files[2]));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)session_context,
                                 sizeof session_context - 1);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  /* One recv per record instead of one for its head and one for its body. */
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

static int listen_on_loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  if (listen(listener, backlog) != 0) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void watch(int queue, int descriptor, SSL *connection) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

static void accept_all(int queue, int listener, SSL_CTX *context) {
  const int on = 1;
  for (;;) {
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      fail("accept");
    }
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *connection = SSL_new(context);
    if (connection == NULL || SSL_set_fd(connection, socket) != 1) fail("SSL_new");
    SSL_set_accept_state(connection);
    watch(queue, socket, connection);
  }
}

static void hang_up(SSL *connection) {
  int socket = SSL_get_fd(connection);
  SSL_free(connection);
  close(socket);
}

/* The first reads are the handshake. Answers are far below what a socket holds: a full one is a broken client. */
static void serve(SSL *connection) {
  static char request[request_limit];
  do {
    ERR_clear_error();
    int length = SSL_read(connection, request, sizeof request);
    if (length <= 0) {
      int reason = SSL_get_error(connection, length);
      if (reason != SSL_ERROR_WANT_READ) hang_up(connection);
      return;
    }
    if (SSL_write(connection, answer, sizeof answer) != (int)sizeof answer) {
      hang_up(connection);
      return;
    }
  } while (SSL_has_pending(connection));
}

int main(int count, char **words) {
  struct epoll_event ready[events_per_wait];
  if (count != 4) {
    fprintf(stderr, "usage: tls-echo CERTIFICATE KEY AUTHORITY\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  memset(answer, 1, sizeof answer);
  SSL_CTX *context = make_context(words + 1);
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) fail("epoll_create1");
  int listener = listen_on_loopback();
  watch(queue, listener, NULL);
  for (;;) {
    int waiting = epoll_wait(queue, ready, events_per_wait, -1);
    if (waiting < 0 && errno != EINTR) fail("epoll_wait");
    for (int at = 0; at < waiting; at++) {
      if (ready[at].data.ptr == NULL) accept_all(queue, listener, context);
      else serve(ready[at].data.ptr);
    }
  }
}
