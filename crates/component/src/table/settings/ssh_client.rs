use super::{
    Access, Choice, Group, Initial, Number, Refusal, Refused, Setting, UNSTATED_BOOL, UNSTATED_TEXT, Unit,
    Value, WordChoice, boolean, choice, int, int_in, one_of, text, unstated_in, word,
};
use crate::model::{Index, Platform, Platforms};
use crate::table::algorithms;

/// Our version string; a listed deviation.
const VERSION_STRING: &str = concat!("SSH-2.0-Underpass_", env!("CARGO_PKG_VERSION"));

pub(super) const ROWS: &[Setting] = &[
    Setting {
        index: Some(Index::ChannelId),
        ..row(
            "ChannelDataEOL",
            text(""),
            "What ends a piece of the channel's data, with `MaxChannelDataLength`",
        )
    },
    Setting {
        index: Some(Index::ChannelId),
        access: Access::ReadOnly,
        ..row("ChannelDataEOLFound", UNSTATED_BOOL, "Whether the piece of data was ended by `ChannelDataEOL`")
    },
    row(
        "ClientSSHVersionString",
        text(VERSION_STRING),
        "What the component calls itself to the server (RFC 4253 section 4.2)",
    ),
    Setting {
        platforms: Platforms::Only(Platform::Windows),
        ..row("EnablePageantAuth", one_of(0, PAGEANT), "Whether keys that PuTTY's agent holds are used")
    },
    row("KerberosDelegation", boolean(true), "Whether the server may act as the user with Kerberos"),
    row("KerberosRealm", UNSTATED_TEXT, "The Kerberos realm to log in at"),
    row(
        "KerberosSPN",
        UNSTATED_TEXT,
        "The server's Kerberos principal, `host/NAME[@REALM]`; made from `ssh_host` unless set",
    ),
    row(
        "KeyRenegotiationThreshold",
        int_in(1 << 30, Unit::Bytes),
        "After how much data the keys are renewed",
    ),
    row("LogLevel", one_of(1, LOG_LEVELS), "How much detail is logged"),
    Setting {
        index: Some(Index::ChannelId),
        ..row(
            "MaxChannelDataLength",
            int_in(0, Unit::Bytes),
            "How much of the channel's data is kept while `ChannelDataEOL` is not found",
        )
    },
    row("MaxPacketSize", unstated_in(Unit::Bytes), "The most data that the server may put into one packet"),
    row(
        "MaxWindowSize",
        unstated_in(Unit::Bytes),
        "How much data the server may send ahead on a channel; it only grows",
    ),
    Setting {
        access: Access::ReadOnly,
        ..row("NegotiatedStrictKex", UNSTATED_BOOL, "Whether the key exchange is strict")
    },
    row("PasswordPrompt", UNSTATED_TEXT, "A pattern for questions that `ssh_password` answers"),
    row(
        "PreferredDHGroupBits",
        Value::Int(Initial::NotStated, Number::BetweenIn(Some(1024), Some(8192), Unit::Bits)),
        "The size of the group to ask for in key exchanges with group exchange",
    ),
    row("RecordLength", int_in(0, Unit::Bytes), "How many bytes are told of at a time; 0 for as they come"),
    Setting {
        access: Access::ReadOnly,
        ..row("ServerSSHVersionString", UNSTATED_TEXT, "What the server calls itself")
    },
    row(
        "SignedSSHCert",
        UNSTATED_TEXT,
        "The OpenSSH certificate of the user's key, with the algorithm to use it by",
    ),
    row(
        "SSHAcceptAnyServerHostKey",
        boolean(false),
        "Whether every server is believed, which protects from nobody",
    ),
    row(
        "SSHAcceptServerCAKey",
        UNSTATED_TEXT,
        "The key of an authority whose host certificates are accepted",
    ),
    row(
        "SSHAcceptServerHostKeyFingerPrint",
        UNSTATED_TEXT,
        "MD5 fingerprints of keys that are accepted, separated by commas",
    ),
    row(
        "SSHFingerprintHashAlgorithm",
        Value::Word(Initial::Is("SHA256"), HASHES),
        "The hash of the fingerprint that `on_ssh_server_authentication` tells",
    ),
    Setting {
        access: Access::ReadOnly,
        ..row("SSHFingerprintMD5", UNSTATED_TEXT, "The MD5 fingerprint of the server's key")
    },
    Setting { access: Access::ReadOnly, ..row("SSHFingerprintSHA1", UNSTATED_TEXT, "Its SHA-1 fingerprint") },
    Setting {
        access: Access::ReadOnly,
        ..row("SSHFingerprintSHA256", UNSTATED_TEXT, "Its SHA-256 fingerprint")
    },
    Setting {
        refusals: &[Refusal { when: Refused::Exhausted, code: 1039 }],
        ..row(
            "SSHKeepAliveCountMax",
            int(5),
            "After how many probes without an answer the connection counts as broken",
        )
    },
    row(
        "SSHKeepAliveInterval",
        int_in(0, Unit::Seconds),
        "After how long without data the server is probed; 0 for never",
    ),
    row("SSHKeyExchangeAlgorithms", Value::List(algorithms::KEX), "The key exchanges offered, best first"),
    Setting { access: Access::Action, ..row("SSHKeyRenegotiate", UNSTATED_TEXT, "Renews the keys now") },
    row("SSHMacAlgorithms", Value::List(algorithms::MAC), "The MACs offered, best first"),
    row(
        "SSHPubKeyAuthSigAlgorithms",
        Value::List(algorithms::PUBLIC_KEY_SIGNATURE),
        "The signatures to log in with; for RSA keys SHA-2 comes first where the server knows it",
    ),
    row(
        "SSHPublicKeyAlgorithms",
        Value::List(algorithms::HOST_KEY),
        "The algorithms accepted of the server's key, best first",
    ),
    Setting {
        refusals: &[Refusal { when: Refused::Server, code: 1002 }],
        ..row(
            "SSHVersionPattern",
            text("*SSH-1.99-*,*SSH-2.0-*"),
            "Patterns for version strings of servers that are accepted",
        )
    },
    row(
        "TryAllAvailableAuthMethods",
        boolean(false),
        "Whether all methods are tried that the server takes and there is something for",
    ),
    row(
        "UseStrictKeyExchange",
        one_of(1, STRICT),
        "What is done about Terrapin, an attack on the key exchange",
    ),
    row(
        "WaitForChannelClose",
        boolean(true),
        "Whether disconnecting waits until the server has closed the channels",
    ),
    row("WaitForServerDisconnect", boolean(false), "Whether the server is left to close the connection"),
];

const PAGEANT: &[Choice] = &[
    choice(0, "Disabled", "none"),
    choice(1, "Enabled", "those, where there are any"),
    choice(2, "Required", "those and no others"),
];

/// Amounts of detail.
pub(in crate::table) const LOG_LEVELS: &[Choice] = &[
    choice(0, "None", "nothing"),
    choice(1, "Info", "what happens"),
    choice(2, "Verbose", "each packet"),
    choice(3, "Debug", "bytes, too: the first 2,048 of each packet, data of clients included"),
];

const HASHES: &[WordChoice] = &[word("MD5", "MD5"), word("SHA1", "SHA-1"), word("SHA256", "SHA-256")];

const STRICT: &[Choice] = &[
    choice(0, "", "nothing"),
    choice(1, "", "strict where the server can; the connection is made in any case"),
    choice(2, "", "strict where the server can; without it no algorithm that the attack touches"),
    choice(3, "", "strict, or no connection"),
];

const fn row(name: &'static str, value: Value, doc: &'static str) -> Setting {
    super::row(Group::SshClient, name, value, doc)
}
