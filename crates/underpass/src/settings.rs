use std::{env, fmt, net::IpAddr, num::NonZeroU64, path::PathBuf, sync::Arc, time::Duration};

use underpass_crypto::{FingerprintHash, GroupSizes, Secret};
use underpass_keys::PrivateKey;
use underpass_pkcs11::KeyUri;
use underpass_proto::{StrictKex, is_identification, limits};
use underpass_proxy::Access;

use crate::{
    AgentUse, BeforeReconnect, Builder, ClientAccess, Cryptography, CustomAuthentication, Destinations,
    Endpoint, Error, Event, Farewell, Forward, HostBased, HostKeyJudge, Kerberos, KerberosCredentials,
    NoPrompter, Observer, Prompter, Proxy, Reconnect, SocketOptions, TextDecoder, TraceSwitch,
    UserCertificate,
    destination::{check_host, check_user},
    keys::StoredKey,
};

/// Declares the settings: documentation, type, default, and the [`Builder`] method where setting is all it does.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr $(, set($($argument:tt)+) => $value:expr)?;)+) => {
        /// The settings of a tunnel.
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct Settings {
            $($(#[$doc])* pub $name: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Builder {
            $($(
                #[doc = concat!("Sets [`Settings::", stringify!($name), "`].")]
                pub fn $name(mut self, $($argument)+) -> Self {
                    self.settings.$name = $value;
                    self
                }
            )?)+
        }
    };
}

settings! {
    /// The server's name, or its address without brackets. There is no default.
    host: String = String::new();

    /// The server's port. Default: 22.
    port: u16 = 22, set(port: u16) => port;

    /// The user to log in as. Default: whoever runs the program, see [`Settings::login_user`].
    user: Option<String> = None, set(user: impl Into<String>) => Some(user.into());

    /// The user's name as the server takes it, where that is not UTF-8, as RFC 4252 section 5 has it. [`Settings::user`] is
    /// what is shown then. Default: that in UTF-8.
    user_on_wire: Option<Vec<u8>> = None, set(name: impl Into<Vec<u8>>) => Some(name.into());

    /// The name under which the server's key is on record. Default: the host.
    host_key_alias: Option<String> = None, set(alias: impl Into<String>) => Some(alias.into());

    /// What the tunnel carries. Default: nothing.
    forwards: Vec<Forward> = Vec::new();

    /// The servers to go through on the way, each with settings of its own, the nearest first. Default: none.
    jumps: Vec<Settings> = Vec::new();

    /// What happens when the connection breaks. Default: see [`Reconnect`].
    reconnect: Reconnect = Reconnect::default(), set(reconnect: Reconnect) => reconnect;

    /// Says before each attempt to connect again whether it is to be made. Default: they all are.
    before_reconnect: Option<BeforeReconnect> = None;

    /// How many new connections may wait while there is no connection to the server. Default: 1000.
    waiting_connections: usize = 1000, set(most: usize) => most;

    /// How long each of them may wait. Default: 30 s.
    waiting_timeout: Duration = Duration::from_secs(30), set(timeout: Duration) => timeout;

    /// Whether `open` fails when one of several forwards cannot listen; otherwise that is only a warning.
    /// Default: yes.
    exit_on_forward_failure: bool = true, set(fail: bool) => fail;

    /// The private keys to offer, in order. Default: see `default_identities`.
    identities: Vec<Identity> = Vec::new();

    /// Certificates, each for one of the private keys, in a file or held by the agent. A key is offered with its certificate
    /// first, then plain. One of X.509 is shown to servers that list its algorithm (RFC 8308), and to others where
    /// `pubkey_algorithms` names that. Default: OpenSSH's beside the files of the private keys (`FILE-cert.pub`), and those of
    /// X.509 that come with the keys in their files.
    certificates: Vec<UserCertificate> = Vec::new();

    /// Whether, when no private key is named, those of [`default_identity_files`] that exist are offered.
    /// Default: yes.
    default_identities: bool = true, set(offer: bool) => offer;

    /// Whether, of the keys that an SSH agent holds, only those are offered of which a file is named, or is one of the
    /// default ones: the private half or the public one, such as `id.pub`. Default: no.
    identities_only: bool = false, set(only: bool) => only;

    /// What part an SSH agent has. It is asked for its keys in each login, and signs with them; keys of files that it
    /// holds are offered first, then its others, then other keys of files. Default: its keys are offered, if there is one.
    agent: AgentUse = AgentUse::Enabled, set(part: AgentUse) => part;

    /// Where the agent listens: a Unix-domain socket, or a named pipe on Windows, where `pageant` stands for PuTTY's agent.
    /// Default: what the variable `SSH_AUTH_SOCK` says; on Windows otherwise the pipe of OpenSSH's agent, and where that is
    /// not there, Pageant.
    agent_socket: Option<PathBuf> = agent_socket(), set(socket: impl Into<PathBuf>) => Some(socket.into());

    /// The module for keys on PKCS#11 tokens, where their URI names none. If no identity is on a token, all keys on all
    /// of this module's tokens are offered, before the others. Default: none.
    pkcs11_provider: Option<PathBuf> = None, set(module: impl Into<PathBuf>) => Some(module.into());

    /// The PIN of PKCS#11 tokens, unless their URI names one. It is given to a token once, and never as the last try that it
    /// allows; then the prompter is asked. Default: none.
    pin: Option<Secret> = None, set(pin: impl Into<Secret>) => Some(pin.into());

    /// Opens encrypted private keys; where it does not fit, the prompter is asked. Default: none.
    passphrase: Option<Secret> = None, set(passphrase: impl Into<Secret>) => Some(passphrase.into());

    /// The password, also the answer to a single hidden prompt of keyboard-interactive. It is tried once; then the
    /// prompter is asked. Default: none.
    password: Option<Secret> = None, set(password: impl Into<Secret>) => Some(password.into());

    /// Answers questions. Default: nobody; for a hop, whoever answers those of the tunnel.
    prompter: Option<Arc<dyn Prompter>> = None;

    /// Whether no person is there to answer: the prompter is never asked. Default: no.
    batch: bool = false, set(batch: bool) => batch;

    /// The authentication methods, in the order in which they are tried, behind a request without any (`none`), which tells
    /// what the server takes. Without any here, the server has to let the user in for that. Those of Kerberos are among them only if
    /// `kerberos` says so, and `hostbased` if `host_based` does. Default: `gssapi-keyex`, `gssapi-with-mic`, `hostbased`,
    /// `publickey`, `keyboard-interactive`, `password`.
    preferred_authentications: Vec<String> =
        ["gssapi-keyex", "gssapi-with-mic", "hostbased", "publickey", "keyboard-interactive", "password"].map(str::to_owned).into(),
        set(methods: impl IntoIterator<Item = impl Into<String>>) => methods.into_iter().map(Into::into).collect();

    /// Whether the login ends with the first attempt that the server refuses, instead of going on with the next key,
    /// password or method. What it accepts as a part of what it wants, it does not refuse. Default: no.
    stop_at_first_refusal: bool = false, set(stop: bool) => stop;

    /// How Kerberos is used. Default: not at all, see [`Kerberos`].
    kerberos: Kerberos = Kerberos::default(), set(kerberos: Kerberos) => kerberos;

    /// How this machine vouches for its user. Default: not at all, see [`HostBased`].
    host_based: HostBased = HostBased::default(), set(host_based: HostBased) => host_based;

    /// Logs in by messages of the program's own; nothing else is tried then. Default: none.
    custom_authentication: Option<CustomAuthentication> = None;

    /// How often the prompter is asked for a password. Default: 3.
    number_of_password_prompts: u32 = 3, set(prompts: u32) => prompts;

    /// What happens to a server's key that is not on record. Default: it is refused.
    host_key_policy: HostKeyPolicy = HostKeyPolicy::Strict, set(policy: HostKeyPolicy) => policy;

    /// Judges the server's key instead of the policy and of all files: no known_hosts files and no CA certificates are read.
    /// It is no person: `batch` does not keep it from being asked. Default: none.
    host_key_judge: Option<HostKeyJudge> = None;

    /// The known_hosts files of the user. New keys go to the first. Default: `~/.ssh/known_hosts`.
    user_known_hosts: Vec<PathBuf> = in_ssh_directory(&["known_hosts"]),
        set(files: impl IntoIterator<Item = impl Into<PathBuf>>) => files.into_iter().map(Into::into).collect();

    /// The known_hosts files of the machine. Default: `/etc/ssh/ssh_known_hosts`.
    global_known_hosts: Vec<PathBuf> = vec![PathBuf::from("/etc/ssh/ssh_known_hosts")],
        set(files: impl IntoIterator<Item = impl Into<PathBuf>>) => files.into_iter().map(Into::into).collect();

    /// Files of X.509 certificates of authorities: PEM blocks, or one as DER. A server's certificate that leads to one of
    /// them, and is the server's, vouches for its key (RFC 6187); whether it was revoked is not asked. Without such files
    /// X.509 certificates are not asked for, and prove nothing: their key is on record, or not, like any other. Default:
    /// none.
    ca_certificates: Vec<PathBuf> = Vec::new(),
        set(files: impl IntoIterator<Item = impl Into<PathBuf>>) => files.into_iter().map(Into::into).collect();

    /// By which hash fingerprints of the server's key are shown, in events, questions and errors. Default: SHA-256.
    fingerprint_hash: FingerprintHash = FingerprintHash::Sha256, set(hash: FingerprintHash) => hash;

    /// What this side says it is (RFC 4253 section 4.2): `SSH-2.0-`, a name without blanks or `-`, and perhaps a blank
    /// and a comment; at most 253 printable ASCII characters. Default: `SSH-2.0-Underpass_` and the version.
    identification: Option<String> = None, set(line: impl Into<String>) => Some(line.into());

    /// What the server may say it is: patterns between commas, of which one must match the whole line; `*` stands for
    /// any text, `?` for one character. Default: `SSH-2.0-*,SSH-1.99-*`, the versions that speak SSH 2.0.
    server_identification: String = limits::IDENTIFICATIONS.to_owned(),
        set(patterns: impl Into<String>) => patterns.into();

    /// What is done against prefix truncation (CVE-2023-48795). Whether the key exchange was strict is told by
    /// [`Event::KeyExchange`]. Default: strict with every server that can, others are served all the same.
    strict_kex: StrictKex = StrictKex::Enabled, set(level: StrictKex) => level;

    /// Whose cryptography secures the tunnel; lists of algorithms choose out of what it has. Default: Underpass's own.
    cryptography: Cryptography = Cryptography::BuiltIn, set(whose: Cryptography) => whose;

    /// The key exchange methods, in the list syntax of `ssh_config`: names and patterns between commas, perhaps after
    /// `+` (append), `-` (remove) or `^` (prefer). Default: modern ones, but those on curves of NIST, best first.
    kex_algorithms: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The sizes of the groups that a server may pick in a group exchange (`diffie-hellman-group-exchange-sha256`).
    /// Default: at least 2,048 bits, rather 3,072, at most 8,192.
    group_sizes: GroupSizes = GroupSizes::default(), set(sizes: GroupSizes) => sizes;

    /// The signature algorithms of the server's key, in the same syntax. Default: modern ones, but those on curves of
    /// NIST; first certificates if an authority is on record or there are CA certificates, and those of keys on record.
    host_key_algorithms: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The ciphers, in the same syntax. Default: all modern ones, fastest first.
    ciphers: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The ciphers towards the server, where they are to be others than [`ciphers`](Self::ciphers). Default: the same.
    ciphers_out: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The ciphers from the server, where they are to be others than [`ciphers`](Self::ciphers). Default: the same.
    ciphers_in: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The MACs, in the same syntax. Default: all modern ones, encrypt-then-MAC first.
    macs: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The MACs towards the server, where they are to be others than [`macs`](Self::macs). Default: the same.
    macs_out: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The MACs from the server, where they are to be others than [`macs`](Self::macs). Default: the same.
    macs_in: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The compression methods, in the same syntax. Compression helps on slow links with text, and costs time on fast
    /// ones; lengths of packets tell something about their content then. `zlib@openssh.com` begins after the login,
    /// `zlib` before it. Default: `none`.
    compression: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The compression methods towards the server, where they are to be others than
    /// [`compression`](Self::compression). Default: the same.
    compression_out: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The compression methods from the server, where they are to be others than
    /// [`compression`](Self::compression). Default: the same.
    compression_in: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// The signature algorithms with which to log in, in the same syntax: the first that goes with a key is used. Of those
    /// that the server lists, weak ones come last whatever their place: RSA keys sign with SHA-2 if both can. Those with X.509
    /// certificates (`x509v3-*`) that are not named are used where the server lists them, unless the list has only names of
    /// others, or takes them away (`-x509v3-*`). Default: all modern ones.
    pubkey_algorithms: Option<String> = None, set(list: impl Into<String>) => Some(list.into());

    /// Whether a key that has several algorithms, as RSA keys have, is tried with the first one where the server lists
    /// none of them. `ssh` does not. Default: no.
    unlisted_signatures: bool = false, set(try_them: bool) => try_them;

    /// Which addresses of the server to use. Default: any.
    address_family: AddressFamily = AddressFamily::Any, set(family: AddressFamily) => family;

    /// How long looking the name up and connecting may take together. Default: 30 s.
    connect_timeout: Duration = Duration::from_secs(30), set(timeout: Duration) => timeout;

    /// How long identification and the first key exchange may take together. Default: 30 s.
    handshake_timeout: Duration = Duration::from_secs(30), set(timeout: Duration) => timeout;

    /// How long logging in may take, prompts included. Default: 120 s, after which common servers hang up.
    auth_timeout: Duration = Duration::from_secs(120), set(timeout: Duration) => timeout;

    /// How long the server may take to reach a target. Default: 30 s.
    open_timeout: Duration = Duration::from_secs(30), set(timeout: Duration) => timeout;

    /// How long the server may be silent before it is asked for a sign of life. `None`: it is never asked, and a dead
    /// server goes unnoticed while nothing is sent. Default: 15 s.
    keepalive_interval: Option<Duration> = Some(Duration::from_secs(15)),
        set(interval: impl Into<Option<Duration>>) => interval.into();

    /// How many such questions may go unanswered before the tunnel is given up. Default: 3.
    keepalive_count: u32 = 3, set(count: u32) => count;

    /// What is set on the TCP connection to the server, or to the proxy before it. Default: see [`SocketOptions`].
    server_socket: SocketOptions = SocketOptions::default(), set(options: SocketOptions) => options;

    /// What is set on connections of clients, and on those to the targets of remote forwards. Default: see
    /// [`SocketOptions`].
    client_socket: SocketOptions = SocketOptions::default(), set(options: SocketOptions) => options;

    /// The address of this machine to connect to the server from. Default: the system chooses.
    local_address: Option<IpAddr> = None, set(address: impl Into<IpAddr>) => Some(address.into());

    /// The port to connect to the server from. Default: 0, the system chooses.
    local_port: u16 = 0, set(port: u16) => port;

    /// How the server is left. Default: without waiting for anything, see [`Farewell`].
    farewell: Farewell = Farewell::default(), set(farewell: Farewell) => farewell;

    /// How the server is reached. Default: directly.
    proxy: Proxy = Proxy::Direct, set(proxy: Proxy) => proxy;

    /// Hosts to which no proxy of [`proxy`](Self::proxy) is used, whether it is named or the system's, in the syntax of the
    /// variable `NO_PROXY`: `*.example.com; 10.0.0.0/8`. Default: none.
    proxy_exceptions: String = String::new(), set(list: impl Into<String>) => list.into();

    /// How many connections may be open or opening at the same time; further ones are refused, from 1 to 100,000.
    /// Default: 1000.
    max_connections: usize = 1000, set(most: usize) => most;

    /// Who may connect to the ports that this machine listens on. Default: everybody who can reach them.
    clients: ClientAccess = ClientAccess::default(), set(clients: ClientAccess) => clients;

    /// Where dynamic forwards, local and remote ones, may go. Default: anywhere.
    destinations: Destinations = Destinations::default(), set(destinations: Destinations) => destinations;

    /// Who may use dynamic forwards. Default: anyone who can reach their ports.
    proxy_access: Access = Access::Anyone, set(access: Access) => access;

    /// How long a connection may carry nothing, in either direction, before it is cut. `None`: for ever.
    /// Default: `None`.
    idle_timeout: Option<Duration> = None, set(timeout: impl Into<Option<Duration>>) => timeout.into();

    /// How many bytes a second one connection may carry in each direction. `None`: as many as come. Default: `None`.
    rate_limit: Option<NonZeroU64> = None, set(rate: impl Into<Option<NonZeroU64>>) => rate.into();

    /// How many bytes a second all connections together may carry in each direction. `None`: as many as come.
    /// Default: `None`.
    tunnel_rate_limit: Option<NonZeroU64> = None, set(rate: impl Into<Option<NonZeroU64>>) => rate.into();

    /// How many bytes a second they may carry together to the server, where that is to be another number than
    /// [`tunnel_rate_limit`](Self::tunnel_rate_limit). Default: the same.
    tunnel_rate_limit_out: Option<NonZeroU64> = None, set(rate: impl Into<Option<NonZeroU64>>) => rate.into();

    /// Whether forwards that name no address listen on all addresses of this machine. Default: no.
    gateway_ports: bool = false, set(open: bool) => open;

    /// Whether a Unix-domain socket that nobody listens at any more is replaced. Default: no.
    unlink_sockets: bool = false, set(unlink: bool) => unlink;

    /// Whether a port is refused that an earlier connection still holds in the system's memory. Default: no.
    exclusive_bind: bool = false, set(exclusive: bool) => exclusive;

    /// A target behind the server that [`Tunnel::wait_ready`](crate::Tunnel::wait_ready) has to reach. Default: none.
    probe: Option<Endpoint> = None, set(target: impl Into<Endpoint>) => Some(target.into());

    /// How many bytes in one direction before new keys are agreed on. `None`: as many as the cipher is good for, see
    /// RFC 4344 section 3.2. Default: `None`.
    rekey_bytes: Option<u64> = None, set(bytes: impl Into<Option<u64>>) => bytes.into();

    /// How many packets in one direction before new keys are agreed on. `None`: 2³¹ (RFC 4344 section 3.1).
    /// Default: `None`.
    rekey_packets: Option<u64> = None, set(packets: impl Into<Option<u64>>) => packets.into();

    /// How long before new keys are agreed on. `None`: age does not count. Default: `None`.
    rekey_interval: Option<Duration> = None, set(interval: impl Into<Option<Duration>>) => interval.into();

    /// How many bytes all connections together may hold that have come from the server and not been consumed. More
    /// make a single download faster over a long way: one round trip carries at most this. Default: 64 MiB.
    window_memory: usize = 64 << 20, set(bytes: usize) => bytes;

    /// How many bytes one connection may have on their way from the server, from 1024 to 48 MiB. Windows grow up to it
    /// where a round trip carries that much. Default: 48 MiB.
    max_window: u32 = limits::MAX_WINDOW, set(bytes: u32) => bytes;

    /// How many bytes of data the server may send in one packet, from 1024 to 128 KiB. Smaller ones cost throughput.
    /// Default: 128 KiB.
    max_packet: u32 = limits::MAX_CHANNEL_DATA as u32, set(bytes: u32) => bytes;

    /// Makes characters of the server's prompts and banners. Default: UTF-8, as RFC 4252 and RFC 4256 have it.
    server_text: Option<TextDecoder> = None;

    /// Sees events. Default: nobody.
    observer: Option<Observer> = None;

    /// How much observers are told of single packets; it can be changed while the tunnel is open. Default: nothing, without
    /// looking at packets at all; for a hop, as for the tunnel.
    packet_trace: Option<TraceSwitch> = None, set(trace: impl Into<TraceSwitch>) => Some(trace.into());
}

impl Settings {
    /// The user to log in as: the one that is set, or the one whom the environment names.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): there is neither.
    pub fn login_user(&self) -> Result<String, Error> {
        let user = self.user.clone().or_else(user_of_this_machine);
        user.filter(|user| !user.is_empty()).ok_or_else(|| {
            Error::configuration("no user is named, and the environment names none")
                .with_advice("name the user, as in user@host")
        })
    }

    /// Who answers questions.
    pub(crate) fn prompter(&self) -> Arc<dyn Prompter> {
        self.prompter.clone().unwrap_or_else(|| Arc::new(NoPrompter))
    }

    /// The settings of a hop, with what it leaves to the tunnel.
    pub(crate) fn lend_to(&self, hop: &Self) -> Self {
        let mut hop = hop.clone();
        hop.prompter = hop.prompter.or_else(|| self.prompter.clone());
        hop.observer = hop.observer.or_else(|| self.observer.clone());
        hop.packet_trace = hop.packet_trace.or_else(|| self.packet_trace.clone());
        hop
    }

    /// What the server has written for people.
    pub(crate) fn read(&self, text: &[u8]) -> String {
        match &self.server_text {
            Some(decoder) => decoder.decode(text),
            None => String::from_utf8_lossy(text).into_owned(),
        }
    }

    /// Tells the observer, if there is one. The event is only made for one.
    pub fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = &self.observer {
            observer(&event());
        }
    }

    /// Finds what makes no sense, before anything is done with it.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let checks = [
            check_host(&self.host),
            self.user.as_deref().map_or(Ok(()), check_user),
            self.host_key_alias.as_deref().map_or(Ok(()), check_host),
            positive("port", self.port.into()),
            positive("connect_timeout", self.connect_timeout.as_nanos()),
            positive("handshake_timeout", self.handshake_timeout.as_nanos()),
            positive("auth_timeout", self.auth_timeout.as_nanos()),
            positive("open_timeout", self.open_timeout.as_nanos()),
            positive("waiting_timeout", self.waiting_timeout.as_nanos()),
            positive("keepalive_interval", self.keepalive_interval.map_or(1, |interval| interval.as_nanos())),
            positive("keepalive_count", self.keepalive_count.into()),
            positive("rekey_bytes", self.rekey_bytes.unwrap_or(1).into()),
            positive("rekey_packets", self.rekey_packets.unwrap_or(1).into()),
            positive("rekey_interval", self.rekey_interval.map_or(1, |interval| interval.as_nanos())),
            match self.max_connections {
                1..=MAX_CONNECTIONS => Ok(()),
                _ => Err(format!("max_connections must be from 1 to {MAX_CONNECTIONS}")),
            },
            match (self.kerberos.credentials, &self.password) {
                (KerberosCredentials::Password, None) => {
                    Err("Kerberos is to get its ticket for a password, and none is set".to_owned())
                }
                _ => Ok(()),
            },
            within("max_window", self.max_window, limits::MAX_WINDOW),
            within("max_packet", self.max_packet, limits::MAX_CHANNEL_DATA as u32),
            match &self.identification {
                Some(line) if !is_identification(line) => {
                    Err(format!("`{}` is no identification of this side", line.escape_debug()))
                }
                _ => Ok(()),
            },
            match self.window_memory {
                MIN_WINDOW_MEMORY.. => Ok(()),
                _ => Err(format!("window_memory must be at least {MIN_WINDOW_MEMORY} bytes")),
            },
        ];
        checks.into_iter().collect::<Result<(), String>>().map_err(Error::configuration)?;
        self.jumps.iter().try_for_each(Self::validate_hop)
    }

    /// A hop only leads to the next one.
    fn validate_hop(&self) -> Result<(), Error> {
        self.validate()?;
        match self.jumps.is_empty() && self.forwards.is_empty() {
            true => Ok(()),
            false => {
                Err(Error::configuration(format!("the hop {} has forwards or hops of its own", self.host))
                    .with_advice("name forwards and hops in the settings of the tunnel"))
            }
        }
    }
}

impl fmt::Debug for Settings {
    /// Names what the tunnel is; secrets, prompter and observer stay out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("user", &self.user)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("forwards", &self.forwards)
            .field("identities", &self.identities)
            .field("host_key_policy", &self.host_key_policy)
            .finish_non_exhaustive()
    }
}

/// A private key to log in with.
#[derive(Clone)]
#[non_exhaustive]
pub enum Identity {
    /// In a file.
    File(PathBuf),
    /// On a PKCS#11 token: all that the URI fits.
    Token(Box<KeyUri>),
    /// In a store of the system.
    Stored(StoredKey),
    /// Held by the program, with the X.509 certificates that are to be shown for it.
    Key(Box<PrivateKey>),
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Token(uri) => write!(f, "Token({uri:?})"),
            Self::Stored(key) => write!(f, "Stored({key})"),
            Self::Key(key) => key.signer.fmt(f),
        }
    }
}

/// What happens to a server's key that is not on record. A changed or revoked key is refused under each policy but
/// the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum HostKeyPolicy {
    /// It is refused.
    #[default]
    Strict,
    /// The prompter decides; what it accepts is put on record.
    Ask,
    /// It is accepted and put on record.
    AcceptNew,
    /// No key is checked at all: whoever answers gets the password, and sees what the tunnel carries.
    DangerouslyAcceptAny,
}

/// Which addresses of a server to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum AddressFamily {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// Only IPv4.
    V4,
    /// Only IPv6.
    V6,
}

/// The files in which the user's private keys are looked for when none is named.
pub fn default_identity_files() -> Vec<PathBuf> {
    in_ssh_directory(&["id_ed25519", "id_ecdsa", "id_rsa"])
}

/// Whoever runs the program, as the environment has it.
pub(crate) fn user_of_this_machine() -> Option<String> {
    USER_VARIABLES.iter().find_map(|name| env::var(name).ok())
}

/// Where the user's agent is said to listen.
fn agent_socket() -> Option<PathBuf> {
    let named = env::var_os("SSH_AUTH_SOCK").filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| cfg!(windows).then(|| PathBuf::from(OPENSSH_AGENT)))
}

/// The pipe of OpenSSH's agent on Windows.
pub(crate) const OPENSSH_AGENT: &str = r"\\.\pipe\openssh-ssh-agent";

/// Files in `~/.ssh`; none where the home directory is unknown.
fn in_ssh_directory(names: &[&str]) -> Vec<PathBuf> {
    let Some(home) = env::home_dir().filter(|home| !home.as_os_str().is_empty()) else {
        return Vec::new();
    };
    names.iter().map(|name| home.join(".ssh").join(name)).collect()
}

fn positive(name: &str, value: u128) -> Result<(), String> {
    if value == 0 { Err(format!("{name} must not be 0")) } else { Ok(()) }
}

/// Sizes of windows and packets. Smaller ones are of use to nobody.
fn within(name: &str, bytes: u32, most: u32) -> Result<(), String> {
    if (MIN_SIZE..=most).contains(&bytes) {
        Ok(())
    } else {
        Err(format!("{name} must be from {MIN_SIZE} to {most} bytes"))
    }
}

/// Where login programs leave the user's name; the last is Windows'.
const USER_VARIABLES: [&str; 3] = ["LOGNAME", "USER", "USERNAME"];

/// What has been tried; each takes a few kilobytes, and a descriptor of the system's.
const MAX_CONNECTIONS: usize = 100_000;

/// Below this a single connection would have no useful window.
const MIN_WINDOW_MEMORY: usize = 256 << 10;

/// Of a window or a packet: below this a connection carries little more than headers.
const MIN_SIZE: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let base = || Builder::new("bastion");
        let wrong = [
            (base().port(0), "port"),
            (base().connect_timeout(Duration::ZERO), "connect_timeout"),
            (base().keepalive_interval(Duration::ZERO), "keepalive_interval"),
            (base().keepalive_count(0), "keepalive_count"),
            (base().rekey_bytes(0), "rekey_bytes"),
            (base().window_memory(1), "window_memory"),
            (
                base()
                    .kerberos(Kerberos { credentials: KerberosCredentials::Password, ..Kerberos::default() }),
                "Kerberos",
            ),
            (base().max_window(1023), "max_window"),
            (base().max_packet(128 * 1024 + 1), "max_packet"),
            (base().identification("SSH-1.99-old"), "SSH-1.99-old"),
            (base().identification("SSH-2.0-a\r\nb"), "SSH-2.0-a\\r\\nb"),
            (base().user("-x"), "`-x`"),
            (base().host_key_alias("a b"), "`a b`"),
            (Builder::default(), "the host is empty"),
        ];
        for (builder, expected) in wrong {
            let error = builder.settings().expect_err(expected).to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn keepalives_can_be_turned_off() {
        let settings = Builder::new("bastion").keepalive_interval(None).settings().unwrap();
        assert_eq!(settings.keepalive_interval, None);
    }

    #[test]
    fn secrets_do_not_show() {
        let builder = Builder::new("bastion").password("hunter2").passphrase("hunter3");
        assert!(!format!("{builder:?}").contains("hunter"));
    }
}
