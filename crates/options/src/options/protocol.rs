//! The rows of what the SSH protocol itself leaves open. ssh has no options for them.

use underpass::{Cryptography, GroupSizes, StrictKex};

use super::table::{long, row, set};
use super::{Action, Group, Row};
use crate::values;

/// In the order of the help, behind the lists of algorithms.
pub(super) static PROTOCOL: &[Row] = &[
    Row {
        flags: &[long("ciphers-out")],
        metavar: "LIST",
        doc: "The ciphers for what is sent, where that is another list than for what is received",
        default: "those of Ciphers",
        example: "aes256-ctr",
        action: Action::Set(|args, value| set(&mut args.protocol.ciphers_out, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("ciphers-in")],
        metavar: "LIST",
        doc: "The ciphers for what is received",
        default: "those of Ciphers",
        example: "aes256-ctr",
        action: Action::Set(|args, value| set(&mut args.protocol.ciphers_in, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("macs-out")],
        metavar: "LIST",
        doc: "The message authentication codes for what is sent",
        default: "those of MACs",
        example: "hmac-sha2-512-etm@openssh.com",
        action: Action::Set(|args, value| set(&mut args.protocol.macs_out, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("macs-in")],
        metavar: "LIST",
        doc: "The message authentication codes for what is received",
        default: "those of MACs",
        example: "hmac-sha2-512-etm@openssh.com",
        action: Action::Set(|args, value| set(&mut args.protocol.macs_in, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("compression-out")],
        metavar: "LIST",
        doc: "The compression methods for what is sent",
        default: "those of Compression",
        example: "zlib@openssh.com,none",
        action: Action::Set(|args, value| set(&mut args.protocol.compression_out, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("compression-in")],
        metavar: "LIST",
        doc: "The compression methods for what is received",
        default: "those of Compression",
        example: "zlib@openssh.com,none",
        action: Action::Set(|args, value| set(&mut args.protocol.compression_in, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("crypto")],
        metavar: "built-in|openssl|fips",
        doc: "Whose cryptography secures the tunnel: `openssl` is the system's OpenSSL 3, loaded at run time, `fips` the FIPS \
              provider of OpenSSL alone, which leaves out what is not approved; `underpass algorithms --crypto fips` lists \
              what there is then",
        default: "built-in",
        example: "openssl",
        action: Action::Set(|args, value| {
            let names = Cryptography::ALL.map(|whose| (whose.name(), whose));
            set(&mut args.protocol.cryptography, values::choice(value, &names))
        }),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("strict-kex")],
        metavar: "off|on|reject-affected|required",
        doc: "What is done against prefix truncation (CVE-2023-48795): `on` has key exchanges strict with servers that can, \
              `reject-affected` refuses others if the cipher would be open to the attack, `required` refuses them in any case",
        default: "on",
        example: "required",
        action: Action::Set(|args, value| {
            const LEVELS: [(&str, StrictKex); 4] = [
                ("off", StrictKex::Disabled),
                ("on", StrictKex::Enabled),
                ("reject-affected", StrictKex::RejectAffected),
                ("required", StrictKex::Required),
            ];
            set(&mut args.protocol.strict_kex, values::choice(value, &LEVELS))
        }),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("dh-group-sizes")],
        metavar: "MIN:PREFERRED:MAX",
        doc: "How many bits the modulus of a diffie-hellman-group-exchange may have, from 1024 to 8192",
        default: "2048:3072:8192",
        example: "3072:4096:8192",
        action: Action::Set(|args, value| set(&mut args.protocol.group_sizes, group_sizes(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("client-version")],
        metavar: "TEXT",
        doc: "What this side calls itself; it begins with `SSH-2.0-`",
        default: concat!("SSH-2.0-Underpass_", env!("CARGO_PKG_VERSION")),
        example: "SSH-2.0-Tunnel",
        action: Action::Set(|args, value| set(&mut args.protocol.identification, Ok(value.to_owned()))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("server-version")],
        metavar: "PATTERN[,…]",
        doc: "What the server must call itself; `*` stands for any text and `?` for any character",
        default: "SSH-2.0-*,SSH-1.99-*",
        example: "SSH-2.0-OpenSSH_*",
        action: Action::Set(|args, value| set(&mut args.protocol.server_identification, values::word(value))),
        ..row(Group::Algorithms)
    },
    Row {
        flags: &[long("max-window")],
        metavar: "BYTES",
        doc: "How much of one connection may be on its way here; windows grow up to this with the time of a round trip",
        default: "as much as a connection's memory allows",
        example: "1M",
        action: Action::Set(|args, value| set(&mut args.protocol.max_window, size(value))),
        ..row(Group::Limits)
    },
    Row {
        flags: &[long("max-packet")],
        metavar: "BYTES",
        doc: "How much data the server may put into one packet",
        default: "128K",
        example: "32K",
        action: Action::Set(|args, value| set(&mut args.protocol.max_packet, size(value))),
        ..row(Group::Limits)
    },
];

fn group_sizes(value: &str) -> Result<GroupSizes, String> {
    let numbers: Option<Vec<u32>> = value.split(':').map(|part| part.parse().ok()).collect();
    let sizes = match numbers.as_deref() {
        Some(&[min, preferred, max]) => GroupSizes::new(min, preferred, max),
        _ => None,
    };
    sizes.ok_or_else(|| {
        values::expected("three growing numbers of bits from 1024 to 8192, as in 2048:3072:8192", value)
    })
}

fn size(value: &str) -> Result<u32, String> {
    let bytes = values::bytes(value)?;
    u32::try_from(bytes).map_err(|_| values::expected("less than 4G", value))
}
