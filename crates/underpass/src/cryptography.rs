//! Whose implementation of the algorithms secures a connection.

use std::fmt;
use std::sync::{Arc, OnceLock};

use underpass_crypto::{Provider, Signature, Signer};

use crate::Error;

/// Whose cryptography secures a tunnel: the key exchange, the packets, the server's signature and, for keys in files, the
/// user's.
///
/// Reading encrypted key files, fingerprints, certificates and proxies with TLS are Underpass's own in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Cryptography {
    /// Underpass's own.
    #[default]
    BuiltIn,
    /// That of the system's OpenSSL 3, which is loaded at run time; what it does not have is Underpass's own.
    OpenSsl,
    /// That of OpenSSL's FIPS provider alone. What it does not approve of is not offered, certificates for keys included.
    Fips,
}

impl Cryptography {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BuiltIn, Self::OpenSsl, Self::Fips];

    /// A short name, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::OpenSsl => "openssl",
            Self::Fips => "fips",
        }
    }

    /// Loads the library, if it is not loaded yet, and gives its name and version for people.
    ///
    /// # Errors
    /// It is not on this machine, lacks its FIPS provider, or this build has no part for it.
    pub fn version(self) -> Result<String, Error> {
        match self {
            Self::BuiltIn => Ok(concat!("Underpass ", env!("CARGO_PKG_VERSION")).to_owned()),
            Self::OpenSsl | Self::Fips => outside::version(self),
        }
    }

    /// What is offered unless a configuration chooses, and all that it can choose from.
    ///
    /// # Errors
    /// Those of [`Cryptography::version`].
    pub fn providers(self) -> Result<(Provider, Provider), Error> {
        self.suite().map(|suite| (suite.default, suite.all))
    }

    /// What users may sign with unless a configuration chooses, and all that it can choose from.
    ///
    /// # Errors
    /// Those of [`Cryptography::version`].
    pub fn user_signatures(self) -> Result<(Vec<&'static Signature>, Vec<&'static Signature>), Error> {
        let suite = self.suite()?;
        Ok((suite.signatures(Provider::for_users()), suite.signatures(Provider::all_for_users())))
    }

    /// Its algorithms. After a failure, the library is looked for again.
    pub(crate) fn suite(self) -> Result<&'static Suite, Error> {
        static SUITES: [OnceLock<Suite>; 3] = [const { OnceLock::new() }; 3];
        let place = &SUITES[self as usize];
        match place.get() {
            Some(suite) => Ok(suite),
            None => Suite::new(self).map(|suite| place.get_or_init(|| suite)),
        }
    }

    /// The key, signing by this cryptography. Keys outside of this process sign as they do.
    ///
    /// # Errors
    /// It does not take the key.
    pub(crate) fn signer(self, key: Arc<dyn Signer>) -> Result<Arc<dyn Signer>, Error> {
        match self {
            Self::BuiltIn => Ok(key),
            Self::OpenSsl | Self::Fips => outside::signer(self, key),
        }
    }
}

impl fmt::Display for Cryptography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The algorithms of one cryptography.
pub(crate) struct Suite {
    /// What is offered unless a list says otherwise.
    pub(crate) default: Provider,
    /// What is fit for today.
    pub(crate) modern: Provider,
    /// All that a list can name.
    pub(crate) all: Provider,
    /// Whether nothing but this may be used.
    is_exclusive: bool,
}

impl Suite {
    fn new(cryptography: Cryptography) -> Result<Self, Error> {
        let (default, modern, all) = (Provider::DEFAULT, Provider::MODERN, Provider::ALL);
        Ok(match cryptography {
            Cryptography::BuiltIn => Self { default, modern, all, is_exclusive: false },
            Cryptography::OpenSsl => {
                let by = outside::provider(cryptography)?;
                let [default, modern, all] = [default, modern, all].map(|own| own.by(by));
                Self { default, modern, all, is_exclusive: false }
            }
            Cryptography::Fips => {
                let approved = outside::provider(cryptography)?;
                // Compressing is no cryptography.
                let [default, all] =
                    [default, all].map(|own| Provider { compression: own.compression, ..*approved });
                let modern = default;
                Self { default, modern, all, is_exclusive: true }
            }
        })
    }

    /// The same signature algorithms by this cryptography, without those that it forbids.
    pub(crate) fn signatures(&self, of: Vec<&'static Signature>) -> Vec<&'static Signature> {
        let by_this = |it: &'static Signature| {
            Provider::find(self.all.signatures, it.name).or((!self.is_exclusive).then_some(it))
        };
        of.into_iter().filter_map(by_this).collect()
    }
}

/// The part that loads OpenSSL.
#[cfg(feature = "openssl")]
mod outside {
    use super::*;
    use underpass_openssl::Mode;

    fn mode(cryptography: Cryptography) -> Mode {
        if cryptography == Cryptography::Fips { Mode::Fips } else { Mode::System }
    }

    pub(super) fn provider(cryptography: Cryptography) -> Result<&'static Provider, Error> {
        underpass_openssl::provider(mode(cryptography)).map_err(|error| missing(cryptography, &error))
    }

    pub(super) fn version(cryptography: Cryptography) -> Result<String, Error> {
        underpass_openssl::version(mode(cryptography)).map_err(|error| missing(cryptography, &error))
    }

    pub(super) fn signer(cryptography: Cryptography, key: Arc<dyn Signer>) -> Result<Arc<dyn Signer>, Error> {
        let made = underpass_openssl::signer(mode(cryptography), key.as_ref());
        made.map(|made| made.unwrap_or(key)).map_err(|error| missing(cryptography, &error))
    }

    fn missing(cryptography: Cryptography, error: &underpass_openssl::Error) -> Error {
        Error::configuration(format!("cryptography `{cryptography}`: {error}")).with_advice(error.advice())
    }
}

/// What a build says that has no part for it.
#[cfg(not(feature = "openssl"))]
mod outside {
    use super::*;

    pub(super) fn provider(cryptography: Cryptography) -> Result<&'static Provider, Error> {
        Err(missing(cryptography))
    }

    pub(super) fn version(cryptography: Cryptography) -> Result<String, Error> {
        Err(missing(cryptography))
    }

    pub(super) fn signer(cryptography: Cryptography, _: Arc<dyn Signer>) -> Result<Arc<dyn Signer>, Error> {
        Err(missing(cryptography))
    }

    fn missing(cryptography: Cryptography) -> Error {
        Error::configuration(format!("cryptography `{cryptography}` is not part of this build"))
            .with_advice("build it with the feature `openssl`, which is on unless default features are off")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "openssl")]
    fn names<T: underpass_crypto::Named>(list: &[&T]) -> Vec<&'static str> {
        list.iter().map(|it| it.name()).collect()
    }

    #[cfg(feature = "openssl")]
    #[test]
    fn the_system_s_has_the_same_algorithms_in_the_same_order() {
        let (default, all) = Cryptography::OpenSsl.providers().unwrap();
        assert_eq!(names(default.kex), names(Provider::DEFAULT.kex));
        assert_eq!(names(all.ciphers), names(Provider::ALL.ciphers));
        assert_eq!(names(all.macs), names(Provider::ALL.macs));
        let gcm = |provider: Provider| Provider::find(provider.ciphers, "aes128-gcm@openssh.com").unwrap();
        assert!(!std::ptr::eq(gcm(all), gcm(Provider::ALL)), "and they are not our own");
        assert!(Cryptography::OpenSsl.version().unwrap().contains("OpenSSL 3"));
    }

    #[test]
    fn what_there_is_not_says_how_to_get_it() {
        // Where the FIPS provider is installed, this machine has it.
        if let Err(error) = Cryptography::Fips.version() {
            let text = error.to_string();
            assert!(text.contains("`fips`") && error.advice().is_some(), "{text}");
        }
        assert!(Cryptography::BuiltIn.version().unwrap().starts_with("Underpass "));
    }

    #[cfg(not(feature = "openssl"))]
    #[test]
    fn a_build_without_it_says_which_feature_has_it() {
        for whose in [Cryptography::OpenSsl, Cryptography::Fips] {
            let error = whose.providers().unwrap_err();
            let text = format!("{error} {:?}", error.advice());
            assert!(text.contains(whose.name()) && text.contains("feature `openssl`"), "{text}");
        }
    }
}
