use std::time::Duration;

use underpass::{AddressFamily, AgentUse, FingerprintHash, Forward, HostKeyPolicy, PacketTrace};

use super::{Action, Flag, Group, Name, Row};
use crate::{
    args::{Command, RekeyLimit, Verbosity},
    values,
};

/// The rows of the connection to the server, in the order of the help.
pub(super) static TABLE: &[Row] = &[
    Row {
        group: Group::Forwards,
        flags: &[short('L')],
        keyword: Some("LocalForward"),
        metavar: "[BIND:]PORT:HOST:HOSTPORT",
        doc: "Listen on PORT of this machine and connect from the server to HOSTPORT of HOST, a name or address as \
              seen from the server. Without BIND on the loopback addresses, with an empty one or `*` on all. Port 0 \
              picks a free one and tells it. IPv6 addresses go into brackets",
        default: "",
        example: "127.0.0.1:5432:db:5432",
        repeats: true,
        action: Action::Set(|args, value| {
            // In ssh_config the two halves are separate words.
            let forward = values::words(value)?.join(":");
            let forward = Forward::parse_local(&forward).map_err(|error| error.kind().to_string())?;
            args.forwards.forwards.push(forward);
            Ok(())
        }),
    },
    Row {
        keyword: Some("ExitOnForwardFailure"),
        metavar: "yes|no",
        doc: "Whether to end when a forward cannot listen. With `no` the others go on",
        default: "yes",
        example: "no",
        action: Action::Set(|args, value| set(&mut args.forwards.exit_on_failure, values::yes_no(value))),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[switch('N'), switch('n'), switch('T')],
        doc: "Accepted as ssh's; no command is run and no terminal allocated on the server in any case",
        action: Action::Set(|_, _| Ok(())),
        ..row(Group::Forwards)
    },
    Row {
        flags: &[short('p')],
        keyword: Some("Port"),
        metavar: "PORT",
        doc: "The port of the server",
        default: "22",
        example: "2222",
        action: Action::Set(|args, value| set(&mut args.server.port, values::port(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[short('l')],
        keyword: Some("User"),
        metavar: "USER",
        doc: "The user to log in as",
        default: "whoever runs the command",
        example: "me",
        action: Action::Set(|args, value| set(&mut args.login.user, values::word(value))),
        ..row(Group::Server)
    },
    Row {
        keyword: Some("HostName"),
        metavar: "HOST",
        doc: "The name or address to connect to, and to find the server's key under, instead of the one in the \
              destination, which %h stands for",
        example: "192.0.2.1",
        action: Action::Set(|args, value| set(&mut args.server.host_name, values::word(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[
            Flag { name: Name::Short('4'), means: Some("inet") },
            Flag { name: Name::Short('6'), means: Some("inet6") },
        ],
        keyword: Some("AddressFamily"),
        metavar: "any|inet|inet6",
        doc: "Which addresses of the server to use: `-4` and `inet` are IPv4, `-6` and `inet6` are IPv6",
        default: "any",
        example: "inet6",
        action: Action::Set(|args, value| {
            const FAMILIES: [(&str, AddressFamily); 3] =
                [("any", AddressFamily::Any), ("inet", AddressFamily::V4), ("inet6", AddressFamily::V6)];
            set(&mut args.server.family, values::choice(value, &FAMILIES))
        }),
        ..row(Group::Server)
    },
    Row {
        keyword: Some("ConnectTimeout"),
        metavar: "TIME",
        doc: "How long looking up and connecting may take, and then again the SSH handshake",
        default: "30s",
        example: "10",
        action: Action::Set(|args, value| set(&mut args.server.connect_timeout, values::some_time(value))),
        ..row(Group::Server)
    },
    Row {
        flags: &[short('i')],
        keyword: Some("IdentityFile"),
        metavar: "FILE",
        doc: "A private key to log in with, in a file of any format that `underpass keys inspect` knows. `~/` is the \
              home directory, ${VARIABLE} is replaced, and so are the tokens of ssh_config(5), such as %d (home \
              directory), %h (host), %p (port) and %r (user); `none` is no key. A \
              URI that begins with `pkcs11:` means keys on a token, as in \
              pkcs11:token=work;object=ssh?pin-source=file:/etc/pin, or by their certificates: pkcs11:x-subject=CN=me. \
              `store:user:SUBJECT` or `store:machine:SUBJECT` is a key of the system that `underpass keys list` shows: in \
              Windows' certificate stores, store:user:CN=me, elsewhere in ~/.ssh or /etc/ssh, store:user:id_work",
        default: "those of ~/.ssh/id_ed25519, ~/.ssh/id_ecdsa and ~/.ssh/id_rsa that exist",
        example: "~/.ssh/id_ed25519",
        repeats: true,
        action: Action::Set(|args, value| {
            args.login.identity_files.push(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        flags: &[short('I')],
        keyword: Some("PKCS11Provider"),
        metavar: "MODULE",
        doc: "The PKCS#11 module of a token whose keys are to be used: all of them, or those that -i names by a URI. The \
              module is loaded into this process",
        default: "none",
        example: "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        action: Action::Set(|args, value| set(&mut args.login.pkcs11_provider, values::word(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("CertificateFile"),
        metavar: "FILE",
        doc: "An OpenSSH or X.509 certificate for one of the keys, which are those of IdentityFile and the agent's, \
              offered before the plain key; that of X.509 to servers that list its algorithm, or to all if \
              PubkeyAcceptedAlgorithms names it. Same replacements as for IdentityFile",
        default: "FILE-cert.pub beside each IdentityFile, and X.509 certificates in it",
        example: "~/.ssh/id_ed25519-cert.pub",
        repeats: true,
        action: Action::Set(|args, value| {
            args.login.certificate_files.push(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        flags: &[Flag { name: Name::Long("certificate"), means: None }],
        metavar: "LINE",
        doc: "An OpenSSH certificate for one of the keys, not in a file: the line of one. Its first word is the algorithm \
              to sign with, such as `rsa-sha2-256-cert-v01@openssh.com`",
        example: "rsa-sha2-512-cert-v01@openssh.com AAAAHHNzaC1yc2E=",
        repeats: true,
        action: Action::Set(|args, value| {
            args.login.certificates.push(value.to_owned());
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("IdentitiesOnly"),
        metavar: "yes|no",
        doc: "Whether to offer, of the keys that the agent holds, only those of which IdentityFile names a file (the \
              private or the public half), or which are in the default files",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.login.identities_only, values::yes_no(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("IdentityAgent"),
        metavar: "SOCKET",
        doc: "Where the SSH agent listens: a Unix-domain socket, with the replacements of IdentityFile, or a named pipe \
              on Windows, where `pageant` is PuTTY's agent; `SSH_AUTH_SOCK` or `$VARIABLE` for what that variable says; `none` for no agent. Keys of \
              files that it holds are offered first, then its others, then other keys of files",
        default: "SSH_AUTH_SOCK; on Windows otherwise OpenSSH's agent, or else Pageant",
        example: "~/.agent.sock",
        action: Action::Set(|args, value| set(&mut args.login.agent_socket, values::word(value))),
        ..row(Group::Login)
    },
    Row {
        flags: &[Flag { name: Name::Long("agent"), means: None }],
        metavar: "yes|no|required",
        doc: "What part the SSH agent has: with `required` nothing but its keys is offered",
        default: "yes",
        example: "required",
        action: Action::Set(|args, value| set(&mut args.login.agent, values::choice(value, AGENT))),
        ..row(Group::Login)
    },
    Row {
        flags: &[Flag { name: Name::Long("password-file"), means: None }],
        metavar: "FILE",
        doc: "A file that holds the password; only its owner may have access to it. A line end after it does not \
              count",
        default: "the variable UNDERPASS_PASSWORD, else a prompt",
        example: "/run/secrets/password",
        action: Action::Set(|args, value| set(&mut args.login.password_file, Ok(value.into()))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("BatchMode"),
        metavar: "yes|no",
        doc: "Whether never to ask anything",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.login.batch, values::yes_no(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("NumberOfPasswordPrompts"),
        metavar: "NUMBER",
        doc: "How often to ask for a password",
        default: "3",
        example: "1",
        action: Action::Set(|args, value| set(&mut args.login.password_prompts, values::count(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("PreferredAuthentications"),
        metavar: "LIST",
        doc: "The methods to log in with, in order",
        default: "gssapi-keyex, gssapi-with-mic, hostbased, publickey, keyboard-interactive, password",
        example: "password,publickey",
        action: Action::Set(|args, value| {
            let methods = values::word(value)?;
            let methods =
                methods.split(',').map(|method| values::choice(method, &METHODS).map(str::to_owned));
            set(&mut args.login.preferred, methods.collect())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("PubkeyAuthentication"),
        metavar: "yes|no",
        doc: "Whether to log in with keys",
        default: "yes",
        example: "no",
        action: Action::Set(|args, value| set(&mut args.login.public_key, values::yes_no(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("PasswordAuthentication"),
        metavar: "yes|no",
        doc: "Whether to log in with a password",
        default: "yes",
        example: "no",
        action: Action::Set(|args, value| set(&mut args.login.password, values::yes_no(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("KbdInteractiveAuthentication"),
        metavar: "yes|no",
        doc: "Whether to log in with the server's own questions",
        default: "yes",
        example: "no",
        action: Action::Set(|args, value| set(&mut args.login.keyboard_interactive, values::yes_no(value))),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("StrictHostKeyChecking"),
        metavar: "yes|ask|accept-new|no",
        doc: "What to do with a key that is not on record: `yes` refuses it, `ask` asks, `accept-new` puts it on \
              record, and `no` does not check the key at all, so that anybody can pose as the server. A changed key is \
              refused with each but the last",
        default: "yes",
        example: "accept-new",
        action: Action::Set(|args, value| {
            const POLICIES: [(&str, HostKeyPolicy); 5] = [
                ("yes", HostKeyPolicy::Strict),
                ("ask", HostKeyPolicy::Ask),
                ("accept-new", HostKeyPolicy::AcceptNew),
                ("no", HostKeyPolicy::DangerouslyAcceptAny),
                ("off", HostKeyPolicy::DangerouslyAcceptAny),
            ];
            set(&mut args.host_key.policy, values::choice(value, &POLICIES))
        }),
        ..row(Group::HostKeys)
    },
    Row {
        keyword: Some("UserKnownHostsFile"),
        metavar: "FILE…",
        doc: "The user's records of keys; new ones go to the first. Same replacements as for IdentityFile",
        default: "~/.ssh/known_hosts",
        example: "/etc/tunnel/known_hosts",
        action: Action::Set(|args, value| set(&mut args.host_key.user_files, values::words(value))),
        ..row(Group::HostKeys)
    },
    Row {
        keyword: Some("GlobalKnownHostsFile"),
        metavar: "FILE…",
        doc: "The machine's records of keys. `~/` is the home directory",
        default: "/etc/ssh/ssh_known_hosts",
        example: "none",
        action: Action::Set(|args, value| set(&mut args.host_key.global_files, values::words(value))),
        ..row(Group::HostKeys)
    },
    Row {
        keyword: Some("CACertificateFile"),
        metavar: "FILE…",
        doc: "X.509 certificates of authorities (PEM, or one as DER) that may vouch for the server's key with a \
              certificate of theirs; it must be for the server's name or address. Whether it was revoked is not asked. \
              Same replacements as for IdentityFile",
        default: "none",
        example: "/etc/ssh/ca/ca-bundle.crt",
        action: Action::Set(|args, value| set(&mut args.host_key.ca_files, values::words(value))),
        ..row(Group::HostKeys)
    },
    Row {
        keyword: Some("FingerprintHash"),
        metavar: "md5|sha1|sha256",
        doc: "By which hash the fingerprint of the server's key is shown",
        default: "sha256",
        example: "md5",
        action: Action::Set(|args, value| {
            const HASHES: [(&str, FingerprintHash); 3] = [
                ("md5", FingerprintHash::Md5),
                ("sha1", FingerprintHash::Sha1),
                ("sha256", FingerprintHash::Sha256),
            ];
            set(&mut args.host_key.fingerprint_hash, values::choice(value, &HASHES))
        }),
        ..row(Group::HostKeys)
    },
    Row {
        keyword: Some("HostKeyAlias"),
        metavar: "NAME",
        doc: "The name to find the server's key under",
        default: "the host's name",
        example: "bastion",
        action: Action::Set(|args, value| set(&mut args.host_key.alias, values::word(value))),
        ..row(Group::HostKeys)
    },
    Row {
        flags: &[short('c')],
        keyword: Some("Ciphers"),
        metavar: "LIST",
        doc: "The ciphers, in order of preference. As in each of these lists, names go between commas, `*` and `?` \
              stand for any text and any character, and a `+`, `-` or `^` in front appends to, removes from or puts \
              in front of the defaults. Weak ones are chosen by their names, or by patterns after `+`. `underpass \
              algorithms` lists what there is",
        default: "all modern ones",
        example: "aes128-gcm@openssh.com,aes256-ctr",
        action: Action::Set(|args, value| set(&mut args.algorithms.ciphers, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[short('m')],
        keyword: Some("MACs"),
        metavar: "LIST",
        doc: "The message authentication codes, for ciphers that have none built in",
        default: "modern ones over what was encrypted (etm)",
        example: "hmac-sha2-256-etm@openssh.com",
        action: Action::Set(|args, value| set(&mut args.algorithms.macs, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        keyword: Some("KexAlgorithms"),
        metavar: "LIST",
        doc: "The key exchange methods",
        default: "modern ones, but those on curves of NIST",
        example: "^curve25519-sha256",
        action: Action::Set(|args, value| set(&mut args.algorithms.kex, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        keyword: Some("HostKeyAlgorithms"),
        metavar: "LIST",
        doc: "The signature algorithms of the server's key",
        default: "modern ones, but those on curves of NIST; those of keys on record first",
        example: "ssh-ed25519",
        action: Action::Set(|args, value| set(&mut args.algorithms.host_keys, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        keyword: Some("PubkeyAcceptedAlgorithms"),
        metavar: "LIST",
        doc: "The signature algorithms to log in with: the first that goes with a key is used, but for weak ones, which \
              come last where the server lists others. Those with X.509 certificates (x509v3-*) that it does not name \
              are used where the server lists them, unless it takes them away",
        default: "all modern ones",
        example: "-rsa-*",
        action: Action::Set(|args, value| set(&mut args.algorithms.public_keys, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        keyword: Some("PubkeyTryUnlisted"),
        metavar: "yes|no",
        doc: "Whether to try an RSA key with the first of these algorithms where the server lists none of them, which ssh \
              does not",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.algorithms.unlisted, values::yes_no(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[Flag { name: Name::Short('C'), means: Some("yes") }],
        keyword: Some("Compression"),
        metavar: "yes|no",
        doc: "Whether to compress what the tunnel carries, both ways, if the server can: after the login where it has \
              zlib@openssh.com, else from the start. Of use on slow links, for text",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| set(&mut args.algorithms.compression, values::yes_no(value))),
        ..row(Group::Algorithms)
    },
    Row {
        keyword: Some("ServerAliveInterval"),
        metavar: "TIME",
        doc: "How long the server may be silent before it is asked for a sign of life; 0 never asks",
        default: "15s",
        example: "30",
        action: Action::Set(|args, value| set(&mut args.liveness.interval, values::time(value))),
        ..row(Group::Liveness)
    },
    Row {
        keyword: Some("ServerAliveCountMax"),
        metavar: "NUMBER",
        doc: "How many such questions may go unanswered",
        default: "3",
        example: "5",
        action: Action::Set(|args, value| set(&mut args.liveness.count, values::count(value))),
        ..row(Group::Liveness)
    },
    Row {
        keyword: Some("TCPKeepAlive"),
        metavar: "yes|no",
        doc: "Whether the system, too, asks for signs of life",
        default: "yes",
        example: "no",
        action: Action::Set(|args, value| set(&mut args.liveness.tcp_keepalive, values::yes_no(value))),
        ..row(Group::Liveness)
    },
    Row {
        keyword: Some("RekeyLimit"),
        metavar: "AMOUNT [TIME]",
        doc: "After how much data, and after how long, new keys are agreed on. `default` is as much as the cipher is \
              good for; `none`, or no TIME, is no limit to their age, unless a later RekeyLimit has one",
        default: "default none",
        example: "1G 1h",
        repeats: true,
        action: Action::Set(|args, value| {
            let RekeyLimit { bytes, interval } = rekey_limit(value)?;
            // As in ssh, each of the two is what is said first.
            let limit = args.liveness.rekey.get_or_insert(RekeyLimit { bytes, interval });
            limit.interval = limit.interval.or(interval);
            Ok(())
        }),
        ..row(Group::Liveness)
    },
    Row {
        flags: &[switch('v'), Flag { name: Name::Long("verbose"), means: Some("") }],
        doc: "Tell more; up to three times",
        repeats: true,
        action: Action::Set(|args, _| {
            args.output.verbosity = args.output.verbosity.more();
            Ok(())
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[
            Flag { name: Name::Short('q'), means: Some("QUIET") },
            Flag { name: Name::Long("quiet"), means: Some("QUIET") },
        ],
        keyword: Some("LogLevel"),
        metavar: "LEVEL",
        doc: "How much to tell: SILENT, QUIET, FATAL or ERROR (only errors), INFO, VERBOSE or DEBUG1 (as `-v`), DEBUG2, DEBUG3",
        default: "INFO",
        example: "DEBUG2",
        action: Action::Set(|args, value| {
            args.output.verbosity = values::choice(value, &LOG_LEVELS)?;
            Ok(())
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[long("packet-trace")],
        metavar: "WHAT",
        doc: "What to tell of each packet, whatever `-v` says: nothing (`off`), its message, channel and length (`packets`), or \
              its first 2048 bytes, too (`bytes`). Passwords, answers to prompts and tokens of Kerberos are masked then, what \
              the tunnel carries is not. `dangerously-unmasked` masks nothing",
        default: "off; with -vvv packets",
        example: "bytes",
        action: Action::Set(|args, value| {
            set(&mut args.output.packet_trace, values::choice(value, &PACKET_TRACES))
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[Flag { name: Name::Long("json"), means: Some("") }],
        doc: "Tell everything on standard output, one JSON object a line",
        action: Action::Set(|args, _| {
            args.output.json = true;
            Ok(())
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[short('o')],
        metavar: "KEYWORD=VALUE",
        doc: "Set what `ssh_config` calls KEYWORD",
        example: "BatchMode=yes",
        repeats: true,
        action: Action::Keyword,
        ..row(Group::Output)
    },
    Row {
        flags: &[short('F')],
        metavar: "FILE",
        doc: "Read this file of ssh_config(5) instead of ~/.ssh/config and /etc/ssh/ssh_config; `none` reads no file. \
              What the command line says counts before what a file says",
        default: "~/.ssh/config, then /etc/ssh/ssh_config",
        example: "tunnels.conf",
        action: Action::Set(|args, value| {
            let file =
                if value.is_empty() { Err(values::expected("a file, or `none`", value)) } else { Ok(value) };
            set(&mut args.config_file, file.map(str::to_owned))
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[switch('G')],
        doc: "Print the settings that command line and files come to, as `ssh -G` does, and do nothing else",
        action: Action::Set(|args, _| {
            args.command = Command::Settings;
            Ok(())
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[switch('h'), Flag { name: Name::Long("help"), means: Some("") }],
        doc: "Show this help",
        action: Action::Set(|args, _| {
            args.command = Command::Help;
            Ok(())
        }),
        ..row(Group::Output)
    },
    Row {
        flags: &[switch('V'), Flag { name: Name::Long("version"), means: Some("") }],
        doc: "Show the version",
        action: Action::Set(|args, _| {
            args.command = Command::Version;
            Ok(())
        }),
        ..row(Group::Output)
    },
];

/// What most rows have.
pub(super) const fn row(group: Group) -> Row {
    Row {
        group,
        flags: &[],
        keyword: None,
        metavar: "",
        doc: "",
        default: "",
        example: "",
        repeats: false,
        action: Action::Keyword,
    }
}

/// What part an agent can have.
const AGENT: &[(&str, AgentUse)] =
    &[("yes", AgentUse::Enabled), ("no", AgentUse::Disabled), ("required", AgentUse::Required)];

/// `-x VALUE`.
pub(super) const fn short(letter: char) -> Flag {
    Flag { name: Name::Short(letter), means: None }
}

/// `--name VALUE`.
pub(super) const fn long(name: &'static str) -> Flag {
    Flag { name: Name::Long(name), means: None }
}

/// `-x`.
const fn switch(letter: char) -> Flag {
    Flag { name: Name::Short(letter), means: Some("") }
}

pub(super) fn set<T>(field: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *field = Some(value?);
    Ok(())
}

fn rekey_limit(value: &str) -> Result<RekeyLimit, String> {
    let words = values::words(value)?;
    let (amount, time) = match words.as_slice() {
        [amount] => (amount.as_str(), "none"),
        [amount, time] => (amount.as_str(), time.as_str()),
        _ => return Err(values::expected("an amount and perhaps a time, as in `1G 1h`", value)),
    };
    let bytes = if amount == "default" { None } else { Some(values::bytes(amount)?) };
    let interval: Option<Duration> = if time == "none" { None } else { Some(values::some_time(time)?) };
    Ok(RekeyLimit { bytes, interval })
}

const METHODS: [(&str, &str); 6] = [
    ("gssapi-keyex", "gssapi-keyex"),
    ("gssapi-with-mic", "gssapi-with-mic"),
    ("hostbased", "hostbased"),
    ("publickey", "publickey"),
    ("keyboard-interactive", "keyboard-interactive"),
    ("password", "password"),
];

const PACKET_TRACES: [(&str, PacketTrace); 4] = [
    ("off", PacketTrace::Off),
    ("packets", PacketTrace::Packets),
    ("bytes", PacketTrace::Bytes),
    ("dangerously-unmasked", PacketTrace::DangerouslyUnmasked),
];

const LOG_LEVELS: [(&str, Verbosity); 10] = [
    ("SILENT", Verbosity::QUIET),
    ("QUIET", Verbosity::QUIET),
    ("FATAL", Verbosity::QUIET),
    ("ERROR", Verbosity::QUIET),
    ("INFO", Verbosity(0)),
    ("VERBOSE", Verbosity(1)),
    ("DEBUG", Verbosity(1)),
    ("DEBUG1", Verbosity(1)),
    ("DEBUG2", Verbosity(2)),
    ("DEBUG3", Verbosity(3)),
];
