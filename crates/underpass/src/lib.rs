//! TCP through SSH: tunnels that stay up.
//!
//! A [`Tunnel`] listens on a local port and carries every connection through an SSH server to a target behind it, as
//! `ssh -L` does. There is no `ssh` to install and no process to watch: the connection is a value with typed errors,
//! events, counters and an orderly end. A [`Gateway`](gateway::Gateway) is the other side, a server that forwards and
//! does nothing else.
//!
//! ```
//! use std::time::Duration;
//!
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! use tokio::net::{TcpListener, TcpStream};
//! use underpass::{Forward, HostKeyPolicy, Target, Tunnel, gateway::Gateway};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The target: greets whoever connects. In earnest it is a database, and somewhere else.
//! let target = TcpListener::bind("127.0.0.1:0").await?;
//! let target_address = target.local_addr()?;
//! tokio::spawn(async move {
//!     while let Ok((mut stream, _)) = target.accept().await {
//!         let _ = stream.write_all(b"hello from the other side").await;
//!     }
//! });
//!
//! // The SSH server. In earnest it is there already.
//! let gateway = Gateway::builder()
//!     .allow_password("me", "secret")
//!     .allow_targets(move |target: &Target| target.port == target_address.port())
//!     .start("127.0.0.1:0".parse()?)
//!     .await?;
//! let directory = tempfile::tempdir()?;
//! let known_hosts = directory.path().join("known_hosts");
//! std::fs::write(&known_hosts, gateway.known_hosts("127.0.0.1")?)?;
//!
//! // The tunnel. Port 0 lets the system pick one.
//! let tunnel = Tunnel::builder(gateway.address().to_string())
//!     .user("me")
//!     .password("secret")
//!     .user_known_hosts([known_hosts])
//!     .forward(Forward::local(0, target_address))
//!     .open()
//!     .await?;
//! let entrance = tunnel.local_address().expect("there is a local forward");
//!
//! let mut greeting = String::new();
//! TcpStream::connect(entrance).await?.read_to_string(&mut greeting).await?;
//! assert_eq!(greeting, "hello from the other side");
//! assert_eq!(tunnel.stats().received, 25);
//!
//! tunnel.stop(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it holds to
//!
//! - Payload arrives complete and in order, or the connection is reset. An end is passed on as an end, each half by
//!   itself; a loss never looks like one.
//! - A connection that is stuck holds up no other, and takes no more memory than its share of
//!   [`window_memory`](Settings::window_memory).
//! - The server's key is checked before anything secret is sent, and a key that is not on record is refused unless
//!   the [policy](HostKeyPolicy) says otherwise.
//! - Every step has a deadline. [`open`](Builder::open) ends, whatever the server does or leaves undone.
//! - Secrets are in no event, error or [`Debug`] text, unless [packets are shown unmasked](PacketTrace::DangerouslyUnmasked), and
//!   are wiped when dropped.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | where to, and what to carry | [`Destination`], [`Forward`] |
//! | every setting with its default | [`Settings`], set through [`Builder`] |
//! | whom to trust | [`HostKeyPolicy`], [`known_hosts`], [`Builder::host_key_judge`], [`Kerberos`] |
//! | what to log in with | [`Builder::identity_file`], [`Builder::signer`], [`Settings::agent`], [`Builder::password`], [`Kerberos`], [`HostBased`], [`Prompter`] |
//! | connections that the program accepts by itself | [`Tunnel::adopt`], [`Adopted`] |
//! | what goes on | [`Event`], [`Tunnel::stats`], packet by packet [`PacketTrace`] |
//! | what went wrong, and what to do | [`Error`], [`ErrorKind`] |
//! | the server's side | [`gateway`] |
//!
//! A tunnel runs as a task of the tokio runtime in which it was opened; that one needs I/O and time enabled, and one
//! thread is enough. On a multi-threaded runtime different tunnels run side by side.

mod access;
mod admit;
mod adopt;
mod agent;
mod algorithms;
mod blocking;
mod builder;
mod client;
mod connect;
mod connected;
mod cryptography;
mod custom;
mod destination;
mod dial;
mod endpoint;
mod entrance;
mod entropy;
mod error;
mod event;
mod farewell;
mod forward;
mod forwards;
pub mod gateway;
mod gss;
mod host_key;
mod inward;
mod judge;
mod kerberos;
pub mod keys;
pub mod known_hosts;
mod limiter;
mod listen;
mod logon;
mod packet_trace;
mod prompter;
mod proxy_client;
mod rate;
mod reconnect;
mod remote;
mod session;
mod settings;
mod socket_options;
mod stats;
mod store;
mod stream;
mod supervisor;
mod switchboard;
mod tap;
mod tcp;
mod text;
mod token;
mod tunnel;
mod unix;
mod wake;
mod weak;

pub use access::{AccessList, ClientAccess, Denied, Destinations, ResolvedNames};
pub use adopt::{Adopt, Adopted, Close, End, Ended};
pub use agent::AgentUse;
pub use builder::Builder;
pub use connected::Connected;
pub use cryptography::Cryptography;
pub use custom::{CustomAuthentication, ServerPacket};
pub use destination::Destination;
pub use dial::{Proxy, ServerConnection};
pub use endpoint::{Bound, Endpoint, Peer};
pub use error::{DialAttempt, DisconnectReason, Error, ErrorKind, HostKeyLocation, OpenFailureReason, Step};
pub use event::{CertificateNames, Event, FieldValue, HostKeyVerdict, Observer};
pub use farewell::Farewell;
pub use forward::{Bind, BindAddress, Forward, Interface, Target};
pub use forwards::{ActiveForward, ForwardId};
pub use judge::{HostCertificate, HostKeyJudge, ShownHostKey};
pub use kerberos::{Kerberos, KerberosCredentials};
pub use logon::{HostBased, UserCertificate, host_key_files, this_host};
pub use packet_trace::{PacketTrace, TraceSwitch};
pub use prompter::{HostKeyQuestion, NoPrompter, Prompt, Prompter};
pub use reconnect::{Backoff, BeforeReconnect, Reconnect, ReconnectAttempt, ReconnectWhen};
pub use settings::{AddressFamily, HostKeyPolicy, Identity, Settings, default_identity_files};
pub use socket_options::SocketOptions;
pub use stats::Stats;
pub use stream::Stream;
pub use tap::{Direction, Tap};
pub use tcp::unpace_loopback;
pub use text::TextDecoder;
pub use tunnel::{State, Tunnel};
pub use underpass_crypto::algorithms::certified::CertifiedKey;
pub use underpass_crypto::algorithms::x509::X509Key;
pub use underpass_crypto::certificate::CertificateError;
pub use underpass_crypto::x509::{X509Certificate, X509Error};
pub use underpass_crypto::{
    FingerprintHash, GroupSizes, Named, Provider, Secret, SelectError, SignError, Signer, Strength,
    fingerprint, hex_fingerprint, select,
};
pub use underpass_pkcs11::{KeyUri, UriError};
pub use underpass_proto::{PacketBytes, PacketDirection, StrictKex};
pub use underpass_proxy::{Access, Credentials, Headers, ProxyUrl};

/// The README's examples, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
