//! Passwords, and who they belong to.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::escape::Escaped;
use crate::limits::MAX_CREDENTIAL;

/// A password: redacted when displayed, wiped when dropped, compared in constant time.
#[derive(Clone, Default)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes ownership of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. The long name makes each use stand out in review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user name and its password, fit for every protocol here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Password,
}

impl Credentials {
    /// The user has 1 to [`MAX_CREDENTIAL`] bytes, the password may be empty. Control characters are refused:
    /// they end a user id of SOCKS 4 and are forbidden by RFC 7617 section 2.
    pub fn new(user: impl Into<String>, password: impl Into<Password>) -> Result<Self, CredentialsError> {
        let (user, password) = (user.into(), password.into());
        if user.is_empty() {
            return Err(CredentialsError::NoUser);
        }
        if user.len() > MAX_CREDENTIAL || password.expose().len() > MAX_CREDENTIAL {
            return Err(CredentialsError::TooLong);
        }
        if user.contains(char::is_control) || password.expose().contains(char::is_control) {
            return Err(CredentialsError::ControlCharacter);
        }
        Ok(Self { user, password })
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &Password {
        &self.password
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Escaped(self.user.as_bytes()), self.password)
    }
}

/// Why a user name and a password cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsError {
    /// The user name is empty.
    NoUser,
    /// One of them is longer than [`MAX_CREDENTIAL`] bytes.
    TooLong,
    /// One of them holds a control character.
    ControlCharacter,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("the user name is empty"),
            Self::TooLong => write!(f, "user name and password may have {MAX_CREDENTIAL} bytes each"),
            Self::ControlCharacter => f.write_str("user name and password may hold no control character"),
        }
    }
}

impl std::error::Error for CredentialsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let credentials = Credentials::new("eve", "hunter2").unwrap();
        for shown in [format!("{credentials:?}"), credentials.to_string(), credentials.password().to_string()]
        {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert_eq!(credentials.to_string(), "eve:***");
    }

    #[test]
    fn what_no_protocol_carries_is_refused() {
        let long = "a".repeat(256);
        assert_eq!(Credentials::new("", "x"), Err(CredentialsError::NoUser));
        assert_eq!(Credentials::new(&*long, "x"), Err(CredentialsError::TooLong));
        assert_eq!(Credentials::new("x", &*long), Err(CredentialsError::TooLong));
        assert_eq!(Credentials::new("a\0b", "x"), Err(CredentialsError::ControlCharacter));
        assert_eq!(Credentials::new("a", "x\r\nHost: y"), Err(CredentialsError::ControlCharacter));
        assert!(Credentials::new(&long[1..], "").is_ok());
    }
}
