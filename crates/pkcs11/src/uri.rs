//! Which key is meant (RFC 7512).

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use underpass_crypto::Secret;

/// A PKCS#11 URI (RFC 7512): which keys, on which tokens. What it leaves open fits all.
///
/// `pkcs11:token=work;object=ssh;id=%01?module-path=/usr/lib/opensc-pkcs11.so&pin-source=file:/etc/pin`
#[derive(Debug, Clone, Default)]
pub struct KeyUri {
    /// The token's label.
    pub token: Option<String>,
    /// The token's manufacturer.
    pub manufacturer: Option<String>,
    /// The token's model.
    pub model: Option<String>,
    /// The token's serial number.
    pub serial: Option<String>,
    /// The key's label.
    pub object: Option<String>,
    /// The key's identifier.
    pub id: Option<Vec<u8>>,
    /// The subject of the key's certificate: `x-subject`, which is none of that RFC's. The key is the one whose certificate
    /// has just that, or if none has, the first whose contains it; `*` is the first with a certificate. Spelling matters as
    /// little as in key stores: `CN=me, O="Example, Inc."`.
    pub subject: Option<String>,
    /// The module to load.
    pub module_path: Option<PathBuf>,
    /// The PIN itself. It is better kept in a file.
    pub pin: Option<Secret>,
    /// A file with the PIN in its first line.
    pub pin_source: Option<PathBuf>,
}

/// Why a text is no PKCS#11 URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UriError {
    /// It does not begin with `pkcs11:`.
    Scheme,
    /// An attribute is no pair of a name and a value, or has an impossible value.
    Malformed(String),
    /// An attribute that would narrow the choice is not known, so that ignoring it would widen it.
    UnknownAttribute(String),
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("a PKCS#11 URI begins with `pkcs11:`"),
            Self::Malformed(attribute) => write!(f, "{attribute:?} in a PKCS#11 URI makes no sense"),
            Self::UnknownAttribute(name) => {
                write!(f, "the attribute {name:?} of a PKCS#11 URI is not supported")
            }
        }
    }
}

impl std::error::Error for UriError {}

impl KeyUri {
    /// Whether `text` means to be one.
    pub fn is_one(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// `text`, which means to be one, without a PIN in it: to be shown.
    pub fn without_pin(text: &str) -> String {
        let Some((path, query)) = text.split_once('?') else { return text.to_owned() };
        let shown = |attribute| match str::split_once(attribute, '=') {
            Some(("pin-value", _)) => "pin-value=...",
            _ => attribute,
        };
        format!("{path}?{}", query.split('&').map(shown).collect::<Vec<_>>().join("&"))
    }
}

impl FromStr for KeyUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        if !Self::is_one(text) {
            return Err(UriError::Scheme);
        }
        let (path, query) = text[SCHEME.len()..].split_once('?').unwrap_or((&text[SCHEME.len()..], ""));
        let mut uri = Self::default();
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            uri.set_path(attribute)?;
        }
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            uri.set_query(attribute)?;
        }
        Ok(uri)
    }
}

impl KeyUri {
    fn set_path(&mut self, attribute: &str) -> Result<(), UriError> {
        let (name, value) = pair(attribute)?;
        let text =
            |value: Vec<u8>| String::from_utf8(value).map_err(|_| UriError::Malformed(attribute.to_owned()));
        match name {
            "token" => self.token = Some(text(value)?),
            "manufacturer" => self.manufacturer = Some(text(value)?),
            "model" => self.model = Some(text(value)?),
            "serial" => self.serial = Some(text(value)?),
            "object" => self.object = Some(text(value)?),
            "id" => self.id = Some(value),
            "x-subject" => self.subject = Some(text(value)?),
            // A key has parts of these types, and no choice is made among them.
            "type" if matches!(value.as_slice(), b"private" | b"public" | b"cert") => {}
            "type" => return Err(UriError::Malformed(attribute.to_owned())),
            _ => return Err(UriError::UnknownAttribute(name.to_owned())),
        }
        Ok(())
    }

    /// Attributes of the query choose nothing, so unknown ones do no harm (RFC 7512 section 2.3).
    fn set_query(&mut self, attribute: &str) -> Result<(), UriError> {
        let (name, value) = pair(attribute)?;
        match name {
            "module-path" => self.module_path = Some(path(&value, attribute)?),
            "pin-value" => self.pin = Some(Secret::new(value)),
            "pin-source" => {
                let value = value.strip_prefix(b"file:").unwrap_or(&value);
                self.pin_source = Some(path(value.strip_prefix(b"//").unwrap_or(value), attribute)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn path(value: &[u8], attribute: &str) -> Result<PathBuf, UriError> {
    match std::str::from_utf8(value) {
        Ok(text) if !text.is_empty() => Ok(Path::new(text).to_owned()),
        _ => Err(UriError::Malformed(attribute.to_owned())),
    }
}

fn pair(attribute: &str) -> Result<(&str, Vec<u8>), UriError> {
    let malformed = || {
        // The value may be a PIN.
        UriError::Malformed(attribute.split('=').next().unwrap_or_default().to_owned())
    };
    let (name, value) = attribute.split_once('=').ok_or_else(malformed)?;
    Ok((name, decoded(value).ok_or_else(malformed)?))
}

/// Undoes percent encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    Some(bytes)
}

const SCHEME: &str = "pkcs11:";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> KeyUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_uri_names_a_key_and_where_it_is() {
        let uri = parsed(
            "pkcs11:token=My%20card;serial=0a;object=ssh;id=%01%FF;type=private?module-path=/x.so&pin-value=1%26",
        );
        assert_eq!((uri.token.as_deref(), uri.serial.as_deref()), (Some("My card"), Some("0a")));
        assert_eq!((uri.object.as_deref(), uri.id), (Some("ssh"), Some(vec![1, 0xff])));
        assert_eq!(uri.module_path, Some(PathBuf::from("/x.so")));
        assert_eq!(uri.pin.unwrap().expose(), b"1&");
        assert!(parsed("PKCS11:").token.is_none());
        let subject = parsed("pkcs11:x-subject=CN=Me,O=%22Example,%20Inc.%22").subject;
        assert_eq!(subject.as_deref(), Some("CN=Me,O=\"Example, Inc.\""));
    }

    #[test]
    fn a_pin_is_not_shown() {
        for (text, shown) in [
            ("pkcs11:id=%01", "pkcs11:id=%01"),
            ("pkcs11:id=%01?module-path=/x.so", "pkcs11:id=%01?module-path=/x.so"),
            ("pkcs11:?pin-value=12=34&pin-source=/a", "pkcs11:?pin-value=...&pin-source=/a"),
            ("pkcs11:?pin-value=1&pin-value=2", "pkcs11:?pin-value=...&pin-value=..."),
        ] {
            assert_eq!(KeyUri::without_pin(text), shown);
        }
    }

    #[test]
    fn the_pin_s_file_is_named_as_a_path_or_a_file_uri() {
        for text in ["file:/etc/pin", "file:///etc/pin", "/etc/pin"] {
            let uri = parsed(&format!("pkcs11:?pin-source={text}&x-vendor=1"));
            assert_eq!(uri.pin_source, Some(PathBuf::from("/etc/pin")), "{text}");
        }
    }

    #[test]
    fn what_would_widen_the_choice_is_an_error() {
        let error = |text: &str| text.parse::<KeyUri>().unwrap_err();
        assert_eq!(error("/usr/lib/x.so"), UriError::Scheme);
        assert_eq!(error("pkcs11:tokn=a"), UriError::UnknownAttribute("tokn".to_owned()));
        for text in ["pkcs11:token", "pkcs11:id=%0", "pkcs11:id=%zz", "pkcs11:id=%+1", "pkcs11:token=%ff"] {
            assert!(matches!(error(text), UriError::Malformed(_)), "{text}");
        }
        assert!(matches!(error("pkcs11:type=data"), UriError::Malformed(_)));
    }

    #[test]
    fn a_pin_shows_neither_in_the_value_nor_in_an_error() {
        assert!(!format!("{:?}", parsed("pkcs11:?pin-value=4321")).contains("4321"));
        let error = "pkcs11:?pin-value=4321%".parse::<KeyUri>().unwrap_err();
        assert!(!format!("{error:?}{error}").contains("4321"));
    }
}
