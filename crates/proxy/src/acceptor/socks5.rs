//! SOCKS 5 (RFC 1928) with user name and password (RFC 1929).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Access, Protocol, Refused};
use crate::reader::{Reader, Stop};
use crate::socks5::{CONNECT, CREDENTIALS_VERSION, address_type, method};
use crate::target::{Host, Target};

pub(super) use crate::socks5::VERSION;

/// RFC 1928 section 3: no method that was offered is acceptable.
pub(super) const NO_METHOD: [u8; 2] = [VERSION, method::NONE_ACCEPTABLE];

/// RFC 1929 section 2.
pub(super) const ADMITTED: [u8; 2] = [CREDENTIALS_VERSION, 0];
pub(super) const NOT_ADMITTED: [u8; 2] = [CREDENTIALS_VERSION, 1];

/// How a client proves who it is.
pub(super) enum Method {
    None,
    Credentials,
}

impl Method {
    pub(super) fn selection(&self) -> [u8; 2] {
        [VERSION, self.code()]
    }

    fn code(&self) -> u8 {
        match self {
            Self::None => method::NO_AUTHENTICATION,
            Self::Credentials => method::CREDENTIALS,
        }
    }
}

/// RFC 1928 section 3: reads what the client offers, and chooses.
pub(super) fn greeting(reader: &mut Reader<'_>, access: &Access) -> Result<Method, Stop<Refused>> {
    let _version = reader.u8()?;
    let offered = reader.short()?;
    let wanted = match access {
        Access::Anyone => Method::None,
        Access::Accounts(_) => Method::Credentials,
    };
    match offered.contains(&wanted.code()) {
        true => Ok(wanted),
        false => Err(Refused::NoCommonMethod { offered: offered.to_vec() }.into()),
    }
}

/// RFC 1929 section 2: reads user name and password; the user if they are right.
pub(super) fn credentials(reader: &mut Reader<'_>, access: &Access) -> Result<String, Stop<Refused>> {
    let version = reader.u8()?;
    if version != CREDENTIALS_VERSION {
        return Err(Refused::CredentialsVersion { version }.into());
    }
    let (user, password) = (reader.short()?, reader.short()?);
    let admitted = access.admits(user, password);
    let user = String::from_utf8_lossy(user).into_owned();
    match admitted {
        true => Ok(user),
        false => Err(Refused::WrongCredentials { protocol: Protocol::Socks5, user }.into()),
    }
}

/// RFC 1928 section 4.
pub(super) fn request(reader: &mut Reader<'_>) -> Result<Target, Stop<Refused>> {
    let protocol = Protocol::Socks5;
    if reader.u8()? != VERSION {
        return Err(Refused::Malformed { protocol, what: "the request has another version" }.into());
    }
    let command = reader.u8()?;
    if command != CONNECT {
        return Err(Refused::Command { protocol, command }.into());
    }
    // Reserved. Not every client sends the zero.
    reader.u8()?;
    let bad_target = |error| Refused::Target { protocol, error };
    let host = match reader.u8()? {
        address_type::IPV4 => Host::Ip(Ipv4Addr::from(reader.array::<4>()?).into()),
        address_type::IPV6 => Host::Ip(Ipv6Addr::from(reader.array::<16>()?).into()),
        address_type::NAME => Host::from_bytes(reader.short()?).map_err(bad_target)?,
        address_type => return Err(Refused::AddressType { address_type }.into()),
    };
    let target = Target { host, port: reader.u16()? };
    target.check().map_err(bad_target)?;
    Ok(target)
}

/// RFC 1928 section 6. The address that the connection comes from is known to the SSH server alone.
pub(super) fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, address_type::IPV4, 0, 0, 0, 0, 0, 0]
}
