//! From the settings' lists of names to the engine's lists of algorithms.

use underpass_crypto::certificate::is_certificate;
use underpass_crypto::x509;
use underpass_crypto::{Kex, Named, Proof, Provider, Signature, Strength, select};
use underpass_proto::Algorithms;

use crate::cryptography::Suite;
use crate::{Error, Kerberos, Settings};

/// What is on record for the server.
#[derive(Debug, Default)]
pub(crate) struct OnRecord {
    /// The types of its keys.
    pub(crate) key_types: Vec<String>,
    /// Whether there is an authority that may certify them.
    pub(crate) authority: bool,
    /// Whether there are roots of X.509 certificates.
    pub(crate) roots: bool,
}

/// What is offered.
pub(crate) fn algorithms(settings: &Settings, on_record: &OnRecord) -> Result<Algorithms, Error> {
    let suite = settings.cryptography.suite()?;
    let (default, all) = (suite.default, suite.all);
    let ciphers = |list| choose("ciphers", default.ciphers, all.ciphers, list);
    let macs = |list| choose("MACs", default.macs, all.macs, list);
    let compression = |list| choose("compression methods", default.compression, all.compression, list);
    let host_keys = match &settings.host_key_algorithms {
        None => host_keys(suite, on_record),
        list => choose("host key algorithms", default.signatures, all.signatures, list)?,
    };
    let (public_key, public_key_if_listed) = of_users(settings)?;
    Ok(Algorithms {
        kex: key_exchanges(settings)?,
        host_keys,
        ciphers_out: ciphers(own(&settings.ciphers_out, &settings.ciphers))?,
        ciphers_in: ciphers(own(&settings.ciphers_in, &settings.ciphers))?,
        macs_out: macs(own(&settings.macs_out, &settings.macs))?,
        macs_in: macs(own(&settings.macs_in, &settings.macs))?,
        compression_out: compression(own(&settings.compression_out, &settings.compression))?,
        compression_in: compression(own(&settings.compression_in, &settings.compression))?,
        public_key,
        public_key_if_listed,
    })
}

/// What users sign with, and what they do besides where the server lists it: what the settings name, they name for every
/// server.
pub(crate) fn of_users(
    settings: &Settings,
) -> Result<(Vec<&'static Signature>, Vec<&'static Signature>), Error> {
    let suite = settings.cryptography.suite()?;
    let (_, all) = settings.cryptography.user_signatures()?;
    let chosen_from = |default: Vec<&'static Signature>| {
        choose("public key algorithms", &suite.signatures(default), &all, &settings.pubkey_algorithms)
    };
    let everywhere = chosen_from(Provider::for_users())?;
    let mut if_listed = chosen_from([Provider::for_users(), Provider::for_users_if_listed()].concat())?;
    if_listed.retain(|algorithm| !everywhere.iter().any(|it| it.name == algorithm.name));
    Ok((everywhere, if_listed))
}

/// Those with Kerberos come first where they are wanted, as Debian's ssh has it.
fn key_exchanges(settings: &Settings) -> Result<Vec<&'static Kex>, Error> {
    let suite = settings.cryptography.suite()?;
    let others = choose("key exchange methods", suite.default.kex, suite.all.kex, &settings.kex_algorithms)?;
    if !settings.kerberos.key_exchange {
        return Ok(others);
    }
    let mut first = with_kerberos(suite, &settings.kerberos)?;
    let is_new = |kex: &&Kex| !first.iter().any(|first| first.name == kex.name);
    let others: Vec<_> = others.into_iter().filter(is_new).collect();
    first.extend(others);
    Ok(first)
}

fn with_kerberos(suite: &Suite, kerberos: &Kerberos) -> Result<Vec<&'static Kex>, Error> {
    let all: Vec<_> = suite.all.kex.iter().copied().filter(|kex| kex.proof == Proof::Gss).collect();
    let fit: Vec<_> = all.iter().copied().filter(|kex| kex.strength == Strength::Modern).collect();
    // OpenSSH's names end where the mechanism begins.
    let in_full = |name: &str| {
        let prefix = name.trim_start_matches(['+', '-', '^']);
        let found = all.iter().find(|kex| prefix.ends_with('-') && kex.name.starts_with(prefix));
        found.map_or_else(|| name.to_owned(), |kex| name.replace(prefix, kex.name))
    };
    let list = kerberos.key_exchanges.as_ref();
    let list =
        list.map(|list| list.split(',').map(|name| in_full(name.trim())).collect::<Vec<_>>().join(","));
    choose("key exchange methods with Kerberos", &fit, &all, &list)
}

/// The list of one direction: its own, or that of both.
fn own<'a>(own: &'a Option<String>, both: &'a Option<String>) -> &'a Option<String> {
    if own.is_some() { own } else { both }
}

/// What is offered where nobody chose: certificates if somebody may certify, then the defaults, or, if the record says
/// which key is right, whatever is fit: a key of another type is to be told as a changed one. As with OpenSSH the types on
/// record come first, unless the first choice is one of them.
fn host_keys(suite: &Suite, on_record: &OnRecord) -> Vec<&'static Signature> {
    let is_known =
        |algorithm: &&Signature| on_record.key_types.iter().any(|known| known == algorithm.key_format);
    let provider = if on_record.key_types.is_empty() { suite.default } else { suite.modern };
    let mut plain = provider.signatures.to_vec();
    if !plain.first().is_some_and(is_known) {
        plain.sort_by_key(|algorithm| !is_known(algorithm));
    }
    let certified = suite.signatures(fit_signatures()).into_iter().filter(|it| {
        on_record.authority && is_certificate(it.key_format) || on_record.roots && x509::is_algorithm(it.name)
    });
    certified.chain(plain).collect()
}

/// With and without certificates.
pub(crate) fn fit_signatures() -> Vec<&'static Signature> {
    let all = Provider::ALL.signatures.iter().copied();
    all.filter(|algorithm| algorithm.strength == Strength::Modern).collect()
}

/// The algorithms that a list names, or the default where there is none.
pub(crate) fn choose<T: Named>(
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

    fn host_keys_with(settings: &Settings, known: &[&str], authority: bool) -> Vec<&'static str> {
        let key_types = known.iter().map(|name| (*name).to_owned()).collect();
        let algorithms = algorithms(settings, &OnRecord { key_types, authority, roots: false }).unwrap();
        algorithms.host_keys.iter().map(|algorithm| algorithm.name).collect()
    }

    #[test]
    fn curves_of_nist_and_certificates_are_offered_where_the_record_has_a_use_for_them() {
        let settings = Builder::new("bastion").settings().unwrap();
        let offered = |known: &[&str], authority| host_keys_with(&settings, known, authority);
        assert_eq!(offered(&[], false), ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]);
        assert_eq!(offered(&["ecdsa-sha2-nistp384"], false)[0], "ecdsa-sha2-nistp384");
        assert_eq!(offered(&["ssh-ed25519"], false).len(), Provider::MODERN.signatures.len());
        let certified = offered(&[], true);
        assert_eq!(certified[0], "ssh-ed25519-cert-v01@openssh.com");
        assert_eq!(certified[6..], ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]);
    }

    fn first_host_key(known: &[&str], list: Option<&str>) -> &'static str {
        let mut settings = Builder::new("bastion").settings().unwrap();
        settings.host_key_algorithms = list.map(str::to_owned);
        host_keys_with(&settings, known, false)[0]
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
            let ciphers = algorithms(&settings, &OnRecord::default()).unwrap().ciphers_out;
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
    fn a_direction_s_own_list_counts_before_that_of_both() {
        let builder =
            Builder::new("bastion").ciphers("aes256-ctr").ciphers_in("aes128-ctr").macs_out("hmac-sha2-512");
        let offered =
            algorithms(&builder.compression("zlib,none").settings().unwrap(), &OnRecord::default()).unwrap();
        assert_eq!((offered.ciphers_out[0].name, offered.ciphers_in[0].name), ("aes256-ctr", "aes128-ctr"));
        assert_eq!((offered.macs_out.len(), offered.macs_in.len()), (1, Provider::DEFAULT.macs.len()));
        assert_eq!((offered.compression_out[0].name, offered.compression_in.len()), ("zlib", 2));
        let plain = algorithms(&Builder::new("bastion").settings().unwrap(), &OnRecord::default()).unwrap();
        assert_eq!((plain.compression_out[0].name, plain.compression_in.len()), ("none", 1));
    }

    #[test]
    fn x509_certificates_are_for_servers_that_list_them_and_if_named_for_all() {
        let offered = |list: Option<&str>| {
            let mut settings = Builder::new("bastion").settings().unwrap();
            settings.pubkey_algorithms = list.map(str::to_owned);
            let algorithms = algorithms(&settings, &OnRecord::default()).unwrap();
            [algorithms.public_key, algorithms.public_key_if_listed].map(|list| {
                list.iter().map(|it| it.name).filter(|name| x509::is_algorithm(name)).collect::<Vec<_>>()
            })
        };
        let fit: Vec<_> = Provider::for_users_if_listed().iter().map(|it| it.name).collect();
        assert_eq!(fit.len(), 4);
        let none = Vec::new();
        assert_eq!(offered(None), [none.clone(), fit.clone()]);
        assert_eq!(offered(Some("+ssh-rsa")), [none.clone(), fit.clone()]);
        assert_eq!(offered(Some("ssh-ed25519")), [none.clone(), none.clone()]);
        assert_eq!(offered(Some("-x509v3-*")), [none.clone(), none.clone()]);
        assert_eq!(offered(Some("*")), [fit.clone(), none]);
        assert_eq!(offered(Some("+x509v3-sign-rsa")), [vec!["x509v3-sign-rsa"], fit]);
    }

    #[test]
    fn an_unknown_name_is_a_mistake_in_the_settings() {
        let settings = Builder::new("bastion").ciphers("rot13").settings().unwrap();
        let error = algorithms(&settings, &OnRecord::default()).unwrap_err().to_string();
        assert!(error.contains("rot13") && error.contains("aes128-ctr"), "{error}");
    }

    #[test]
    fn key_exchanges_with_kerberos_come_first_where_they_are_wanted_and_else_by_name_only() {
        let offered = |list: Option<&str>, kerberos: Kerberos| {
            let mut settings = Builder::new("bastion").kerberos(kerberos).settings().unwrap();
            settings.kex_algorithms = list.map(str::to_owned);
            let offered = algorithms(&settings, &OnRecord::default()).map(|algorithms| algorithms.kex);
            offered.map(|kex| kex.iter().map(|kex| kex.name).collect::<Vec<_>>())
        };
        let wanted = |list: Option<&str>| Kerberos {
            key_exchange: true,
            key_exchanges: list.map(str::to_owned),
            ..Kerberos::default()
        };
        let plain = offered(None, Kerberos::default()).unwrap();
        assert!(!plain.iter().any(|name| name.starts_with("gss-")));
        let first = offered(None, wanted(None)).unwrap();
        assert_eq!(first[4..], plain);
        assert!(first[..4].iter().all(|name| name.starts_with("gss-") && !name.contains("sha1")));
        let chosen = offered(None, wanted(Some("gss-group14-sha1-,gss-nistp256-sha256-"))).unwrap();
        assert!(
            chosen[0].starts_with("gss-group14-sha1-to") && chosen[1].starts_with("gss-nistp256-sha256-to")
        );
        assert_eq!(chosen[2..], plain);
        let appended = offered(None, wanted(Some("+gss-gex-sha1-"))).unwrap();
        assert!(appended[4].starts_with("gss-gex-sha1-to"));
        let named = first[0];
        assert_eq!(offered(Some(named), Kerberos::default()).unwrap(), [named]);
        assert_eq!(offered(Some(named), wanted(Some(named))).unwrap(), [named]);
        assert!(offered(None, wanted(Some("curve25519-sha256"))).is_err());
    }
}
