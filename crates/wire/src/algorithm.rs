use std::borrow::Cow;

/// The name of the signature under the name of an algorithm: that of the plain key where it stands for a certificate
/// (OpenSSH's PROTOCOL.certkeys), as it is in the signature and in what servers list (RFC 8308 section 3.1).
pub fn plain_algorithm(name: &str) -> Cow<'_, str> {
    match name.strip_suffix("-cert-v01@openssh.com") {
        Some(key) if key.starts_with("sk-") => format!("{key}@openssh.com").into(),
        Some(key) => key.into(),
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_signs_as_its_key_does() {
        for (name, plain) in [
            ("ssh-ed25519", "ssh-ed25519"),
            ("ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519"),
            ("rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512"),
            ("sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com"),
            ("sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com"),
        ] {
            assert_eq!(plain_algorithm(name), plain);
        }
    }
}
