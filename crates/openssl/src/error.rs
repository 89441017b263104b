use std::fmt;

use crate::Mode;

/// Why OpenSSL cannot be used. Shown, it is one sentence with the library's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    cause: Cause,
    /// What the system and the library say.
    words: String,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There is no OpenSSL 3.
    LibraryMissing,
    /// The library's configuration file is not valid.
    Configuration,
    /// The library does not work, not even by itself.
    Broken,
    /// There is no FIPS provider that works.
    FipsMissing,
    /// The library does not sign with the key.
    Key(Mode),
}

impl Error {
    pub(crate) fn new(cause: Cause, words: impl Into<String>) -> Self {
        Self { cause, words: words.into() }
    }

    /// What is wrong.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What to do about it, without a full stop.
    pub fn advice(&self) -> &'static str {
        match self.cause {
            Cause::LibraryMissing if cfg!(windows) => {
                "install OpenSSL 3 and have the directory of its libcrypto-3-x64.dll in PATH, or do without OpenSSL"
            }
            Cause::LibraryMissing if cfg!(target_vendor = "apple") => {
                "install it (brew install openssl@3), or do without OpenSSL"
            }
            Cause::LibraryMissing => {
                "install it (libssl3 on Debian, openssl-libs on Fedora, libcrypto3 on Alpine, openssl on Arch), or do \
                 without OpenSSL"
            }
            Cause::Configuration => "mend the file, or name another one in OPENSSL_CONF",
            Cause::Broken => "see whether `openssl version -a` works, or do without OpenSSL",
            Cause::FipsMissing => {
                "use a distribution in FIPS mode; or install OpenSSL's FIPS provider, run `openssl fipsinstall`, and name \
                 in OPENSSL_CONF a configuration that includes what it has written, and in OPENSSL_MODULES the directory of \
                 the provider if it is not the library's own"
            }
            Cause::Key(Mode::Fips) => "use an ECDSA key, or an RSA key of 2048 bits or more",
            Cause::Key(Mode::System) => "use another key, or do without OpenSSL",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::LibraryMissing => "OpenSSL 3 is not there",
            Cause::Configuration => "OpenSSL's configuration is not valid",
            Cause::Broken => "OpenSSL does not work",
            Cause::FipsMissing => "OpenSSL has no FIPS provider that works",
            Cause::Key(Mode::System) => "OpenSSL does not sign with such a key",
            Cause::Key(Mode::Fips) => "OpenSSL's FIPS provider does not sign with such a key",
        })?;
        match self.words.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.words),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_words_are_told_as_far_as_there_are_any() {
        let error = Error::new(Cause::LibraryMissing, "libcrypto.so.3: no such file");
        assert_eq!(error.to_string(), "OpenSSL 3 is not there (libcrypto.so.3: no such file)");
        assert_eq!(Error::new(Cause::Broken, "").to_string(), "OpenSSL does not work");
        assert_eq!(error.cause(), Cause::LibraryMissing);
    }

    #[test]
    fn every_cause_has_advice() {
        let keys = [Mode::System, Mode::Fips].map(Cause::Key);
        let others = [Cause::LibraryMissing, Cause::Configuration, Cause::Broken, Cause::FipsMissing];
        for cause in keys.into_iter().chain(others) {
            let advice = Error::new(cause, "").advice();
            assert!(!advice.is_empty() && !advice.ends_with('.'), "{advice}");
        }
    }
}
