//! SOCKS 4, and its extension 4a. Neither is an RFC: `SOCKS4.protocol` and `SOCKS4A.protocol` describe them.

use core::net::{IpAddr, Ipv4Addr};

use super::{Access, Protocol, Refused, Request};
use crate::limits::{MAX_NAME, MAX_USER_ID};
use crate::reader::{Reader, Stop};
use crate::target::{Host, Target};

pub(super) const VERSION: u8 = 4;

pub(super) const GRANTED: u8 = 0x5a;
pub(super) const REJECTED: u8 = 0x5b;

const CONNECT: u8 = 1;

/// Version, command, port, address, user id; in 4a the name behind it.
pub(super) fn request(reader: &mut Reader<'_>, access: &Access) -> Result<Request, Stop<Refused>> {
    let protocol = Protocol::Socks4;
    let [_version, command] = reader.array()?;
    if command != CONNECT {
        return Err(Refused::Command { protocol, command }.into());
    }
    if matches!(access, Access::Accounts(_)) {
        return Err(Refused::CredentialsRequired { protocol }.into());
    }
    let port = reader.u16()?;
    let address = Ipv4Addr::from(reader.array::<4>()?);
    let user = text(reader, "user id", MAX_USER_ID)?;
    let (host, protocol) = match address.octets() {
        // An impossible address says that a name follows.
        [0, 0, 0, last] if last != 0 => {
            let protocol = Protocol::Socks4a;
            let name = text(reader, "host name", MAX_NAME)?;
            (Host::from_bytes(name).map_err(|error| Refused::Target { protocol, error })?, protocol)
        }
        _ => (Host::Ip(IpAddr::V4(address)), protocol),
    };
    let target = Target { host, port };
    target.check().map_err(|error| Refused::Target { protocol, error })?;
    let user = Some(String::from_utf8_lossy(user).into_owned()).filter(|user| !user.is_empty());
    Ok(Request { target, protocol, user })
}

fn text<'a>(reader: &mut Reader<'a>, what: &'static str, limit: usize) -> Result<&'a [u8], Stop<Refused>> {
    let too_long = Refused::TooLong { protocol: Protocol::Socks4, what, limit };
    reader.terminated(limit)?.ok_or(Stop::Failed(too_long))
}

/// The reply: port and address mean nothing to CONNECT.
pub(super) fn reply(code: u8) -> [u8; 8] {
    [0, code, 0, 0, 0, 0, 0, 0]
}
