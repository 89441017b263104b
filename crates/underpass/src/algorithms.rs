//! From the settings' lists of names to the engine's lists of algorithms.

use underpass_crypto::{Named, Provider, select};
use underpass_proto::Algorithms;

use crate::{Error, Settings};

/// What is offered. `known_types` are the types of the keys on record for the server.
pub(crate) fn algorithms(settings: &Settings, known_types: &[String]) -> Result<Algorithms, Error> {
    let (default, all) = (Provider::MODERN, Provider::ALL);
    let ciphers = choose("ciphers", default.ciphers, all.ciphers, &settings.ciphers)?;
    let macs = choose("MACs", default.macs, all.macs, &settings.macs)?;
    let mut host_keys =
        choose("host key algorithms", default.signatures, all.signatures, &settings.host_key_algorithms)?;
    let is_known = |format: &str| known_types.iter().any(|known| known == format);
    // As OpenSSH documents it: only a list nobody chose is reordered, and only if its first choice is not on record.
    if settings.host_key_algorithms.is_none()
        && !host_keys.first().is_some_and(|first| is_known(first.key_format))
    {
        host_keys.sort_by_key(|algorithm| !is_known(algorithm.key_format));
    }
    Ok(Algorithms {
        kex: choose("key exchange methods", default.kex, all.kex, &settings.kex_algorithms)?,
        host_keys,
        ciphers_out: ciphers.clone(),
        ciphers_in: ciphers,
        macs_out: macs.clone(),
        macs_in: macs,
        compression_out: default.compression.to_vec(),
        compression_in: default.compression.to_vec(),
        public_key: choose(
            "public key algorithms",
            default.signatures,
            all.signatures,
            &settings.pubkey_algorithms,
        )?,
    })
}

fn choose<T: Named>(
    what: &str,
    default: &[&'static T],
    all: &[&'static T],
    list: &Option<String>,
) -> Result<Vec<&'static T>, Error> {
    match list {
        None => Ok(default.to_vec()),
        Some(list) => select(default, all, list).map_err(|problem| {
            Error::configuration(format!("in the {what}, {problem}"))
                .with_advice("`underpass algorithms` lists what there is")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    fn first_host_key(known: &[&str], list: Option<&str>) -> &'static str {
        let mut settings = Builder::new("bastion").settings().unwrap();
        settings.host_key_algorithms = list.map(str::to_owned);
        let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
        algorithms(&settings, &known).unwrap().host_keys[0].name
    }

    #[test]
    fn the_types_on_record_come_first_unless_the_list_was_chosen() {
        assert_eq!(first_host_key(&[], None), "ssh-ed25519");
        assert_eq!(first_host_key(&["ssh-rsa"], None), "rsa-sha2-512");
        assert_eq!(first_host_key(&["ssh-rsa", "ssh-ed25519"], None), "ssh-ed25519");
        assert_eq!(
            first_host_key(&["ssh-rsa"], Some("ecdsa-sha2-nistp256,rsa-sha2-256")),
            "ecdsa-sha2-nistp256"
        );
    }

    #[test]
    fn weak_algorithms_are_offered_only_where_they_are_asked_for() {
        let offered = |list: Option<&str>| {
            let mut settings = Builder::new("bastion").settings().unwrap();
            settings.ciphers = list.map(str::to_owned);
            let ciphers = algorithms(&settings, &[]).unwrap().ciphers_out;
            ciphers.iter().map(|cipher| cipher.name).collect::<Vec<_>>()
        };
        for list in [None, Some("*"), Some("-aes128-ctr"), Some("^aes256-ctr")] {
            assert!(!offered(list).contains(&"3des-cbc"), "{list:?}");
        }
        assert_eq!(offered(Some("3des-cbc")), ["3des-cbc"]);
        let appended = offered(Some("+3des-cbc"));
        assert_eq!((appended[0], appended.last()), ("aes128-gcm@openssh.com", Some(&"3des-cbc")));
    }

    #[test]
    fn an_unknown_name_is_a_mistake_in_the_settings() {
        let settings = Builder::new("bastion").ciphers("rot13").settings().unwrap();
        let error = algorithms(&settings, &[]).unwrap_err().to_string();
        assert!(error.contains("rot13") && error.contains("aes128-ctr"), "{error}");
    }
}
