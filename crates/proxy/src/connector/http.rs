//! CONNECT of HTTP/1.1 (RFC 9110 section 9.3.6, RFC 9112).

use core::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Headers, ProxyError, ProxyReply};
use crate::head;
use crate::limits::MAX_HEAD;
use crate::reader::{Reader, Stop};
use crate::secret::Credentials;
use crate::target::{Host, Target};
use crate::url::ProxyKind;

/// The whole request. A `Proxy-Authorization` among the caller's headers goes instead of ours.
pub(super) fn request(
    target: &Target,
    credentials: Option<&Credentials>,
    headers: &Headers,
) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    let authority = authority(target)?;
    let mut request = Zeroizing::new(Vec::with_capacity(MAX_HEAD));
    // RFC 9112 section 3.2.3: the target in its own form, and the same again as the host.
    request.extend_from_slice(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").as_bytes());
    if let Some(credentials) = credentials.filter(|_| !headers.has("proxy-authorization")) {
        request.extend_from_slice(b"Proxy-Authorization: Basic ");
        request.extend_from_slice(basic(credentials)?.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    for (name, value) in headers.iter() {
        for part in [name, ": ", value, "\r\n"] {
            request.extend_from_slice(part.as_bytes());
        }
    }
    request.extend_from_slice(b"\r\n");
    match request.len() > MAX_HEAD {
        true => Err(unusable("the headers for the proxy are too long")),
        false => Ok(request),
    }
}

/// The target in its form for HTTP, which is ASCII (RFC 9110 section 7.2). It was checked before, so it cannot
/// end the line.
fn authority(target: &Target) -> Result<String, ProxyError> {
    match &target.host {
        Host::Name(name) if !name.is_ascii() => {
            Err(unusable("an HTTP proxy needs the host name in its ASCII form (xn--…)"))
        }
        Host::Name(name) => Ok(format!("{name}:{}", target.port)),
        Host::Ip(IpAddr::V4(address)) => Ok(format!("{address}:{}", target.port)),
        Host::Ip(IpAddr::V6(address)) => Ok(format!("[{address}]:{}", target.port)),
    }
}

/// RFC 7617 section 2.
fn basic(credentials: &Credentials) -> Result<Zeroizing<String>, ProxyError> {
    if credentials.user().contains(':') {
        return Err(unusable("an HTTP proxy takes no user name with a colon"));
    }
    let pair = Zeroizing::new(format!("{}:{}", credentials.user(), credentials.password().expose()));
    Ok(Zeroizing::new(STANDARD.encode(pair.as_bytes())))
}

fn unusable(what: &str) -> ProxyError {
    ProxyError::Unusable { what: what.to_owned() }
}

/// What the proxy says.
pub(super) enum Answer {
    /// `2xx`.
    Connected,
    /// `1xx`: another answer follows.
    Interim,
}

/// Reads one answer; all that are neither of these are errors.
pub(super) fn answer(
    reader: &mut Reader<'_>,
    kind: ProxyKind,
    has_credentials: bool,
) -> Result<Answer, Stop<ProxyError>> {
    match reader.peek()? {
        b'H' => {}
        first => return Err(ProxyError::NotThisKind { kind, first }.into()),
    }
    let too_long = ProxyError::TooLong { limit: MAX_HEAD };
    head::within(reader, too_long, |head| parse(head, has_credentials))
}

fn parse(reader: &mut Reader<'_>, has_credentials: bool) -> Result<Answer, Stop<ProxyError>> {
    let (status, reason) = status(reader.line()?).ok_or(broke("its first line is no status line"))?;
    let headers = head::Headers::read(reader).map_err(|stop| match stop {
        Stop::More => Stop::More,
        Stop::Failed(what) => Stop::Failed(broke(what)),
    })?;
    match status {
        // Not 101, which would change the protocol.
        100 | 102..=199 => Ok(Answer::Interim),
        // RFC 9110 section 9.3.6: whatever length the headers give, what follows is the tunnel.
        200..=299 => Ok(Answer::Connected),
        // 401 is a web server's. tinyproxy answers a wrong password with it.
        401 | 407 => {
            let offered: Vec<&[u8]> = headers.all("proxy-authenticate").collect();
            let offered = offered.join(&b", "[..]);
            Err(match has_credentials {
                true => ProxyError::RejectedCredentials { offered },
                false => ProxyError::WantsCredentials { offered },
            }
            .into())
        }
        _ => Err(ProxyError::Refused { reply: ProxyReply::Http { status, reason: reason.to_vec() } }.into()),
    }
}

/// Status code and reason phrase (RFC 9112 section 4). The phrase may be missing, with or without its space.
fn status(line: &[u8]) -> Option<(u16, &[u8])> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (&[minor, space, code @ ..], reason) = rest.split_first_chunk::<5>()?;
    let reason = if reason.is_empty() { reason } else { reason.strip_prefix(b" ")? };
    let is_well_formed = minor.is_ascii_digit() && space == b' ' && matches!(code, [b'1'..=b'5', _, _]);
    let code = std::str::from_utf8(&code).ok().filter(|_| is_well_formed)?;
    code.parse().ok().map(|code| (code, reason))
}

fn broke(what: &'static str) -> ProxyError {
    ProxyError::BrokeProtocol { what }
}
