//! CONNECT of HTTP/1 (RFC 9110 section 9.3.6, RFC 9112).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Access, Protocol, Refused, Request};
use crate::head::{self, Headers};
use crate::limits::MAX_HEAD;
use crate::reader::{Reader, Stop};

/// Reads the head of a request.
pub(super) fn request(reader: &mut Reader<'_>, access: &Access) -> Result<Request, Stop<Refused>> {
    let what = "head of the request";
    let too_long = Refused::TooLong { protocol: Protocol::HttpConnect, what, limit: MAX_HEAD };
    head::within(reader, too_long, |head| parse(head, access))
}

fn parse(reader: &mut Reader<'_>, access: &Access) -> Result<Request, Stop<Refused>> {
    let line = RequestLine::parse(reader.line()?)?;
    let headers = Headers::read(reader).map_err(|stop| match stop {
        Stop::More => Stop::More,
        Stop::Failed(what) => Stop::Failed(malformed(what)),
    })?;
    // The head is judged as a whole: whoever asked for something else is told so after having said it all.
    if line.method != "CONNECT" {
        return Err(Refused::Method { method: line.method.to_owned() }.into());
    }
    if !matches!(line.version, "HTTP/1.0" | "HTTP/1.1") {
        return Err(Refused::HttpVersion { version: line.version.to_owned() }.into());
    }
    let user = user(&headers, access)?;
    let protocol = Protocol::HttpConnect;
    let target = line.target.parse().map_err(|error| Refused::Target { protocol, error })?;
    Ok(Request { target, protocol, user })
}

/// RFC 9112 section 3.
struct RequestLine<'a> {
    method: &'a str,
    target: &'a str,
    version: &'a str,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(line).ok().filter(|text| !text.contains(char::is_control));
        let mut words = text.ok_or(malformed("the first line is no text"))?.split(' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(version), None)
                if head::is_token(method.as_bytes()) && version.starts_with("HTTP/") =>
            {
                Ok(Self { method, target, version })
            }
            _ => Err(malformed("the first line is no request")),
        }
    }
}

/// Who asks, where that matters: basic authentication (RFC 7617).
fn user(headers: &Headers<'_>, access: &Access) -> Result<Option<String>, Refused> {
    let protocol = Protocol::HttpConnect;
    if matches!(access, Access::Anyone) {
        return Ok(None);
    }
    let mut values = headers.all("proxy-authorization");
    let value = values.next().ok_or(Refused::CredentialsRequired { protocol })?;
    if values.next().is_some() {
        return Err(malformed("it has two Proxy-Authorization headers"));
    }
    let decoded = basic(value).ok_or(Refused::CredentialsRequired { protocol })?;
    let colon = decoded.iter().position(|&byte| byte == b':');
    let (user, password) = decoded.split_at(colon.unwrap_or(decoded.len()));
    let admitted = access.admits(user, password.get(1..).unwrap_or_default());
    let user = String::from_utf8_lossy(user).into_owned();
    if admitted { Ok(Some(user)) } else { Err(Refused::WrongCredentials { protocol, user }) }
}

/// User, colon and password, if it is the scheme `Basic`.
fn basic(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, token) = value.split_at_checked(BASIC.len())?;
    if !scheme.eq_ignore_ascii_case(BASIC) {
        return None;
    }
    STANDARD.decode(token.trim_ascii()).ok().map(Zeroizing::new)
}

const BASIC: &[u8] = b"Basic ";

fn malformed(what: &'static str) -> Refused {
    Refused::Malformed { protocol: Protocol::HttpConnect, what }
}

/// The answer to a client that gets no connection: `status` with its reason phrase, a header of its own if it
/// needs one, and a line for whoever sees it.
pub(super) fn error(status: &str, header: &str, text: &str) -> Vec<u8> {
    let length = text.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{text}\n"
    )
    .into_bytes()
}

/// The answer to a client that gets one. What follows is payload, so there is no length.
pub(super) const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
