//! The rows of logging in by the word of this machine.

use super::table::row;
use super::{Action, Group, Row};
use crate::values;

/// In the order of the help, behind Kerberos.
pub(super) static HOST_BASED: &[Row] = &[
    Row {
        keyword: Some("HostbasedAuthentication"),
        metavar: "yes|no",
        doc: "Whether this machine is to vouch for its user with its host key, which the server has to know. That key is \
              mostly the administrator's alone, and ssh-keysign is not used",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| {
            args.host_based.authentication = values::yes_no(value)?;
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("HostbasedKeyFile"),
        metavar: "FILE",
        doc: "A private host key of this machine, of any format, for HostbasedAuthentication. Same replacements as for \
              IdentityFile",
        default: "/etc/ssh/ssh_host_{ed25519,ecdsa,rsa}_key, as far as they can be read",
        example: "/etc/ssh/ssh_host_ed25519_key",
        repeats: true,
        action: Action::Set(|args, value| {
            args.login.host_key_files.push(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("HostbasedAcceptedAlgorithms"),
        metavar: "LIST",
        doc: "The signature algorithms of HostbasedAuthentication: of those of a key the first that the server lists, or \
              else the first",
        default: "all modern ones",
        example: "ssh-ed25519",
        action: Action::Set(|args, value| {
            args.host_based.algorithms = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("HostbasedClientHost"),
        metavar: "NAME",
        doc: "What this machine is called in HostbasedAuthentication: a full name, as the server finds it for this \
              machine's address",
        default: "what the system calls itself",
        example: "client.example.com",
        action: Action::Set(|args, value| {
            args.host_based.host = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("HostbasedClientUser"),
        metavar: "NAME",
        doc: "The user of this machine in HostbasedAuthentication",
        default: "whoever runs the command",
        example: "alice",
        action: Action::Set(|args, value| {
            args.host_based.local_user = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
];
