//! What an event says, by name: for those who hand events on, as JSON or to another language.

use crate::{Error, Event, PacketBytes, PacketDirection};

/// A part of an event.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FieldValue {
    /// There is none.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Count(u64),
    /// A time, in seconds.
    Seconds(f64),
    /// A text. One that came from the server is here as it came.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// Why something failed.
    Error(Error),
}

impl Event {
    /// Its parts, by name. Addresses, targets and forwards are texts.
    pub fn fields(&self) -> Vec<(&'static str, FieldValue)> {
        match self {
            Self::Connecting { host, port } => vec![("host", host.into()), ("port", (*port).into())],
            Self::Connected { address } => vec![("address", shown(address))],
            Self::Identified { software, line } => {
                vec![("software", software.into()), ("line", line.into())]
            }
            Self::HostKey { host, key_type, fingerprint, certificate, verdict } => vec![
                ("host", host.into()),
                ("key_type", key_type.into()),
                ("fingerprint", fingerprint.into()),
                ("verdict", shown(verdict)),
                ("subject", certificate.as_ref().map(|names| &names.subject).into()),
                ("issuer", certificate.as_ref().map(|names| &names.issuer).into()),
            ],
            Self::KerberosServer { server } => vec![("server", server.into())],
            Self::KeyExchange { .. } => self.fields_of_key_exchange(),
            Self::Banner { text } | Self::Warning { text } => vec![("text", text.into())],
            Self::AuthAttempt { method, detail } => {
                vec![("method", method.into()), ("detail", detail.into())]
            }
            Self::AuthRefused { method, remaining, partial } => vec![
                ("method", method.into()),
                ("remaining", FieldValue::Texts(remaining.clone())),
                ("partial", FieldValue::Flag(*partial)),
            ],
            Self::Authenticated { method, user } => vec![("method", method.into()), ("user", user.into())],
            Self::Listening { forward, address } => vec![
                ("address", shown(address)),
                ("port", address.port().map_or(FieldValue::Nothing, FieldValue::from)),
                ("remote", FieldValue::Flag(address.is_remote())),
                ("target", forward.target().map_or(FieldValue::Nothing, shown)),
                ("forward", shown(forward)),
            ],
            Self::Reconnecting { error, attempt, after } => vec![
                ("attempt", (*attempt).into()),
                ("after", FieldValue::Seconds(after.as_secs_f64())),
                ("error", error.into()),
            ],
            Self::Reconnected { outage, attempts } => {
                vec![("outage", FieldValue::Seconds(outage.as_secs_f64())), ("attempts", (*attempts).into())]
            }
            Self::ConnectionOpened { id, peer, target } => {
                vec![("id", (*id).into()), ("peer", shown(peer)), ("target", shown(target))]
            }
            Self::ConnectionClosed { id, sent, received, error } => vec![
                ("id", (*id).into()),
                ("sent", (*sent).into()),
                ("received", (*received).into()),
                ("error", error.as_ref().into()),
            ],
            Self::ConnectionFailed { id, peer, target, error } => vec![
                ("id", (*id).into()),
                ("peer", shown(peer)),
                ("target", shown(target)),
                ("error", error.into()),
            ],
            Self::Detail { level, text } => vec![("level", (*level).into()), ("text", text.into())],
            Self::Packet { .. } => self.fields_of_packet(),
            Self::Stopping { open } => vec![("open", FieldValue::Count(*open as u64))],
            Self::Closed { error } => {
                vec![("error", error.as_ref().map_or(FieldValue::Nothing, FieldValue::from))]
            }
        }
    }

    fn fields_of_packet(&self) -> Vec<(&'static str, FieldValue)> {
        let Self::Packet { host, direction, sequence, number, message, channel, length, bytes } = self else {
            return Vec::new();
        };
        vec![
            ("direction", FieldValue::Text(way(*direction).to_owned())),
            ("type", (*number).into()),
            ("message", message.map_or(FieldValue::Nothing, |name| FieldValue::Text(name.to_owned()))),
            ("channel", channel.map_or(FieldValue::Nothing, FieldValue::from)),
            ("length", length.map_or(FieldValue::Nothing, |length| FieldValue::Count(length as u64))),
            ("number", (*sequence).into()),
            ("host", host.into()),
            ("bytes", bytes.as_ref().map_or(FieldValue::Nothing, shown)),
            ("omitted", FieldValue::Count(bytes.as_ref().map_or(0, PacketBytes::omitted) as u64)),
        ]
    }

    fn fields_of_key_exchange(&self) -> Vec<(&'static str, FieldValue)> {
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
            return Vec::new();
        };
        vec![
            ("kex", kex.into()),
            ("host_key", host_key.as_ref().into()),
            ("cipher_out", cipher_out.into()),
            ("cipher_in", cipher_in.into()),
            ("mac_out", mac_out.as_ref().into()),
            ("mac_in", mac_in.as_ref().into()),
            ("compression_out", compression_out.as_ref().into()),
            ("compression_in", compression_in.as_ref().into()),
            ("strict", FieldValue::Flag(*strict)),
            ("rekey", FieldValue::Flag(*rekey)),
        ]
    }
}

fn way(direction: PacketDirection) -> &'static str {
    match direction {
        PacketDirection::Sent => "sent",
        PacketDirection::Received => "received",
    }
}

fn shown(value: &impl ToString) -> FieldValue {
    FieldValue::Text(value.to_string())
}

impl From<&String> for FieldValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Option<&String>> for FieldValue {
    fn from(text: Option<&String>) -> Self {
        text.map_or(Self::Nothing, Self::from)
    }
}

impl From<&Error> for FieldValue {
    fn from(error: &Error) -> Self {
        Self::Error(error.clone())
    }
}

macro_rules! counts {
    ($($number:ty)*) => {
        $(impl From<$number> for FieldValue {
            fn from(number: $number) -> Self {
                Self::Count(number.into())
            }
        })*
    };
}

counts! { u8 u16 u32 u64 }
