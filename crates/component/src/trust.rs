//! Whether a server's key is one that the settings accept.

use underpass::keys::public_of;
use underpass::{FingerprintHash, HostCertificate, ShownHostKey, hex_fingerprint};

use crate::Error;
use crate::store::Store;

/// Whether any of the settings accepts the key.
pub(crate) fn accepts(store: &Store, shown: &ShownHostKey) -> bool {
    store.flag("SSHAcceptAnyServerHostKey")
        || is_the_key(&store.bytes("ssh_accept_server_host_key_encoded"), shown)
        || is_certified(&store.text("SSHAcceptServerCAKey"), shown)
        || has_fingerprint(&store.text("SSHAcceptServerHostKeyFingerPrint"), &shown.key)
}

fn is_the_key(encoded: &[u8], shown: &ShownHostKey) -> bool {
    let is_it = |key: &[u8]| public_of(key).is_ok_and(|key| key.blob() == shown.key);
    !encoded.is_empty() && is_it(encoded)
}

/// A certificate of that authority, good for this server now.
fn is_certified(authority: &str, shown: &ShownHostKey) -> bool {
    match &shown.certificate {
        Some(HostCertificate::OpenSsh { authority: by, validity: Ok(()), .. }) if !authority.is_empty() => {
            public_of(authority.as_bytes()).is_ok_and(|authority| authority.blob() == by)
        }
        _ => false,
    }
}

/// MD5 by the interface; those of other hashes have another length.
fn has_fingerprint(list: &str, key: &[u8]) -> bool {
    let plain = |text: &str| text.trim().replace(':', "").to_ascii_lowercase();
    let hashes = [FingerprintHash::Md5, FingerprintHash::Sha1, FingerprintHash::Sha256];
    let of_key = hashes.map(|hash| plain(&hex_fingerprint(key, hash)));
    list.split(',').map(plain).any(|wanted| of_key.contains(&wanted))
}

/// # Errors
/// It is no key in any form.
pub(crate) fn check_key(member: &str, encoded: &[u8]) -> Result<(), Error> {
    if encoded.is_empty() {
        return Ok(());
    }
    let advice = |error| {
        Error::invalid(format!("{member}: {error}; give a public key or certificate, in PEM or as a line."))
    };
    public_of(encoded).map(drop).map_err(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_of_any_hash_are_compared_without_regard_to_case_and_colons() {
        let key = b"key";
        let md5 = hex_fingerprint(key, FingerprintHash::Md5);
        let sha256 = hex_fingerprint(key, FingerprintHash::Sha256).to_uppercase();
        for (list, accepted) in [
            (md5.clone(), true),
            (format!("00:11, {sha256}"), true),
            (md5.replace(':', ""), true),
            (md5[3..].to_owned(), false),
            (String::new(), false),
            (",".to_owned(), false),
        ] {
            assert_eq!(has_fingerprint(&list, key), accepted, "{list}");
        }
    }
}
