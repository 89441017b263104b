//! The address of a proxy.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::escape::Escaped;
use crate::secret::{Credentials, CredentialsError, Password};
use crate::target::{Host, TargetError, split_port};

/// What a proxy speaks, by the scheme of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyKind {
    /// `http://`: HTTP CONNECT.
    Http,
    /// `https://`: HTTP CONNECT inside TLS, which is the caller's part.
    Https,
    /// `socks4://`: IPv4 addresses only.
    Socks4,
    /// `socks4a://`: SOCKS 4 with names.
    Socks4a,
    /// `socks5://`: SOCKS 5 with an address.
    Socks5,
    /// `socks5h://` and `socks://`: SOCKS 5 with a name.
    Socks5h,
}

/// Where the name of a target is turned into an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolve {
    /// On this machine, before the proxy is asked.
    Here,
    /// At the proxy, which is given the name.
    AtProxy,
}

impl ProxyKind {
    /// Every kind.
    pub const ALL: &[Self] =
        &[Self::Http, Self::Https, Self::Socks4, Self::Socks4a, Self::Socks5, Self::Socks5h];

    /// The scheme of its URL.
    pub fn scheme(self) -> &'static str {
        self.row().scheme
    }

    /// The name of its protocol, for people.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The port where it is expected if the URL has none: 80 for `http`, 443 for `https`, 1080 for SOCKS. curl
    /// goes to 1080 for `http` as well.
    pub fn default_port(self) -> u16 {
        self.row().port
    }

    /// Where names are resolved.
    pub fn resolve(self) -> Resolve {
        self.row().resolve
    }

    /// The kind that speaks the same protocol and leaves names to the proxy.
    pub fn resolving_at_proxy(self) -> Self {
        match self {
            Self::Socks4 => Self::Socks4a,
            Self::Socks5 => Self::Socks5h,
            Self::Http | Self::Https | Self::Socks4a | Self::Socks5h => self,
        }
    }

    #[rustfmt::skip]
    fn row(self) -> Row {
        use Resolve::{AtProxy, Here};
        let (scheme, name, port, resolve) = match self {
            Self::Http    => ("http",    "HTTP",     80,   AtProxy),
            Self::Https   => ("https",   "HTTPS",    443,  AtProxy),
            Self::Socks4  => ("socks4",  "SOCKS 4",  1080, Here),
            Self::Socks4a => ("socks4a", "SOCKS 4a", 1080, AtProxy),
            Self::Socks5  => ("socks5",  "SOCKS 5",  1080, Here),
            Self::Socks5h => ("socks5h", "SOCKS 5",  1080, AtProxy),
        };
        Row { scheme, name, port, resolve }
    }
}

struct Row {
    scheme: &'static str,
    name: &'static str,
    port: u16,
    resolve: Resolve,
}

/// A proxy: how to reach it, and as whom.
///
/// Written as `scheme://user:password@host:port/`, where all but the host may be missing. Without a scheme it is
/// `http`. Whatever ends a part early stands percent-encoded in user name and password. The password is never
/// shown, neither by `Debug` nor by `Display`.
///
/// | scheme | port | the target's name is resolved |
/// |---|---|---|
/// | `http`, `https` | 80, 443 | at the proxy |
/// | `socks4`, `socks5` | 1080 | here |
/// | `socks4a`, `socks5h`, `socks` | 1080 | at the proxy |
///
/// The schemes are curl's, two things differ: there an `http` proxy without a port is at 1080, and `socks` means
/// SOCKS 4. Desktops that set `socks://` mean SOCKS 5, and the name of a server behind a proxy is often
/// known there only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    /// What it speaks.
    pub kind: ProxyKind,
    /// The proxy's own host.
    pub host: Host,
    /// The proxy's own port.
    pub port: u16,
    /// What it may ask for.
    pub credentials: Option<Credentials>,
}

impl ProxyUrl {
    /// Where the target's name is resolved.
    pub fn resolve(&self) -> Resolve {
        self.kind.resolve()
    }
}

impl FromStr for ProxyUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        let (kind, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (kind(scheme)?, rest),
            None => (ProxyKind::Http, text),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(UrlError::Path);
        }
        // The last one: people forget to encode those in their passwords.
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(credentials(userinfo)?), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address)?;
        Ok(Self { kind, host: host.parse()?, port: port.unwrap_or(kind.default_port()), credentials })
    }
}

fn kind(scheme: &str) -> Result<ProxyKind, UrlError> {
    if scheme.eq_ignore_ascii_case("socks") {
        return Ok(ProxyKind::Socks5h);
    }
    let same = |kind: &&ProxyKind| kind.scheme().eq_ignore_ascii_case(scheme);
    ProxyKind::ALL.iter().find(same).copied().ok_or(UrlError::Scheme)
}

fn credentials(userinfo: &str) -> Result<Credentials, UrlError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let user = decode(user)?.to_string();
    Ok(Credentials::new(user, Password::new(decode(password)?.as_str()))?)
}

/// RFC 3986 section 2.1.
fn decode(text: &str) -> Result<Zeroizing<String>, UrlError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit =
            || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(UrlError::Percent);
        bytes.push(match byte {
            b'%' => (digit()? << 4 | digit()?) as u8,
            byte => byte,
        });
    }
    std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| UrlError::Percent)
}

/// It can be read again, apart from the password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.kind.scheme())?;
        if let Some(credentials) = &self.credentials {
            let hidden = if credentials.password().expose().is_empty() { "" } else { ":***" };
            write!(f, "{}{hidden}@", Escaped(credentials.user().as_bytes()))?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Longest URL: the longest host, user name and password, every byte of these encoded, and some room.
const MAX_URL: usize = 2048;

/// What is wrong with a proxy's URL. It repeats nothing of the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlError {
    /// The scheme is none of those of [`ProxyKind`].
    Scheme,
    /// Something follows the port. A password with a `/`, `?` or `#` that is not encoded ends up here as well.
    Path,
    /// A percent sign is not followed by two hexadecimal digits, or what they encode is no text.
    Percent,
    /// The text is too long to be a proxy's URL.
    TooLong,
    /// The host or the port.
    Address(TargetError),
    /// The user name or the password.
    Credentials(CredentialsError),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no proxy URL: ")?;
        match self {
            Self::Scheme => {
                let schemes: Vec<_> = ProxyKind::ALL.iter().map(|kind| kind.scheme()).collect();
                write!(f, "the scheme is none of {}, socks", schemes.join(", "))
            }
            Self::Path => f.write_str(
                "nothing may follow the port; in a user name or a password `/`, `?` and `#` are written \
                 %2F, %3F and %23",
            ),
            Self::Percent => {
                f.write_str("`%` is followed by two hexadecimal digits; `%` itself is written %25")
            }
            Self::TooLong => write!(f, "it has more than {MAX_URL} bytes"),
            Self::Address(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for UrlError {}

impl From<TargetError> for UrlError {
    fn from(error: TargetError) -> Self {
        Self::Address(error)
    }
}

impl From<CredentialsError> for UrlError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}
