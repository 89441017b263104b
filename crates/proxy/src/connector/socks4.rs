//! SOCKS 4, and its extension 4a.

use core::net::IpAddr;

use zeroize::Zeroizing;

use super::{ProxyError, ProxyReply};
use crate::reader::{Reader, Stop};
use crate::secret::Credentials;
use crate::target::{Host, Target};
use crate::url::ProxyKind;

const VERSION: u8 = 4;
const CONNECT: u8 = 1;
const GRANTED: u8 = 0x5a;

/// An impossible address, which says that a name follows.
const NAME_FOLLOWS: [u8; 4] = [0, 0, 0, 1];

/// The whole request. A name, or an IPv6 address in its place, needs 4a.
pub(super) fn request(
    target: &Target,
    credentials: Option<&Credentials>,
    is_4a: bool,
) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    let (address, name) = match &target.host {
        Host::Ip(IpAddr::V4(address)) if is_name_follows(address.octets()) => {
            return Err(unusable("SOCKS 4 cannot carry addresses that begin with 0.0.0"));
        }
        Host::Ip(IpAddr::V4(address)) => (address.octets(), None),
        Host::Name(name) if is_4a => (NAME_FOLLOWS, Some(name)),
        Host::Name(_) => return Err(unusable("SOCKS 4 takes no host name; SOCKS 4a does")),
        Host::Ip(IpAddr::V6(_)) => return Err(unusable("SOCKS 4 takes no IPv6 address; SOCKS 5 does")),
    };
    let mut request = Zeroizing::new(vec![VERSION, CONNECT]);
    request.extend_from_slice(&target.port.to_be_bytes());
    request.extend_from_slice(&address);
    request.extend_from_slice(credentials.map_or(&[], |credentials| credentials.user().as_bytes()));
    request.push(0);
    if let Some(name) = name {
        request.extend_from_slice(name.as_bytes());
        request.push(0);
    }
    Ok(request)
}

fn is_name_follows(octets: [u8; 4]) -> bool {
    octets.starts_with(&[0, 0, 0]) && octets[3] != 0
}

fn unusable(what: &str) -> ProxyError {
    ProxyError::Unusable { what: what.to_owned() }
}

/// Eight bytes: version, code, and a port and an address that mean nothing here.
pub(super) fn answer(reader: &mut Reader<'_>, kind: ProxyKind) -> Result<(), Stop<ProxyError>> {
    match reader.u8()? {
        // The version of the reply is 0. Some proxies send their own.
        0 | VERSION => {}
        first => return Err(ProxyError::NotThisKind { kind, first }.into()),
    }
    match reader.u8()? {
        GRANTED => {}
        code => return Err(ProxyError::Refused { reply: ProxyReply::Socks4(code) }.into()),
    }
    reader.array::<6>()?;
    Ok(())
}
