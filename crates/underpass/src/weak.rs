//! Warnings about weak algorithms that were agreed on.

use underpass_crypto::{Named, Strength};
use underpass_proto::Negotiated;

/// What one connection has been warned about, so that new keys under the same algorithms are no news.
#[derive(Debug, Default)]
pub(crate) struct WeakAlgorithms(Vec<&'static str>);

impl WeakAlgorithms {
    /// A warning for each weak algorithm among these that there was none about.
    pub(crate) fn warnings(&mut self, negotiated: &Negotiated) -> Vec<String> {
        let in_use = in_use(negotiated);
        let weak = in_use.into_iter().filter(|(_, algorithm)| algorithm.strength() == Strength::Legacy);
        let mut warnings = Vec::new();
        for (kind, algorithm) in weak {
            let name = algorithm.name();
            if !self.0.contains(&name) {
                self.0.push(name);
                warnings.push(format!(
                    "the {kind} {name} is weak, and the server has nothing better among those chosen: choose more \
                     of them, or update the server; `underpass algorithms` tells which are weak"
                ));
            }
        }
        warnings
    }
}

/// What each algorithm is, in both directions.
fn in_use(negotiated: &Negotiated) -> Vec<(&'static str, &'static dyn Named)> {
    let Negotiated {
        kex,
        host_key,
        cipher_out,
        cipher_in,
        mac_out,
        mac_in,
        compression_out,
        compression_in,
        ..
    } = negotiated;
    let mut all: Vec<(_, &'static dyn Named)> = vec![
        ("key exchange method", kex.0),
        ("cipher", cipher_out.0),
        ("cipher", cipher_in.0),
        ("compression", compression_out.0),
        ("compression", compression_in.0),
    ];
    all.extend(host_key.iter().map(|host_key| ("host key algorithm", host_key.0 as &dyn Named)));
    all.extend([mac_out, mac_in].into_iter().flatten().map(|mac| ("MAC", mac.0 as &dyn Named)));
    all
}

#[cfg(test)]
mod tests {
    use underpass_crypto::{Provider, select};
    use underpass_proto::Config;
    use underpass_testkit::pair::{Pair, Setup};

    use super::*;

    fn negotiated(ciphers: &str, macs: &str) -> Negotiated {
        let mut config = Config::default();
        config.algorithms.ciphers_in = select(&[], Provider::ALL.ciphers, ciphers).unwrap();
        config.algorithms.macs_in = select(&[], Provider::ALL.macs, macs).unwrap();
        config.algorithms.ciphers_out = config.algorithms.ciphers_in.clone();
        config.algorithms.macs_out = config.algorithms.macs_in.clone();
        let pair = Pair::open(Setup { client: config.clone(), server: config, ..Setup::new(1) });
        pair.client.exchanges[0].clone()
    }

    #[test]
    fn each_weak_algorithm_is_warned_about_once_by_name() {
        let mut told = WeakAlgorithms::default();
        let warnings = told.warnings(&negotiated("3des-cbc", "hmac-md5"));
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("cipher 3des-cbc is weak"), "{warnings:?}");
        assert!(warnings[1].contains("MAC hmac-md5 is weak"), "{warnings:?}");
        let warnings = told.warnings(&negotiated("arcfour", "hmac-md5"));
        assert_eq!(warnings.len(), 1, "the MAC is no news: {warnings:?}");
        assert!(warnings[0].contains("arcfour"), "{warnings:?}");
    }

    #[test]
    fn there_is_nothing_to_say_about_modern_ones() {
        let modern = negotiated("aes128-ctr", "hmac-sha2-256");
        assert_eq!(WeakAlgorithms::default().warnings(&modern), Vec::<String>::new());
    }
}
