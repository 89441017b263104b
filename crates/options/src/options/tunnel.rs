//! The rows of what a tunnel carries, the way to the server, and how it stays up.

use underpass::{Backoff, Forward, Proxy, ReconnectWhen};

use super::table::{long, row, set, short};
use super::{Action, Flag, Group, Name, Row};
use crate::values;

/// In the order of the help.
pub(super) static TUNNEL: &[Row] = &[
    Row {
        flags: &[short('D')],
        keyword: Some("DynamicForward"),
        metavar: "[BIND:]PORT",
        doc: "Listen on PORT as a proxy: SOCKS 4, 4a and 5, and HTTP CONNECT. Clients say where they want to go, and the \
              server looks names up. BIND as for `-L`",
        example: "1080",
        repeats: true,
        action: Action::Set(|args, value| {
            let forward = Forward::parse_dynamic(&values::word(value)?);
            args.forwards.forwards.push(forward.map_err(|error| error.kind().to_string())?);
            Ok(())
        }),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[short('R')],
        keyword: Some("RemoteForward"),
        metavar: "[BIND:]PORT[:HOST:HOSTPORT]",
        doc: "Have the server listen on PORT, and connect from this machine to HOSTPORT of HOST. Without a target, \
              connections to PORT say where they want to go, as with `-D`. Port 0 lets the server pick one, which is told. \
              The path of a Unix-domain socket may stand for PORT, for the target, or for both, here and with `-L`",
        example: "8080:localhost:80",
        repeats: true,
        action: Action::Set(|args, value| {
            // In ssh_config the two halves are separate words.
            let forward = Forward::parse_remote(&values::words(value)?.join(":"));
            args.forwards.forwards.push(forward.map_err(|error| error.kind().to_string())?);
            Ok(())
        }),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[short('W')],
        metavar: "HOST:PORT",
        doc: "Connect standard input and output to PORT of HOST, as seen from the server, and end with that connection. \
              Everything that is told goes to standard error",
        example: "db:5432",
        action: Action::Set(|args, value| set(&mut args.forwards.stdio, values::endpoint(value))),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[Flag { name: Name::Short('g'), means: Some("yes") }],
        keyword: Some("GatewayPorts"),
        metavar: "yes|no",
        doc: "Whether forwards without a BIND listen on all addresses of this machine, so that other machines can use them",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.forwards.gateway_ports, values::yes_no(value))),
        ..row(Group::Forwards)
    },
    Row {
        keyword: Some("StreamLocalBindUnlink"),
        metavar: "yes|no",
        doc: "Whether the file of a Unix-domain socket that nobody listens at any more is replaced",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.forwards.unlink, values::yes_no(value))),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[Flag { name: Name::Long("exclusive-bind"), means: Some("yes") }],
        doc: "Refuse a port that the system still remembers from an earlier connection",
        action: Action::Set(|args, value| set(&mut args.forwards.exclusive_bind, values::yes_no(value))),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[long("allow-clients")],
        metavar: "LIST",
        doc: "Let only these clients use the ports of this machine: addresses, with `*` for a part, or networks such as \
              10.0.0.0/8",
        example: "127.0.0.1,10.0.0.0/8",
        action: Action::Set(|args, value| set(&mut args.limits.allowed_clients, values::access_list(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("block-clients")],
        metavar: "LIST",
        doc: "Do not let these clients use the ports of this machine; this counts before `--allow-clients`",
        example: "10.0.0.13",
        action: Action::Set(|args, value| set(&mut args.limits.blocked_clients, values::access_list(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("allow-destinations")],
        keyword: Some("PermitRemoteOpen"),
        metavar: "LIST",
        doc: "Where clients of `-D`, and of `-R` without a target, may go: HOST:PORT, `*` in either, networks, ranges of \
              ports, `any` or `none`",
        default: "any",
        example: "*.corp:443 10.0.0.0/8:*",
        action: Action::Set(|args, value| set(&mut args.limits.destinations, values::destinations(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("proxy-users")],
        metavar: "FILE",
        doc: "Let only these users use `-D`: a file with one `user:password` a line, to which only its owner may have access",
        example: "/run/secrets/proxy-users",
        action: Action::Set(|args, value| set(&mut args.limits.proxy_users, Ok(value.into()))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("max-connections")],
        metavar: "NUMBER",
        doc: "How many connections may be open at the same time, up to 100000",
        default: "1000",
        example: "5000",
        action: Action::Set(|args, value| set(&mut args.limits.max_connections, values::count(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("idle-timeout")],
        metavar: "TIME",
        doc: "Cut a connection that carries nothing for so long",
        default: "never",
        example: "1h",
        action: Action::Set(|args, value| set(&mut args.limits.idle, values::some_time(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("rate-limit")],
        metavar: "AMOUNT",
        doc: "How much one connection may carry a second, in each direction",
        default: "unlimited",
        example: "512K",
        action: Action::Set(|args, value| set(&mut args.limits.rate, values::bytes(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("total-rate-limit")],
        metavar: "AMOUNT",
        doc: "How much all connections together may carry a second, in each direction",
        default: "unlimited",
        example: "10M",
        action: Action::Set(|args, value| set(&mut args.limits.total_rate, values::bytes(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("total-rate-limit-out")],
        metavar: "AMOUNT",
        doc: "How much they may carry a second towards the server",
        default: "that of `--total-rate-limit`",
        example: "1M",
        action: Action::Set(|args, value| set(&mut args.limits.total_rate_out, values::bytes(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("open-timeout")],
        metavar: "TIME",
        doc: "How long the server may take to reach a target",
        default: "30s",
        example: "5",
        action: Action::Set(|args, value| set(&mut args.limits.open_timeout, values::some_time(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[short('J')],
        keyword: Some("ProxyJump"),
        metavar: "HOP[,HOP]…",
        doc: "Go through these SSH servers first, in this order; each is written like the destination. Their keys are \
              checked like its own. `none` goes directly",
        default: "none",
        example: "me@outer:2222,inner",
        action: Action::Set(|args, value| set(&mut args.server.jumps, values::jumps(value))),
        ..row(Group::Server)
    },
    Row {
        keyword: Some("ProxyCommand"),
        metavar: "COMMAND",
        doc: "Reach the server through a program that passes bytes on. %h (host), %p (port), %r (user), %n (host as it was \
              written) and %% are replaced; `none` goes directly",
        default: "none",
        example: "nc -x proxy:1080 %h %p",
        action: Action::Set(|args, value| set(&mut args.server.proxy_command, values::text(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("proxy")],
        metavar: "URL",
        doc: "Reach the server through a proxy: http://, https://, socks4://, socks4a://, socks5:// or socks5h://, with \
              USER:PASSWORD@ before the host if it wants them (better from the environment: `system` takes ALL_PROXY, \
              HTTPS_PROXY and NO_PROXY, or else the settings of Windows, macOS or GNOME). 4a and 5h let the proxy look the server's name up",
        default: "none",
        example: "socks5h://proxy:1080",
        action: Action::Set(|args, value| {
            set(&mut args.server.proxy, Proxy::parse(value).map_err(|error| error.kind().to_string()))
        }),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("proxy-header")],
        metavar: "NAME:VALUE",
        doc: "Send this to an HTTP proxy as well",
        example: "X-Team: tunnels",
        repeats: true,
        action: Action::Set(|args, value| {
            let (name, value) = values::header(value)?;
            args.server.proxy_headers.push(name, value).map_err(|error| error.to_string())
        }),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("proxy-except")],
        metavar: "LIST",
        doc: "Reach these servers without the proxy: names, those below a name, addresses and networks, as in NO_PROXY",
        default: "none",
        example: "*.example.com,10.0.0.0/8",
        action: Action::Set(|args, value| set(&mut args.server.proxy_exceptions, Ok(value.into()))),
        ..row(Group::Server)
    },
    Row {
        flags: &[short('b')],
        keyword: Some("BindAddress"),
        metavar: "ADDRESS",
        doc: "The address of this machine to connect from",
        example: "192.0.2.7",
        action: Action::Set(|args, value| set(&mut args.server.local_address, values::ip(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("local-port")],
        metavar: "PORT",
        doc: "The port of this machine to connect from",
        example: "1022",
        action: Action::Set(|args, value| set(&mut args.server.local_port, values::port(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("socket")],
        metavar: "NAME=VALUE",
        doc: "Set an option of the TCP connection to the server, or with `client-` before NAME of those of clients: nodelay \
              (yes or no), send-buffer and receive-buffer (an amount of data), keepalive-time and keepalive-interval (a \
              time), keepalive-count (a number), linger (a time)",
        default: "nodelay=yes",
        example: "send-buffer=1M",
        repeats: true,
        action: Action::Set(|args, value| values::socket_option(value, &mut args.sockets)),
        ..row(Group::Server)
    },
    Row {
        flags: &[long("reconnect")],
        metavar: "WHEN",
        doc: "Whether to connect again: `never`, when an established connection `broke`, or `always`, which is also when \
              the first attempt fails. Ports stay open meanwhile, and whoever connects waits. A refused key or login is \
              not tried again",
        default: "broke",
        example: "always",
        action: Action::Set(|args, value| {
            const WHEN: [(&str, ReconnectWhen); 3] = [
                ("never", ReconnectWhen::Never),
                ("broke", ReconnectWhen::AfterBreak),
                ("always", ReconnectWhen::Always),
            ];
            set(&mut args.reconnect.when, values::choice(value, &WHEN))
        }),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("reconnect-attempts")],
        metavar: "NUMBER",
        doc: "How many attempts in a row may fail before the tunnel is given up",
        default: "unlimited",
        example: "10",
        action: Action::Set(|args, value| set(&mut args.reconnect.attempts, values::count(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("reconnect-delay")],
        metavar: "TIME[-TIME]",
        doc: "How long to wait before an attempt, such as `250ms` or `5m`: always the same, or from the first up to the \
              second, a quarter as long again each time and with chance in it. The first attempt waits half of the first at \
              most",
        default: "1s-60s",
        example: "2s-5m",
        action: Action::Set(|args, value| set(&mut args.reconnect.backoff, backoff(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[Flag { name: Name::Long("reconnect-refused"), means: Some("yes") }],
        doc: "Try again after a refused key or login, too: servers may ban this machine for it",
        action: Action::Set(|args, value| set(&mut args.reconnect.refused, values::yes_no(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("waiting-connections")],
        metavar: "NUMBER",
        doc: "How many new connections may wait while there is no connection to the server",
        default: "1000",
        example: "50",
        action: Action::Set(|args, value| set(&mut args.reconnect.waiting, values::count(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("waiting-timeout")],
        metavar: "TIME",
        doc: "How long each of them may wait",
        default: "30s",
        example: "2m",
        action: Action::Set(|args, value| set(&mut args.reconnect.waiting_timeout, values::some_time(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("wait-ready")],
        metavar: "TIME",
        doc: "Tell when the tunnel is ready, and end with an error if it is not within this time: the server is connected, \
              each forward is listened for, and the target of `--probe` was reached",
        example: "30s",
        action: Action::Set(|args, value| set(&mut args.reconnect.wait_ready, values::some_time(value))),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[long("probe")],
        metavar: "HOST:PORT",
        doc: "What has to be reached through the server before the tunnel is ready",
        example: "db:5432",
        action: Action::Set(|args, value| set(&mut args.reconnect.probe, values::endpoint(value))),
        ..row(Group::Liveness)
    },
];

fn backoff(value: &str) -> Result<Backoff, String> {
    match value.split_once('-') {
        None => Ok(Backoff::Fixed(values::fine_time(value)?)),
        Some((first, most)) => {
            let (first, most) = (values::fine_time(first)?, values::fine_time(most)?);
            match first <= most {
                true => Ok(Backoff::Exponential { first, most }),
                false => Err(values::expected("a shorter time before a longer one, as in 1s-60s", value)),
            }
        }
    }
}
