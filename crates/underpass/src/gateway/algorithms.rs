//! What a gateway negotiates.

use underpass_crypto::algorithms::zlib::ZLIB_OPENSSH;
use underpass_crypto::{Compression, GroupSizes, Kex, Proof, Provider};
use underpass_proto::{Algorithms, Config, StrictKex};

use super::GatewayBuilder;
use crate::Error;
use crate::algorithms::{choose, fit_signatures};

/// Lists of names, where somebody chose.
#[derive(Default)]
pub(super) struct Choices {
    kex: Option<String>,
    host_keys: Option<String>,
    ciphers: Option<String>,
    macs: Option<String>,
    compression: Option<String>,
    public_keys: Option<String>,
    strict_kex: StrictKex,
    group_sizes: GroupSizes,
}

/// Lists are in the syntax of [`Settings::kex_algorithms`](crate::Settings::kex_algorithms). What is weak must be named.
impl GatewayBuilder {
    /// The key exchange methods. Default: all modern ones.
    pub fn kex_algorithms(mut self, list: impl Into<String>) -> Self {
        self.choices.kex = Some(list.into());
        self
    }

    /// The signature algorithms of its host keys; what no host key can sign with is left out. Default: all modern
    /// ones.
    pub fn host_key_algorithms(mut self, list: impl Into<String>) -> Self {
        self.choices.host_keys = Some(list.into());
        self
    }

    /// The ciphers, both ways. Default: all modern ones.
    pub fn ciphers(mut self, list: impl Into<String>) -> Self {
        self.choices.ciphers = Some(list.into());
        self
    }

    /// The MACs, both ways. Default: all modern ones.
    pub fn macs(mut self, list: impl Into<String>) -> Self {
        self.choices.macs = Some(list.into());
        self
    }

    /// The compression methods, both ways. Default: `none,zlib@openssh.com`, which clients that prefer it get once
    /// they are logged in, as from common servers.
    pub fn compression(mut self, list: impl Into<String>) -> Self {
        self.choices.compression = Some(list.into());
        self
    }

    /// The signature algorithms with which users may log in. Default: all modern ones.
    pub fn pubkey_algorithms(mut self, list: impl Into<String>) -> Self {
        self.choices.public_keys = Some(list.into());
        self
    }

    /// What is done against prefix truncation. Default: [`StrictKex::Enabled`].
    pub fn strict_kex(mut self, level: StrictKex) -> Self {
        self.choices.strict_kex = level;
        self
    }

    /// The sizes of the groups that a group exchange may lead to. Default: 2,048 to 8,192 bits.
    pub fn group_sizes(mut self, sizes: GroupSizes) -> Self {
        self.choices.group_sizes = sizes;
        self
    }
}

/// A gateway proves itself with its host key: it has no part in Kerberos.
fn with_host_key(all: &[&'static Kex]) -> Vec<&'static Kex> {
    all.iter().copied().filter(|kex| kex.proof == Proof::HostKey).collect()
}

impl Choices {
    /// # Errors
    /// A list names what does not exist, or nothing.
    pub(super) fn config(&self) -> Result<Config, Error> {
        let (default, all) = (Provider::MODERN, Provider::ALL);
        let ciphers = choose("ciphers", default.ciphers, all.ciphers, &self.ciphers)?;
        let macs = choose("MACs", default.macs, all.macs, &self.macs)?;
        let compression =
            choose("compression methods", &default_compression(), all.compression, &self.compression)?;
        // Certificates as well: who gave the gateway one wants it shown.
        let host_keys = choose("host key algorithms", &fit_signatures(), all.signatures, &self.host_keys)?;
        let algorithms = Algorithms {
            kex: choose("key exchange methods", default.kex, &with_host_key(all.kex), &self.kex)?,
            host_keys,
            ciphers_out: ciphers.clone(),
            ciphers_in: ciphers,
            macs_out: macs.clone(),
            macs_in: macs,
            compression_out: compression.clone(),
            compression_in: compression,
            public_key: choose(
                "public key algorithms",
                default.signatures,
                all.signatures,
                &self.public_keys,
            )?,
            public_key_if_listed: Vec::new(),
        };
        Ok(Config {
            algorithms,
            strict_kex: self.strict_kex,
            group_sizes: self.group_sizes,
            ..Config::default()
        })
    }
}

fn default_compression() -> Vec<&'static Compression> {
    let mut list = Provider::MODERN.compression.to_vec();
    list.push(&ZLIB_OPENSSH);
    list
}

#[cfg(test)]
mod tests {
    use underpass_crypto::{Named, Strength};

    use super::*;
    use crate::gateway::Gateway;

    fn config(builder: &GatewayBuilder) -> Config {
        builder.choices.config().unwrap()
    }

    #[test]
    fn nothing_weak_is_offered_unless_it_is_named() {
        fn weak<T: Named>(list: &[&T]) -> usize {
            list.iter().filter(|algorithm| algorithm.strength() == Strength::Legacy).count()
        }
        let Algorithms { kex, host_keys, ciphers_out, macs_in, .. } =
            config(&Gateway::builder().ciphers("+3des-cbc")).algorithms;
        assert_eq!((weak(&kex), weak(&host_keys), weak(&ciphers_out), weak(&macs_in)), (0, 0, 1, 0));
        assert_eq!(ciphers_out.last().map(|cipher| cipher.name), Some("3des-cbc"));
    }

    #[test]
    fn a_list_that_makes_no_sense_is_an_error_at_the_start() {
        let error = Gateway::builder().macs("hmac-rot13").choices.config().unwrap_err().to_string();
        assert!(error.contains("MACs") && error.contains("hmac-rot13"), "{error}");
        assert!(Gateway::builder().kex_algorithms("gss-curve25519-sha256-*").choices.config().is_err());
    }
}
