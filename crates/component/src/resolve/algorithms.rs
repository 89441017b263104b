//! What is offered to the server.

use underpass::{Builder, GroupSizes, Named};

use crate::model::Value;
use crate::store::{Member, Store};
use crate::{Error, cryptography};

/// Sets the lists. Names that we, or those whose cryptography it is, do not know are left out, as the interface has it; a
/// list without others is refused.
///
/// # Errors
/// 1005: nothing of a list is left. 211: there is no such cryptography.
pub(super) fn choose(builder: Builder, store: &Store) -> Result<Builder, Error> {
    let whose = cryptography::of(store);
    let unavailable = |error: underpass::Error| Error::new(211).because(error.to_string());
    let (_, all) = whose.providers().map_err(unavailable)?;
    let (_, of_users) = whose.user_signatures().map_err(unavailable)?;
    let list = |name: &str, known: Vec<&str>| names(store, name, &known);
    let mut host_keys = list("SSHPublicKeyAlgorithms", of(all.signatures))?;
    if !store.text("SSHAcceptServerCAKey").is_empty() {
        // A certificate is only shown to those who ask for it.
        let certified: Vec<_> =
            host_keys.iter().filter_map(|name| certified(name)).map(str::to_owned).collect();
        host_keys = certified.into_iter().chain(host_keys).collect();
    }
    let mut public_keys = list("SSHPubKeyAuthSigAlgorithms", of(&of_users))?;
    if let Some(algorithm) = store.text("SignedSSHCert").split_whitespace().next() {
        public_keys.insert(0, algorithm.to_owned());
    }
    let builder = builder
        .cryptography(whose)
        .kex_algorithms(list("SSHKeyExchangeAlgorithms", of(all.kex))?.join(","))
        .host_key_algorithms(host_keys.join(","))
        .ciphers(list("ssh_encryption_algorithms", of(all.ciphers))?.join(","))
        .macs(list("SSHMacAlgorithms", of(all.macs))?.join(","))
        .compression(list("ssh_compression_algorithms", of(all.compression))?.join(","))
        .pubkey_algorithms(public_keys.join(","))
        .unlisted_signatures(true);
    let preferred = store.number_if_set("PreferredDHGroupBits").and_then(|bits| u32::try_from(bits).ok());
    Ok(match preferred.and_then(GroupSizes::preferring) {
        Some(sizes) => builder.group_sizes(sizes),
        None => builder,
    })
}

fn of<'a, T: Named>(algorithms: &[&'a T]) -> Vec<&'a str> {
    algorithms.iter().map(|algorithm| algorithm.name()).collect()
}

fn names(store: &Store, name: &str, available: &[&str]) -> Result<Vec<String>, Error> {
    let member = Member::property(name).map_or_else(|| Member::setting(name), Ok)?;
    let Value::List(words) = member.value else { return Ok(Vec::new()) };
    let text = store.text(name);
    let known: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|word| words.supported.contains(word) && available.contains(word))
        .map(str::to_owned)
        .collect();
    if known.is_empty() {
        return Err(Error::new(1005).because(format!("{name} is `{text}`.")));
    }
    Ok(known)
}

/// What OpenSSH calls the algorithm of a key with a certificate.
fn certified(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "ssh-ed25519" => "ssh-ed25519-cert-v01@openssh.com",
        "ecdsa-sha2-nistp256" => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384" => "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        "ecdsa-sha2-nistp521" => "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "rsa-sha2-512" => "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256" => "rsa-sha2-256-cert-v01@openssh.com",
        "ssh-rsa" => "ssh-rsa-cert-v01@openssh.com",
        "ssh-dss" => "ssh-dss-cert-v01@openssh.com",
        _ => return None,
    })
}
