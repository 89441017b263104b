mod fields;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use underpass_wire::Untrusted;

pub use fields::FieldValue;

use crate::packet_trace::verb;
use crate::{Bound, Endpoint, Error, Forward, PacketBytes, PacketDirection, Peer};

/// Sees what happens in a tunnel, in order.
///
/// It is called on the tunnel's own task, which carries nothing until it returns: hand events to a channel if there is
/// more to do than to note them. If it panics, the tunnel ends with [`ErrorKind::Internal`](crate::ErrorKind::Internal).
/// It is kept for as long as the tunnel, so a handle to the tunnel in it would keep both for ever.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Something that happened in a tunnel.
///
/// Text that came from the server is here as it came. Shown, an event is one line in which such text is escaped.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The server is being looked up and dialled.
    Connecting {
        /// The name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// The server accepted the connection.
    Connected {
        /// Its address.
        address: SocketAddr,
    },
    /// The server said what it is (RFC 4253 section 4.2).
    Identified {
        /// Its name and version of itself.
        software: String,
        /// The whole line, e.g. `SSH-2.0-OpenSSH_9.9 Debian-1`, without its end.
        line: String,
    },
    /// The server's key was found good.
    HostKey {
        /// The name under which it was looked up.
        host: String,
        /// The type of the key, e.g. `ssh-ed25519`.
        key_type: String,
        /// Its fingerprint, by the hash of [`Settings::fingerprint_hash`](crate::Settings::fingerprint_hash).
        fingerprint: String,
        /// Of its X.509 certificate, if it came with one.
        certificate: Option<CertificateNames>,
        /// Why it was found good.
        verdict: HostKeyVerdict,
    },
    /// Kerberos vouches for the server, so that its host key does not matter.
    KerberosServer {
        /// The server's name to Kerberos.
        server: String,
    },
    /// Keys are agreed on.
    KeyExchange {
        /// The key exchange method.
        kex: String,
        /// The algorithm of the server's signature; `None` where Kerberos vouches for the server.
        host_key: Option<String>,
        /// The cipher from client to server.
        cipher_out: String,
        /// The cipher from server to client.
        cipher_in: String,
        /// The MAC from client to server; `None` where the cipher has one built in.
        mac_out: Option<String>,
        /// The MAC from server to client; `None` where the cipher has one built in.
        mac_in: Option<String>,
        /// The compression from client to server; `None` for none.
        compression_out: Option<String>,
        /// The compression from server to client; `None` for none.
        compression_in: Option<String>,
        /// Whether both sides do the strict key exchange (OpenSSH's PROTOCOL, section 1.9).
        strict: bool,
        /// Whether the connection had keys before.
        rekey: bool,
    },
    /// The server has something to say before the login (RFC 4252 section 5.4).
    Banner {
        /// Its words, perhaps in several lines.
        text: String,
    },
    /// A way to log in is being tried.
    AuthAttempt {
        /// The method.
        method: String,
        /// Which key, or the like. Never a secret.
        detail: String,
    },
    /// A way to log in was not enough.
    AuthRefused {
        /// The method.
        method: String,
        /// The methods with which the server is willing to go on.
        remaining: Vec<String>,
        /// Whether the method succeeded and the server wants another one on top.
        partial: bool,
    },
    /// The login is done.
    Authenticated {
        /// The method that completed it.
        method: String,
        /// The user.
        user: String,
    },
    /// A forward takes connections.
    Listening {
        /// The forward.
        forward: Forward,
        /// Where it listens; the port is the real one.
        address: Bound,
    },
    /// A connection reached its target.
    ConnectionOpened {
        /// Its number within the tunnel.
        id: u64,
        /// Who connected.
        peer: Peer,
        /// The target.
        target: Endpoint,
    },
    /// A connection is over.
    ConnectionClosed {
        /// Its number within the tunnel.
        id: u64,
        /// Bytes carried to the target.
        sent: u64,
        /// Bytes carried from the target.
        received: u64,
        /// Why it was cut; `None` where both sides ended it.
        error: Option<String>,
    },
    /// A connection did not reach its target.
    ConnectionFailed {
        /// Its number within the tunnel.
        id: u64,
        /// Who connected.
        peer: Peer,
        /// The target.
        target: Endpoint,
        /// Why not.
        error: Error,
    },
    /// Something deserves attention.
    Warning {
        /// What.
        text: String,
    },
    /// Something for those who look for a fault.
    Detail {
        /// From 1, of interest to a user, to 3, of interest to an engineer.
        level: u8,
        /// What.
        text: String,
    },
    /// A packet goes to the server or has come from it, in the order of the wire. Told where
    /// [`Settings::packet_trace`](crate::Settings::packet_trace) asks for it, before what the packet brings about.
    Packet {
        /// The server, by its name in the settings; with hops there are several.
        host: String,
        /// Which way it goes.
        direction: PacketDirection,
        /// Its number in its direction (RFC 4253 section 6.4).
        sequence: u32,
        /// The number of its message (RFC 4250 section 4.1).
        number: u8,
        /// The name of its message, such as `SSH_MSG_CHANNEL_DATA`; `None` for one that is not known.
        message: Option<&'static str>,
        /// The channel that it is about: the recipient's number for it, or that of the sender who opens it.
        channel: Option<u32>,
        /// How long its payload is, in bytes, before compression; `None` where secrets in it are masked.
        length: Option<usize>,
        /// Its first bytes, where they are asked for.
        bytes: Option<PacketBytes>,
    },
    /// There is no connection to the server; another attempt follows. Whoever connects meanwhile waits.
    Reconnecting {
        /// Why it broke, or why the last attempt failed.
        error: Error,
        /// The number of the next attempt, from 1.
        attempt: u32,
        /// When it begins.
        after: Duration,
    },
    /// The connection to the server is back.
    Reconnected {
        /// How long there was none.
        outage: Duration,
        /// How many attempts it took.
        attempts: u32,
    },
    /// The tunnel takes no more connections, and waits for those that are open.
    Stopping {
        /// How many are open.
        open: usize,
    },
    /// The tunnel has ended.
    Closed {
        /// Why; `None` where it was asked to.
        error: Option<Error>,
    },
}

/// What an X.509 certificate says, as strings of RFC 4514. Its maker chose the text: escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateNames {
    /// Whom it is about.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
}

/// Why a server's key was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostKeyVerdict {
    /// It is on record.
    Known,
    /// A certificate authority on record, or a root among the CA certificates, vouches for it.
    Certified,
    /// It was unknown, and is now on record.
    Added,
    /// The program has judged it to be the server's.
    Accepted,
    /// Nobody checked it.
    Unchecked,
}

impl HostKeyVerdict {
    /// A short name, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Certified => "certified",
            Self::Added => "added",
            Self::Accepted => "accepted",
            Self::Unchecked => "unchecked",
        }
    }
}

impl fmt::Display for HostKeyVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Event {
    /// A short name, for machines.
    pub fn name(&self) -> &'static str {
        self.row().0
    }

    /// How much somebody must want to know to be told: 0, always, to 3.
    pub fn level(&self) -> u8 {
        self.row().1
    }

    fn row(&self) -> (&'static str, u8) {
        match self {
            Self::Connecting { .. } => ("connecting", 1),
            Self::Connected { .. } => ("connected", 1),
            Self::Identified { .. } => ("identified", 1),
            Self::HostKey { verdict: HostKeyVerdict::Added | HostKeyVerdict::Unchecked, .. } => {
                ("host-key", 0)
            }
            Self::HostKey { .. } => ("host-key", 1),
            Self::KerberosServer { .. } => ("kerberos-server", 1),
            Self::KeyExchange { rekey, .. } => ("key-exchange", if *rekey { 2 } else { 1 }),
            Self::Banner { .. } => ("banner", 0),
            Self::AuthAttempt { .. } => ("auth-attempt", 1),
            Self::AuthRefused { .. } => ("auth-refused", 1),
            Self::Authenticated { .. } => ("authenticated", 1),
            Self::Listening { .. } => ("listening", 0),
            Self::ConnectionOpened { .. } => ("connection-opened", 1),
            Self::ConnectionClosed { .. } => ("connection-closed", 1),
            Self::ConnectionFailed { .. } => ("connection-failed", 0),
            Self::Warning { .. } => ("warning", 0),
            Self::Detail { level, .. } => ("detail", *level),
            Self::Packet { .. } => ("packet", 3),
            Self::Reconnecting { .. } => ("reconnecting", 0),
            Self::Reconnected { .. } => ("reconnected", 0),
            Self::Stopping { .. } => ("stopping", 0),
            Self::Closed { .. } => ("closed", 0),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { host, port } => write!(f, "connecting to {host} port {port}"),
            Self::Connected { address } => write!(f, "connected to {address}"),
            Self::Identified { software, .. } => write!(f, "the server is {}", untrusted(software)),
            Self::HostKey { host, key_type, fingerprint, certificate, verdict } => {
                let judgement = match verdict {
                    HostKeyVerdict::Known => "is on record",
                    HostKeyVerdict::Certified => "is certified by an authority that is trusted",
                    HostKeyVerdict::Added => "was not on record and now is",
                    HostKeyVerdict::Accepted => "is the right one, the program says",
                    HostKeyVerdict::Unchecked => "was not checked",
                };
                write!(f, "the {} key {fingerprint} of {host} {judgement}", untrusted(key_type))?;
                certificate.as_ref().map_or(Ok(()), |CertificateNames { subject, issuer }| {
                    write!(f, "; subject: {}; issuer: {}", untrusted(subject), untrusted(issuer))
                })
            }
            Self::KerberosServer { server } => write!(f, "Kerberos vouches for the server: it is {server}"),
            Self::KeyExchange { .. } => self.fmt_key_exchange(f),
            Self::Banner { text } => write!(f, "the server says: {}", untrusted(text.trim_end())),
            Self::AuthAttempt { method, detail } if detail.is_empty() => write!(f, "trying {method}"),
            Self::AuthAttempt { method, detail } => write!(f, "trying {method}: {}", untrusted(detail)),
            Self::AuthRefused { method, remaining, partial } => {
                let outcome = if *partial { "was accepted but is not enough" } else { "was refused" };
                let remaining = remaining.join(", ");
                write!(f, "{method} {outcome}; the server goes on with: {}", untrusted(&remaining))
            }
            Self::Authenticated { method, user } => write!(f, "logged in as {user} with {method}"),
            Self::Listening { forward, address } => {
                let server = if address.is_remote() { "the server's " } else { "" };
                write!(f, "listening on {server}{address}")?;
                match forward.target() {
                    Some(target) => write!(f, " -> {target}"),
                    None => f.write_str(", a SOCKS and HTTP proxy"),
                }
            }
            Self::ConnectionOpened { id, peer, target } => write!(f, "connection {id}: {peer} -> {target}"),
            Self::ConnectionClosed { id, sent, received, error } => {
                write!(f, "connection {id} closed: {sent} bytes sent, {received} bytes received")?;
                error.as_ref().map_or(Ok(()), |error| write!(f, ", {}", untrusted(error)))
            }
            Self::ConnectionFailed { id, peer, error, .. } => {
                write!(f, "connection {id} from {peer} failed: {error}")
            }
            Self::Warning { text } => write!(f, "warning: {}", untrusted(text)),
            Self::Detail { text, .. } => write!(f, "{}", untrusted(text)),
            Self::Packet { .. } => self.fmt_packet(f),
            Self::Reconnecting { error, attempt, after } => {
                write!(f, "{error}; attempt {attempt} to reconnect in {:.1} s", after.as_secs_f64())
            }
            Self::Reconnected { outage, attempts } => {
                let attempts = if *attempts == 1 { "1 attempt" } else { &format!("{attempts} attempts") };
                write!(f, "the connection is back after {:.1} s and {attempts}", outage.as_secs_f64())
            }
            Self::Stopping { open } => write!(f, "stopping; connections still open: {open}"),
            Self::Closed { error: None } => f.write_str("the tunnel is closed"),
            Self::Closed { error: Some(error) } => write!(f, "the tunnel is closed: {error}"),
        }
    }
}

impl Event {
    /// Begins as `ssh` does. The bytes are not in it, for they take lines.
    fn fmt_packet(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Packet { host, direction, sequence, number, message, channel, length, .. } = self else {
            return Ok(());
        };
        write!(f, "{} packet: type {number}", verb(*direction))?;
        message.map_or(Ok(()), |message| write!(f, " {message}"))?;
        channel.map_or(Ok(()), |channel| write!(f, ", channel {channel}"))?;
        length.map_or(Ok(()), |length| write!(f, ", {length} bytes"))?;
        write!(f, ", number {sequence}, {host}")
    }

    fn fmt_key_exchange(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::KeyExchange {
            kex,
            host_key,
            cipher_out,
            cipher_in,
            mac_out,
            mac_in,
            compression_out,
            compression_in,
            strict,
            rekey,
        } = self
        else {
            return Ok(());
        };
        let built_in = "built-in MAC";
        let (mac_out, mac_in) =
            (mac_out.as_deref().unwrap_or(built_in), mac_in.as_deref().unwrap_or(built_in));
        let host_key = host_key.as_deref().unwrap_or("no host key");
        write!(f, "{}: {kex}, {host_key}, ", if *rekey { "new keys" } else { "keys" })?;
        if (cipher_out, mac_out) == (cipher_in, mac_in) {
            write!(f, "{cipher_out} with {mac_out}")?;
        } else {
            write!(f, "out {cipher_out} with {mac_out}, in {cipher_in} with {mac_in}")?;
        }
        match (compression_out, compression_in) {
            (None, None) => {}
            (Some(out), Some(inward)) if out == inward => write!(f, ", {out}")?,
            (out, inward) => {
                let [out, inward] = [out, inward].map(|name| name.as_deref().unwrap_or("no compression"));
                write!(f, ", out {out}, in {inward}")?;
            }
        }
        if *strict { f.write_str(", strict") } else { Ok(()) }
    }
}

fn untrusted(text: &str) -> Untrusted<'_> {
    Untrusted(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_text_cannot_break_out_of_its_line() {
        let evil = "a\u{1b}]0;b\u{7}\nc".to_owned();
        let events = [
            Event::Identified { software: evil.clone(), line: evil.clone() },
            Event::Banner { text: evil.clone() },
            Event::AuthRefused {
                method: "password".to_owned(),
                remaining: vec![evil.clone()],
                partial: false,
            },
            Event::ConnectionClosed { id: 1, sent: 0, received: 0, error: Some(evil.clone()) },
            Event::Warning { text: evil.clone() },
            Event::Detail { level: 1, text: evil },
        ];
        for event in events {
            let line = event.to_string();
            assert!(!line.contains(char::is_control), "{}: {line:?}", event.name());
        }
    }

    #[test]
    fn listening_tells_the_real_port() {
        let forward = Forward::local(0, ("db", 5432));
        let event = Event::Listening { forward, address: Bound::Tcp("127.0.0.1:40001".parse().unwrap()) };
        assert_eq!(
            (event.level(), event.to_string()),
            (0, "listening on 127.0.0.1:40001 -> db:5432".to_owned())
        );
    }

    #[test]
    fn a_packet_is_told_as_far_as_it_is_known() {
        let packet = |number, message, channel, length| Event::Packet {
            host: "bastion".to_owned(),
            direction: PacketDirection::Sent,
            sequence: 7,
            number,
            message,
            channel,
            length,
            bytes: None,
        };
        let data = packet(94, Some("SSH_MSG_CHANNEL_DATA"), Some(3), Some(1033));
        let line = "send packet: type 94 SSH_MSG_CHANNEL_DATA, channel 3, 1033 bytes, number 7, bastion";
        assert_eq!((data.level(), data.to_string()), (3, line.to_owned()));
        assert_eq!(packet(79, None, None, None).to_string(), "send packet: type 79, number 7, bastion");
    }

    #[test]
    fn an_unchecked_host_key_is_always_told() {
        let host_key = |verdict| Event::HostKey {
            host: "bastion".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            certificate: None,
            verdict,
        };
        assert_eq!(host_key(HostKeyVerdict::Unchecked).level(), 0);
        assert_eq!(host_key(HostKeyVerdict::Known).level(), 1);
    }

    #[test]
    fn a_key_exchange_is_told_per_direction_only_where_they_differ() {
        let event = |cipher_in: &str, compression_in: Option<&str>| Event::KeyExchange {
            kex: "curve25519-sha256".to_owned(),
            host_key: Some("ssh-ed25519".to_owned()),
            cipher_out: "aes128-ctr".to_owned(),
            cipher_in: cipher_in.to_owned(),
            mac_out: Some("hmac-sha2-256".to_owned()),
            mac_in: Some("hmac-sha2-256".to_owned()),
            compression_out: compression_in.map(|_| "zlib".to_owned()),
            compression_in: compression_in.map(str::to_owned),
            strict: true,
            rekey: false,
        };
        let same = "keys: curve25519-sha256, ssh-ed25519, aes128-ctr with hmac-sha2-256, strict";
        assert_eq!(event("aes128-ctr", None).to_string(), same);
        assert!(event("aes256-ctr", None).to_string().contains("in aes256-ctr with"));
        assert!(event("aes128-ctr", Some("zlib")).to_string().ends_with(", zlib, strict"));
        let different = event("aes128-ctr", Some("zlib@openssh.com")).to_string();
        assert!(different.contains(", out zlib, in zlib@openssh.com"), "{different}");
    }
}
