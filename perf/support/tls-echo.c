/*
 * The echo of tls-echo-entry.ts with the socket and TLS outside of Node's streams: epoll and OpenSSL, one thread. Prints
 * its port; runs until it is killed, or until who started it is gone. Built by tls-echo-servers.ts in two ways:
 * - a program on the system's OpenSSL: tls-echo CERTIFICATE KEY AUTHORITY (PEM files);
 * - with TLS_ECHO_ADDON a module that Node.js loads, on Node's own OpenSSL, which asks JavaScript for each answer.
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

/* What the program and the module do differently, at the end of this file. */
static int answer_length(int length);
static void begin_batch(void);
static void end_batch(void);

static const char session_context[] = "vigo-agents";
static char answer[answer_bytes];
static char request[request_limit];

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
  do {
    ERR_clear_error();
    int length = SSL_read(connection, request, sizeof request);
    if (length <= 0) {
      int reason = SSL_get_error(connection, length);
      if (reason != SSL_ERROR_WANT_READ) hang_up(connection);
      return;
    }
    int answering = answer_length(length);
    if (SSL_write(connection, answer, answering) != answering) {
      hang_up(connection);
      return;
    }
  } while (SSL_has_pending(connection));
}

static void run(char **files) {
  struct epoll_event ready[events_per_wait];
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  memset(answer, 1, sizeof answer);
  SSL_CTX *context = make_context(files);
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) fail("epoll_create1");
  int listener = listen_on_loopback();
  watch(queue, listener, NULL);
  for (;;) {
    int waiting = epoll_wait(queue, ready, events_per_wait, -1);
    if (waiting < 0 && errno != EINTR) fail("epoll_wait");
    begin_batch();
    for (int at = 0; at < waiting; at++) {
      if (ready[at].data.ptr == NULL) accept_all(queue, listener, context);
      else serve(ready[at].data.ptr);
    }
    end_batch();
  }
}

#ifdef TLS_ECHO_ADDON
#include <node_api.h>

static napi_env node;
static napi_value on_request;
static napi_handle_scope batch;

static void check(napi_status status) {
  if (status != napi_ok) fail("Node-API");
}

static void begin_batch(void) { check(napi_open_handle_scope(node, &batch)); }

static void end_batch(void) { check(napi_close_handle_scope(node, batch)); }

static int answer_length(int length) {
  napi_value receiver, argument, result;
  int answering = 0;
  check(napi_get_undefined(node, &receiver));
  check(napi_create_int32(node, length, &argument));
  check(napi_call_function(node, receiver, on_request, 1, &argument, &result));
  check(napi_get_value_int32(node, result, &answering));
  return answering;
}

/* serve(certificate, key, authority, setRequest, onRequest): does not return. */
static napi_value serve_for_node(napi_env env, napi_callback_info call) {
  static char paths[3][4096];
  char *files[] = {paths[0], paths[1], paths[2]};
  napi_value arguments[5], receiver, memory;
  size_t count = 5;
  node = env;
  check(napi_get_cb_info(env, call, &count, arguments, NULL, NULL));
  for (int at = 0; at < 3; at++) {
    check(napi_get_value_string_utf8(env, arguments[at], paths[at], sizeof paths[at], NULL));
  }
  check(napi_get_undefined(env, &receiver));
  check(napi_create_external_arraybuffer(env, request, sizeof request, NULL, NULL, &memory));
  check(napi_call_function(env, receiver, arguments[3], 1, &memory, NULL));
  on_request = arguments[4];
  run(files);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  check(napi_create_function(env, "serve", NAPI_AUTO_LENGTH, serve_for_node, NULL, &function));
  check(napi_set_named_property(env, exports, "serve", function));
  return exports;
}
#else
static void begin_batch(void) {}

static void end_batch(void) {}

static int answer_length(int length) {
  (void)length;
  return answer_bytes;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: tls-echo CERTIFICATE KEY AUTHORITY\n");
    return 2;
  }
  run(words + 1);
}
#endif
