//! SOCKS 5 (RFC 1928) with user name and password (RFC 1929).

use core::net::IpAddr;

use zeroize::Zeroizing;

use super::{ProxyError, ProxyReply};
use crate::reader::{Reader, Stop};
use crate::secret::Credentials;
use crate::socks5::{CONNECT, CREDENTIALS_VERSION, VERSION, address_type, method, reply};
use crate::target::{Host, Target};
use crate::url::ProxyKind;

/// The methods offered. Without authentication is always good enough for us.
pub(super) fn greeting(has_credentials: bool) -> &'static [u8] {
    match has_credentials {
        true => &[VERSION, 2, method::NO_AUTHENTICATION, method::CREDENTIALS],
        false => &[VERSION, 1, method::NO_AUTHENTICATION],
    }
}

/// RFC 1929 section 2.
pub(super) fn credentials(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    // Room for all of it, so that no copy is left behind by growing.
    let mut message = Zeroizing::new(Vec::with_capacity(3 + 2 * usize::from(u8::MAX)));
    message.push(CREDENTIALS_VERSION);
    put_short(&mut message, credentials.user().as_bytes());
    put_short(&mut message, credentials.password().expose().as_bytes());
    message
}

/// RFC 1928 section 4.
pub(super) fn request(target: &Target) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match &target.host {
        Host::Ip(IpAddr::V4(address)) => {
            request.push(address_type::IPV4);
            request.extend_from_slice(&address.octets());
        }
        Host::Ip(IpAddr::V6(address)) => {
            request.push(address_type::IPV6);
            request.extend_from_slice(&address.octets());
        }
        Host::Name(name) => {
            request.push(address_type::NAME);
            put_short(&mut request, name.as_bytes());
        }
    }
    request.extend_from_slice(&target.port.to_be_bytes());
    request
}

/// Bytes behind their length. [`Target::check`] and [`Credentials::new`] have seen to it that one byte is enough.
fn put_short(message: &mut Vec<u8>, bytes: &[u8]) {
    message.push(u8::try_from(bytes.len()).expect("names and credentials have at most 255 bytes"));
    message.extend_from_slice(bytes);
}

/// What the proxy chose.
pub(super) enum Method {
    None,
    Credentials,
}

/// RFC 1928 section 3.
pub(super) fn method(reader: &mut Reader<'_>, has_credentials: bool) -> Result<Method, Stop<ProxyError>> {
    match reader.u8()? {
        VERSION => {}
        first => return Err(ProxyError::NotThisKind { kind: ProxyKind::Socks5, first }.into()),
    }
    let offered = Vec::new();
    Err(match reader.u8()? {
        method::NO_AUTHENTICATION => return Ok(Method::None),
        method::CREDENTIALS if has_credentials => return Ok(Method::Credentials),
        method::CREDENTIALS => ProxyError::WantsCredentials { offered },
        method::NONE_ACCEPTABLE if has_credentials => ProxyError::NoCommonMethod,
        method::NONE_ACCEPTABLE => ProxyError::WantsCredentials { offered },
        _ => ProxyError::BrokeProtocol { what: "it chose an authentication that was not offered" },
    }
    .into())
}

/// RFC 1929 section 2: anything but 0 is a refusal. Some proxies send another version, which is no matter.
pub(super) fn admitted(reader: &mut Reader<'_>) -> Result<(), Stop<ProxyError>> {
    match reader.array()? {
        [_version, 0] => Ok(()),
        [_version, _] => Err(ProxyError::RejectedCredentials { offered: Vec::new() }.into()),
    }
}

/// RFC 1928 section 6. The address that the proxy uses is of no interest.
pub(super) fn answer(reader: &mut Reader<'_>) -> Result<(), Stop<ProxyError>> {
    if reader.u8()? != VERSION {
        return Err(ProxyError::BrokeProtocol { what: "its reply has another version" }.into());
    }
    match reader.u8()? {
        reply::SUCCEEDED => {}
        code => return Err(ProxyError::Refused { reply: ProxyReply::Socks5(code) }.into()),
    }
    let _reserved = reader.u8()?;
    match reader.u8()? {
        address_type::IPV4 => reader.bytes(4)?,
        address_type::IPV6 => reader.bytes(16)?,
        address_type::NAME => reader.short()?,
        _ => {
            return Err(
                ProxyError::BrokeProtocol { what: "its reply has an address of no known type" }.into()
            );
        }
    };
    reader.u16()?;
    Ok(())
}
