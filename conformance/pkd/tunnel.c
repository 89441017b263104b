/*
 * Makes libssh's test server one for a client that has tunnels only, without a change to its source.
 *
 * Linked into it with -Wl,--wrap, this takes a direct-tcpip channel for a session channel with a command: the server
 * sends its payload, ends and closes the channel, and asserts what it asserts otherwise. It also has the server listen
 * on a free loopback port instead of port 1234 of every address; PKD_PORT says which, to the client's wrapper.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

int __real_bind(int fd, const struct sockaddr *address, socklen_t length);
int __real_ssh_set_channel_callbacks(ssh_channel channel, ssh_channel_callbacks callbacks);
int __real_ssh_set_server_callbacks(ssh_session session, ssh_server_callbacks callbacks);

/* Those of the only channel; the server serves one at a time. */
static ssh_channel_callbacks channel_callbacks;

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(local);
    char port[8];

    (void)address;
    (void)length;
    if (__real_bind(fd, (struct sockaddr *)&local, size) != 0
        || getsockname(fd, (struct sockaddr *)&local, &size) != 0) {
        return -1;
    }
    snprintf(port, sizeof(port), "%d", ntohs(local.sin_port));
    return setenv("PKD_PORT", port, 1);
}

int __wrap_ssh_set_channel_callbacks(ssh_channel channel, ssh_channel_callbacks callbacks)
{
    channel_callbacks = callbacks;
    return __real_ssh_set_channel_callbacks(channel, callbacks);
}

static int on_message(ssh_session session, ssh_message message, void *data)
{
    const int refused = 1;
    ssh_server_callbacks callbacks = data;
    ssh_channel channel;

    if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN
        || ssh_message_subtype(message) != SSH_CHANNEL_DIRECT_TCPIP) {
        return refused;
    }
    channel = callbacks->channel_open_request_session_function(session, callbacks->userdata);
    if (channel == NULL
        || ssh_message_channel_request_open_reply_accept_channel(message, channel) != SSH_OK) {
        return refused;
    }
    return channel_callbacks->channel_exec_request_function(
        session, channel, "a tunnel", channel_callbacks->userdata);
}

int __wrap_ssh_set_server_callbacks(ssh_session session, ssh_server_callbacks callbacks)
{
    ssh_set_message_callback(session, on_message, callbacks);
    return __real_ssh_set_server_callbacks(session, callbacks);
}
