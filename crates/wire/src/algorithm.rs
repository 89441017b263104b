use std::borrow::Cow;

/// The name of the signature under the name of an algorithm. With OpenSSH's certificates it is that of the plain key
/// (PROTOCOL.certkeys); with those of X.509 it lacks what they begin with (RFC 6187 section 3), but for the older ones.
pub fn plain_algorithm(name: &str) -> Cow<'_, str> {
    if let Some(plain) = name.strip_prefix("x509v3-").filter(|plain| !plain.starts_with("sign-")) {
        return plain.into();
    }
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
            ("x509v3-rsa2048-sha256", "rsa2048-sha256"),
            ("x509v3-ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
            ("x509v3-sign-rsa", "x509v3-sign-rsa"),
        ] {
            assert_eq!(plain_algorithm(name), plain);
        }
    }
}
