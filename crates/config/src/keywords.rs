//! Every keyword of ssh_config(5) up to OpenSSH 10, and what becomes of it.

use std::fmt;

/// What the caller of [`lookup`](crate::lookup) knows how to use.
#[derive(Debug, Clone, Copy)]
pub struct Keywords<'a> {
    implemented: &'a [&'static str],
}

impl<'a> Keywords<'a> {
    /// Those with these names, as ssh_config(5) writes them. They become [`Setting`](crate::Setting)s; all others of
    /// OpenSSH are passed over. A name that is not OpenSSH's is fine, too.
    pub fn new(implemented: &'a [&'static str]) -> Self {
        Self { implemented }
    }

    /// What is to be done with a keyword, in whatever case it is written.
    pub(crate) fn find(&self, keyword: &str) -> Found {
        let row = row(keyword);
        let name = row.map_or(keyword, |row| row.name);
        let implemented = self.implemented.iter().find(|implemented| implemented.eq_ignore_ascii_case(name));
        match (row, implemented) {
            (Some(Row { name, use_: Use::Structure(structure), .. }), _) => {
                Found::Structure(name, *structure)
            }
            (_, Some(name)) => Found::Implemented(name),
            (Some(Row { name, use_: Use::Matters { unless }, .. }), None) => Found::Matters(name, unless),
            (Some(Row { name, use_: Use::Irrelevant(reason), .. }), None) => Found::Irrelevant(name, *reason),
            (None, None) => Found::Unknown,
        }
    }
}

/// The name by which ssh_config(5) lists a keyword, in whatever case it is written, or under an older name.
pub fn proper_name(keyword: &str) -> Option<&'static str> {
    row(keyword).map(|row| row.name)
}

fn row(keyword: &str) -> Option<&'static Row> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(keyword);
    TABLE.iter().find(|row| is_it(row.name) || row.aliases.iter().any(|alias| is_it(alias)))
}

/// What a keyword turned out to be, with its proper name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Structure(&'static str, Structure),
    Implemented(&'static str),
    Matters(&'static str, &'static [&'static str]),
    Irrelevant(&'static str, Reason),
    Unknown,
}

/// Keywords that say how the file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    Host,
    Match,
    Include,
    IgnoreUnknown,
}

/// Why a keyword does not concern a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No shell, command or terminal is asked for.
    Session,
    /// No windows of X11 and no agent are forwarded.
    Desktop,
    /// No connection is shared with other programs.
    Sharing,
    /// No network device is opened.
    Device,
    /// A way to log in, or a detail of one, beside which there are others.
    Login,
    /// How records of hosts' keys are kept and shown; ignoring it trusts nobody more.
    Records,
    /// What is told, and where.
    Display,
    /// A preference that changes nothing of what is carried.
    Tuning,
    /// OpenSSH does not know it any more, or passes it over too.
    Obsolete,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "a tunnel has no shell, command or terminal",
            Self::Desktop => "a tunnel carries no windows and no agent",
            Self::Sharing => "a tunnel does not share its connection",
            Self::Device => "a tunnel opens no network device",
            Self::Login => "there are other ways to log in",
            Self::Records => "records of keys are kept differently",
            Self::Display => "messages are told differently",
            Self::Tuning => "it does not change what is carried",
            Self::Obsolete => "it is obsolete",
        })
    }
}

struct Row {
    name: &'static str,
    aliases: &'static [&'static str],
    use_: Use,
}

enum Use {
    Structure(Structure),
    /// Concerns a tunnel. Who does not implement it must say so, unless one of these values is asked for, with which
    /// ssh does nothing either.
    Matters {
        unless: &'static [&'static str],
    },
    Irrelevant(Reason),
}

const fn structure(name: &'static str, structure: Structure) -> Row {
    Row { name, aliases: &[], use_: Use::Structure(structure) }
}

const fn matters(name: &'static str) -> Row {
    Row { name, aliases: &[], use_: Use::Matters { unless: &[] } }
}

/// One that does nothing with these values.
const fn matters_unless(name: &'static str, unless: &'static [&'static str]) -> Row {
    Row { name, aliases: &[], use_: Use::Matters { unless } }
}

/// One with names of earlier times.
const fn once(row: Row, aliases: &'static [&'static str]) -> Row {
    Row { aliases, ..row }
}

const fn irrelevant(name: &'static str, reason: Reason) -> Row {
    Row { name, aliases: &[], use_: Use::Irrelevant(reason) }
}

const NO: &[&str] = &["no", "false"];
const NONE: &[&str] = &["none"];

const TABLE: &[Row] = &[
    structure("Host", Structure::Host),
    structure("Match", Structure::Match),
    structure("Include", Structure::Include),
    structure("IgnoreUnknown", Structure::IgnoreUnknown),
    matters("AddressFamily"),
    matters("BatchMode"),
    matters("BindAddress"),
    matters("BindInterface"),
    matters("CACertificateFile"),
    matters("CASignatureAlgorithms"),
    matters_unless("CanonicalizeHostname", NO),
    matters("CertificateFile"),
    matters("ChannelTimeout"),
    matters("Ciphers"),
    matters_unless("ClearAllForwardings", NO),
    matters_unless("Compression", NO),
    matters_unless("ConnectionAttempts", &["1"]),
    matters("ConnectTimeout"),
    matters("DynamicForward"),
    matters("ExitOnForwardFailure"),
    matters("FingerprintHash"),
    matters_unless("GatewayPorts", NO),
    matters("GSSAPIAuthentication"),
    matters("GSSAPIClientIdentity"),
    matters("GSSAPIDelegateCredentials"),
    matters("GSSAPIKexAlgorithms"),
    matters("GSSAPIKeyExchange"),
    matters("GSSAPIServerIdentity"),
    matters("GlobalKnownHostsFile"),
    matters("HostKeyAlgorithms"),
    matters("HostKeyAlias"),
    matters("HostName"),
    once(matters("HostbasedAcceptedAlgorithms"), &["HostbasedKeyTypes"]),
    matters_unless("HostbasedAuthentication", NO),
    matters("IdentitiesOnly"),
    matters_unless("IdentityAgent", NONE),
    once(matters("IdentityFile"), &["IdentityFile2"]),
    once(
        matters("KbdInteractiveAuthentication"),
        &["ChallengeResponseAuthentication", "SKeyAuthentication", "TISAuthentication"],
    ),
    matters("KexAlgorithms"),
    matters_unless("KnownHostsCommand", NONE),
    matters("LocalForward"),
    matters("LogLevel"),
    matters("MACs"),
    matters_unless("NoHostAuthenticationForLocalhost", NO),
    matters("NumberOfPasswordPrompts"),
    once(matters_unless("PKCS11Provider", NONE), &["SmartcardDevice"]),
    matters("PasswordAuthentication"),
    matters_unless("PermitRemoteOpen", &["any"]),
    matters("Port"),
    matters("PreferredAuthentications"),
    matters_unless("ProxyCommand", NONE),
    matters_unless("ProxyJump", NONE),
    matters_unless("ProxyUseFdpass", NO),
    once(matters("PubkeyAcceptedAlgorithms"), &["PubkeyAcceptedKeyTypes"]),
    once(matters("PubkeyAuthentication"), &["DSAAuthentication"]),
    matters("RefuseConnection"),
    matters("RekeyLimit"),
    matters("RemoteForward"),
    matters("RequiredRSASize"),
    matters_unless("RevokedHostKeys", NONE),
    matters_unless("SecurityKeyProvider", &["internal", "none"]),
    matters("ServerAliveCountMax"),
    matters("ServerAliveInterval"),
    matters("StrictHostKeyChecking"),
    once(matters("TCPKeepAlive"), &["KeepAlive"]),
    matters("User"),
    matters("UserKnownHostsFile"),
    irrelevant("EnableEscapeCommandline", Reason::Session),
    irrelevant("EscapeChar", Reason::Session),
    irrelevant("ForkAfterAuthentication", Reason::Session),
    irrelevant("LocalCommand", Reason::Session),
    irrelevant("ObscureKeystrokeTiming", Reason::Session),
    irrelevant("PermitLocalCommand", Reason::Session),
    irrelevant("RemoteCommand", Reason::Session),
    irrelevant("RequestTTY", Reason::Session),
    irrelevant("SendEnv", Reason::Session),
    irrelevant("SessionType", Reason::Session),
    irrelevant("SetEnv", Reason::Session),
    irrelevant("StdinNull", Reason::Session),
    // Looked at while the files are read; nobody else needs it.
    irrelevant("Tag", Reason::Session),
    irrelevant("AddKeysToAgent", Reason::Desktop),
    irrelevant("ForwardAgent", Reason::Desktop),
    irrelevant("ForwardX11", Reason::Desktop),
    irrelevant("ForwardX11Timeout", Reason::Desktop),
    irrelevant("ForwardX11Trusted", Reason::Desktop),
    irrelevant("XAuthLocation", Reason::Desktop),
    irrelevant("ControlMaster", Reason::Sharing),
    irrelevant("ControlPath", Reason::Sharing),
    irrelevant("ControlPersist", Reason::Sharing),
    irrelevant("Tunnel", Reason::Device),
    irrelevant("TunnelDevice", Reason::Device),
    irrelevant("EnableSSHKeysign", Reason::Login),
    irrelevant("GSSAPIRenewalForcesRekey", Reason::Login),
    irrelevant("GSSAPITrustDNS", Reason::Login),
    irrelevant("KbdInteractiveDevices", Reason::Login),
    irrelevant("CheckHostIP", Reason::Records),
    irrelevant("HashKnownHosts", Reason::Records),
    irrelevant("UpdateHostKeys", Reason::Records),
    irrelevant("VerifyHostKeyDNS", Reason::Records),
    irrelevant("LogVerbose", Reason::Display),
    irrelevant("SyslogFacility", Reason::Display),
    irrelevant("VersionAddendum", Reason::Display),
    irrelevant("VisualHostKey", Reason::Display),
    irrelevant("WarnWeakCrypto", Reason::Display),
    // Without canonical names, how they are made does not matter. `CanonicalizeHostname` itself is told.
    irrelevant("CanonicalDomains", Reason::Tuning),
    irrelevant("CanonicalizeFallbackLocal", Reason::Tuning),
    irrelevant("CanonicalizeMaxDots", Reason::Tuning),
    irrelevant("CanonicalizePermittedCNAMEs", Reason::Tuning),
    irrelevant("IPQoS", Reason::Tuning),
    // Of forwarded sockets; those are forwards by themselves.
    irrelevant("StreamLocalBindMask", Reason::Tuning),
    irrelevant("StreamLocalBindUnlink", Reason::Tuning),
    irrelevant("AFSTokenPassing", Reason::Obsolete),
    irrelevant("Cipher", Reason::Obsolete),
    irrelevant("CompressionLevel", Reason::Obsolete),
    irrelevant("FallBackToRsh", Reason::Obsolete),
    irrelevant("GlobalKnownHostsFile2", Reason::Obsolete),
    irrelevant("KerberosAuthentication", Reason::Obsolete),
    irrelevant("KerberosTGTPassing", Reason::Obsolete),
    irrelevant("Protocol", Reason::Obsolete),
    irrelevant("RSAAuthentication", Reason::Obsolete),
    irrelevant("RhostsAuthentication", Reason::Obsolete),
    irrelevant("RhostsRSAAuthentication", Reason::Obsolete),
    irrelevant("UseRoaming", Reason::Obsolete),
    irrelevant("UsePrivilegedPort", Reason::Obsolete),
    irrelevant("UseRsh", Reason::Obsolete),
    irrelevant("UserKnownHostsFile2", Reason::Obsolete),
];

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Keywords<'_> =
        Keywords { implemented: &["PubkeyAcceptedAlgorithms", "Port", "SendEnv", "X"] };

    #[test]
    fn no_name_is_there_twice() {
        let names: Vec<String> = TABLE
            .iter()
            .flat_map(|row| row.aliases.iter().chain([&row.name]).map(|name| name.to_lowercase()))
            .collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name}");
        }
    }

    #[test]
    fn names_of_earlier_times_are_those_of_today() {
        assert_eq!(SOME.find("pubkeyacceptedkeytypes"), Found::Implemented("PubkeyAcceptedAlgorithms"));
        assert_eq!(
            SOME.find("ChallengeResponseAuthentication"),
            Found::Matters("KbdInteractiveAuthentication", &[])
        );
        assert_eq!(SOME.find("HostbasedKeyTypes"), Found::Matters("HostbasedAcceptedAlgorithms", &[]));
    }

    #[test]
    fn what_is_implemented_counts_whatever_the_table_says() {
        assert_eq!(SOME.find("PORT"), Found::Implemented("Port"));
        assert_eq!(SOME.find("SendEnv"), Found::Implemented("SendEnv"));
        assert_eq!(SOME.find("x"), Found::Implemented("X"));
        assert_eq!(SOME.find("Y"), Found::Unknown);
        assert_eq!(SOME.find("include"), Found::Structure("Include", Structure::Include));
        assert_eq!(SOME.find("protocol"), Found::Irrelevant("Protocol", Reason::Obsolete));
    }
}
