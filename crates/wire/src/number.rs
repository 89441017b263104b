//! Message numbers and what gives them meaning: direction, phase, kex family, authentication method.
//!
//! The rows themselves are in [`TABLE`].

use std::fmt;

use crate::table::{TABLE, lookup};

/// A message number (RFC 4250 section 4.1). Unknown values stay representable.
///
/// Numbers 30–49 and 60–79 have several meanings, hence several constants with one value; only
/// [`Number::name_in`] tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u8);

impl Number {
    /// The RFC's name of the message that this number means in `context`.
    pub fn name_in(self, context: Context) -> Option<&'static str> {
        lookup(self.0, context).map(|row| row.name)
    }
}

impl fmt::Display for Number {
    /// The RFC's name; all of them, with `/` between, where the number alone does not decide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = TABLE.iter().filter(|row| row.number == *self).map(|row| row.name);
        match names.next() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "message {}", self.0)?,
        }
        names.try_for_each(|name| write!(f, "/{name}"))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({} {self})", self.0)
    }
}

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Either side.
    Both,
    /// Only the client.
    ClientToServer,
    /// Only the server.
    ServerToClient,
}

/// A set of phases of a connection.
///
/// Phases are those of the *sender*: between its KEXINIT and its NEWKEYS of a later key exchange it is
/// in [`REKEY`](Self::REKEY) and in no other, whatever the opposite direction is doing. So the KEXINIT
/// that starts a later key exchange is judged by the phase it interrupts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Phases(u8);

impl Phases {
    /// No phase.
    pub const NONE: Self = Self(0);
    /// The first key exchange: up to and including the first NEWKEYS.
    pub const FIRST_KEX: Self = Self(1);
    /// Keys are taken into use, the `ssh-userauth` service is not granted yet.
    pub const SERVICE: Self = Self(1 << 1);
    /// Authentication (RFC 4252), up to and including USERAUTH_SUCCESS.
    pub const AUTH: Self = Self(1 << 2);
    /// The connection protocol (RFC 4254).
    pub const OPEN: Self = Self(1 << 3);
    /// A later key exchange: after the sender's KEXINIT, up to and including its NEWKEYS (RFC 4253
    /// section 7.1).
    pub const REKEY: Self = Self(1 << 4);

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = PHASE_NAMES.iter().filter(|(phase, _)| self.contains(*phase)).map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

const PHASE_NAMES: [(Phases, &str); 5] = [
    (Phases::FIRST_KEX, "FIRST_KEX"),
    (Phases::SERVICE, "SERVICE"),
    (Phases::AUTH, "AUTH"),
    (Phases::OPEN, "OPEN"),
    (Phases::REKEY, "REKEY"),
];

/// The families of key exchange methods, each with its own use of the numbers 30–49.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KexFamily {
    /// Public values as strings: RFC 5656, RFC 8731 and the post-quantum hybrids.
    Ecdh,
    /// A fixed group, public values as mpints (RFC 4253 section 8).
    Dh,
    /// A group that the server picks (RFC 4419).
    GroupExchange,
    /// GSS-API authenticated, with a fixed group or curve (RFC 4462 section 2.1, RFC 8732).
    Gss,
    /// GSS-API authenticated, with a group that the server picks (RFC 4462 section 2.2).
    GssGroupExchange,
}

impl KexFamily {
    /// All families.
    pub const ALL: [Self; 5] = [Self::Ecdh, Self::Dh, Self::GroupExchange, Self::Gss, Self::GssGroupExchange];

    /// Whether the messages of `row` belong to this family: GSS group exchange adds two to those of GSS.
    pub fn includes(self, row: Self) -> bool {
        self == row || (self == Self::GssGroupExchange && row == Self::Gss)
    }
}

/// The authentication methods, of which some have their own use of the numbers 60–79.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// `none` (RFC 4252 section 5.2).
    None,
    /// `password` (RFC 4252 section 8).
    Password,
    /// `publickey` (RFC 4252 section 7).
    PublicKey,
    /// `keyboard-interactive` (RFC 4256).
    KeyboardInteractive,
    /// `hostbased` (RFC 4252 section 9).
    HostBased,
    /// `gssapi-with-mic` (RFC 4462 section 3).
    GssapiWithMic,
    /// `gssapi-keyex` (RFC 4462 section 4).
    GssapiKeyex,
}

impl AuthMethod {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Password,
        Self::PublicKey,
        Self::KeyboardInteractive,
        Self::HostBased,
        Self::GssapiWithMic,
        Self::GssapiKeyex,
    ];

    /// The method that USERAUTH_REQUEST calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The method's name in USERAUTH_REQUEST.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Password => "password",
            Self::PublicKey => "publickey",
            Self::KeyboardInteractive => "keyboard-interactive",
            Self::HostBased => "hostbased",
            Self::GssapiWithMic => "gssapi-with-mic",
            Self::GssapiKeyex => "gssapi-keyex",
        }
    }
}

/// What a receiver must know to read the numbers 30–49 and 60–79. With `None` they are unknown messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Context {
    /// The family of the key exchange under way.
    pub kex: Option<KexFamily>,
    /// The method of the authentication attempt under way.
    pub auth: Option<AuthMethod>,
}
