//! The rows of Kerberos, through GSSAPI.

use underpass::KerberosCredentials;

use super::table::{long, row};
use super::{Action, Group, Row};
use crate::values;

/// In the order of the help, behind the other ways to log in.
pub(super) static KERBEROS: &[Row] = &[
    Row {
        keyword: Some("GSSAPIAuthentication"),
        metavar: "yes|no",
        doc: "Whether to log in with a Kerberos ticket, which kinit gets",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| {
            args.kerberos.authentication = values::yes_no(value)?;
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("GSSAPIKeyExchange"),
        metavar: "yes|no",
        doc: "Whether Kerberos is to vouch for the server in the key exchange, if there is a ticket for it. The server's \
              key is then not looked up, and needs not be on record",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| {
            args.kerberos.key_exchange = values::yes_no(value)?;
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("GSSAPIKexAlgorithms"),
        metavar: "LIST",
        doc: "The key exchange methods of GSSAPIKeyExchange, in order; names end before the mechanism, with `-`",
        default: "gss-curve25519-sha256-, gss-nistp256-sha256-, gss-group16-sha512-, gss-group14-sha256-",
        example: "gss-group14-sha256-",
        action: Action::Set(|args, value| {
            args.kerberos.key_exchanges = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("GSSAPIDelegateCredentials"),
        metavar: "yes|no",
        doc: "Whether the server gets a ticket with which it can act as the user",
        default: "no",
        example: "yes",
        action: Action::Set(|args, value| {
            args.kerberos.delegate = values::yes_no(value)?;
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("GSSAPIClientIdentity"),
        metavar: "PRINCIPAL",
        doc: "The principal whose ticket is used",
        default: "that of the ticket in the default cache",
        example: "me@EXAMPLE.ORG",
        action: Action::Set(|args, value| {
            args.kerberos.client = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        keyword: Some("GSSAPIServerIdentity"),
        metavar: "HOST|PRINCIPAL",
        doc: "What the server is called in Kerberos: a host name, or a whole principal, which has a slash",
        default: "the host",
        example: "host/bastion.example.org@EXAMPLE.ORG",
        action: Action::Set(|args, value| {
            args.kerberos.server = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        flags: &[long("kerberos-realm")],
        metavar: "REALM",
        doc: "The realm of principals that name none",
        default: "as krb5.conf says",
        example: "EXAMPLE.ORG",
        action: Action::Set(|args, value| {
            args.kerberos.realm = Some(values::word(value)?);
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        flags: &[long("kerberos-credentials")],
        metavar: "cache|password",
        doc: "Where the ticket comes from: `cache` takes one that is there, `password` gets one for the password of \
              --password-file or UNDERPASS_PASSWORD, and keeps it to itself",
        default: "cache",
        example: "password",
        action: Action::Set(|args, value| {
            const KINDS: [(&str, KerberosCredentials); 2] =
                [("cache", KerberosCredentials::Cache), ("password", KerberosCredentials::Password)];
            args.kerberos.credentials = values::choice(value, &KINDS)?;
            Ok(())
        }),
        ..row(Group::Login)
    },
    Row {
        flags: &[long("gssapi-library")],
        metavar: "FILE",
        doc: "The GSSAPI library to load",
        default: "that of the system, MIT's before Heimdal's",
        example: "/usr/lib/libgssapi.so.3",
        action: Action::Set(|args, value| {
            args.kerberos.library = Some(value.into());
            Ok(())
        }),
        ..row(Group::Login)
    },
];
