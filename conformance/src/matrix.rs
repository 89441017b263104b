//! Which algorithm is to be proven by which peer.
//!
//! A peer that is not named for an algorithm does not have it, or has no room for it.

use underpass::{Named, Provider, Strength};

use crate::keys::KeyType;
use crate::peer::PeerKind::{self, Asyncssh, Sshd};

/// What an algorithm is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Key exchange method.
    Kex,
    /// Signature algorithm of the host key.
    HostKey,
    /// Signature algorithm of a user's key of this type.
    UserKey(KeyType),
    /// Cipher, in both directions.
    Cipher,
    /// MAC, in both directions, with a cipher that has none of its own.
    Mac,
    /// Compression, in both directions.
    Compression,
}

impl Role {
    /// Its name in the printed matrix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kex => "key exchange",
            Self::HostKey => "host key",
            Self::UserKey(_) => "user key",
            Self::Cipher => "cipher",
            Self::Mac => "MAC",
            Self::Compression => "compression",
        }
    }
}

/// One algorithm and the peers that prove it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is for.
    pub role: Role,
    /// Its name.
    pub name: &'static str,
    /// The peers with which a tunnel must carry data under it.
    pub peers: &'static [PeerKind],
}

impl Row {
    /// Whether it takes a Kerberos ticket.
    #[must_use]
    pub fn needs_kerberos(&self) -> bool {
        self.name.starts_with("gss-")
    }

    /// Whether it takes X.509 certificates.
    #[must_use]
    pub fn is_x509(&self) -> bool {
        self.name.starts_with("x509v3-")
    }

    /// Whether our client warns when it agrees on this. How a user signs is not told.
    #[must_use]
    pub fn is_warned_about(&self) -> bool {
        fn weak<T: Named>(all: &'static [&'static T], name: &str) -> bool {
            Provider::find(all, name).is_some_and(|found| found.strength() == Strength::Legacy)
        }
        let Provider { kex, signatures, ciphers, macs, compression } = Provider::ALL;
        match self.role {
            Role::Kex => weak(kex, self.name),
            Role::HostKey => weak(signatures, self.name),
            Role::UserKey(_) => false,
            Role::Cipher => weak(ciphers, self.name),
            Role::Mac => weak(macs, self.name),
            Role::Compression => weak(compression, self.name),
        }
    }
}

/// What a peer is to offer for this purpose, as a list.
#[must_use]
pub fn offered(peer: PeerKind, role: Role) -> Vec<&'static str> {
    let rows = MATRIX.iter().filter(|row| row.role == role && row.peers.contains(&peer));
    rows.map(|row| row.name).collect()
}

/// The matrix.
pub const MATRIX: &[Row] = &[
    row(Role::Kex, "mlkem768x25519-sha256", &[Asyncssh]),
    row(Role::Kex, "curve25519-sha256", ALL),
    row(Role::Kex, "curve25519-sha256@libssh.org", ALL),
    row(Role::Kex, "ecdh-sha2-nistp256", ALL),
    row(Role::Kex, "ecdh-sha2-nistp384", ALL),
    row(Role::Kex, "ecdh-sha2-nistp521", ALL),
    row(Role::Kex, "sntrup761x25519-sha512", &[Sshd]),
    row(Role::Kex, "sntrup761x25519-sha512@openssh.com", &[Sshd]),
    row(Role::Kex, "diffie-hellman-group-exchange-sha256", WITHOUT_DROPBEAR),
    row(Role::Kex, "diffie-hellman-group16-sha512", WITHOUT_DROPBEAR),
    row(Role::Kex, "diffie-hellman-group18-sha512", WITHOUT_DROPBEAR),
    row(Role::Kex, "diffie-hellman-group14-sha256", ALL),
    row(Role::Kex, "gss-curve25519-sha256-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "gss-nistp256-sha256-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "gss-group16-sha512-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "gss-group14-sha256-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "gss-group14-sha1-toWM5Slw5Ew8Mqkay+al2g==", &[Sshd]),
    row(Role::Kex, "diffie-hellman-group-exchange-sha1", WITHOUT_DROPBEAR),
    row(Role::Kex, "diffie-hellman-group14-sha1", ALL),
    row(Role::Kex, "diffie-hellman-group1-sha1", WITHOUT_DROPBEAR),
    row(Role::HostKey, "ssh-ed25519", ALL),
    row(Role::HostKey, "ecdsa-sha2-nistp256", ALL),
    row(Role::HostKey, "ecdsa-sha2-nistp384", WITHOUT_DROPBEAR),
    row(Role::HostKey, "ecdsa-sha2-nistp521", ALL),
    row(Role::HostKey, "rsa-sha2-256", ALL),
    row(Role::HostKey, "rsa-sha2-512", WITHOUT_DROPBEAR),
    row(Role::HostKey, "ssh-rsa", ALL),
    row(Role::HostKey, "ssh-dss", WITHOUT_DROPBEAR),
    row(Role::HostKey, "ssh-ed25519-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "ecdsa-sha2-nistp256-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "ecdsa-sha2-nistp384-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "ecdsa-sha2-nistp521-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "rsa-sha2-512-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "rsa-sha2-256-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "ssh-rsa-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "ssh-dss-cert-v01@openssh.com", &[Sshd]),
    row(Role::HostKey, "x509v3-ecdsa-sha2-nistp256", &[Asyncssh]),
    row(Role::HostKey, "x509v3-ecdsa-sha2-nistp384", &[Asyncssh]),
    row(Role::HostKey, "x509v3-ecdsa-sha2-nistp521", &[Asyncssh]),
    row(Role::HostKey, "x509v3-rsa2048-sha256", &[Asyncssh]),
    row(Role::HostKey, "x509v3-ssh-rsa", &[Asyncssh]),
    row(Role::HostKey, "x509v3-ssh-dss", &[Asyncssh]),
    // No server in a package has these two: asyncssh's certificates, and the formats of `peers/asyncssh_x509.py`.
    row(Role::HostKey, "x509v3-sign-rsa", &[Asyncssh]),
    row(Role::HostKey, "x509v3-sign-dss", &[Asyncssh]),
    row(Role::UserKey(KeyType::Ed25519), "ssh-ed25519", ALL),
    row(Role::UserKey(KeyType::EcdsaP256), "ecdsa-sha2-nistp256", ALL),
    row(Role::UserKey(KeyType::EcdsaP384), "ecdsa-sha2-nistp384", ALL),
    row(Role::UserKey(KeyType::EcdsaP521), "ecdsa-sha2-nistp521", ALL),
    row(Role::UserKey(KeyType::Rsa), "rsa-sha2-256", ALL),
    row(Role::UserKey(KeyType::Rsa), "rsa-sha2-512", WITHOUT_DROPBEAR),
    row(Role::UserKey(KeyType::Rsa), "ssh-rsa", WITHOUT_DROPBEAR),
    row(Role::UserKey(KeyType::Dsa), "ssh-dss", WITHOUT_DROPBEAR),
    row(Role::UserKey(KeyType::EcdsaP256), "x509v3-ecdsa-sha2-nistp256", &[Asyncssh]),
    row(Role::UserKey(KeyType::EcdsaP384), "x509v3-ecdsa-sha2-nistp384", &[Asyncssh]),
    row(Role::UserKey(KeyType::EcdsaP521), "x509v3-ecdsa-sha2-nistp521", &[Asyncssh]),
    row(Role::UserKey(KeyType::Rsa), "x509v3-rsa2048-sha256", &[Asyncssh]),
    row(Role::UserKey(KeyType::Rsa), "x509v3-ssh-rsa", &[Asyncssh]),
    row(Role::UserKey(KeyType::Dsa), "x509v3-ssh-dss", &[Asyncssh]),
    row(Role::UserKey(KeyType::Rsa), "x509v3-sign-rsa", &[Asyncssh]),
    row(Role::UserKey(KeyType::Dsa), "x509v3-sign-dss", &[Asyncssh]),
    row(Role::Cipher, "aes128-gcm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Cipher, "aes256-gcm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Cipher, "chacha20-poly1305@openssh.com", ALL),
    row(Role::Cipher, "aes128-ctr", ALL),
    row(Role::Cipher, "aes192-ctr", WITHOUT_DROPBEAR),
    row(Role::Cipher, "aes256-ctr", ALL),
    row(Role::Mac, "hmac-sha2-256", ALL),
    row(Role::Mac, "hmac-sha2-512", WITHOUT_DROPBEAR),
    row(Role::Mac, "hmac-sha2-256-etm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "hmac-sha2-512-etm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Cipher, "aes128-cbc", WITHOUT_DROPBEAR),
    row(Role::Cipher, "aes192-cbc", WITHOUT_DROPBEAR),
    row(Role::Cipher, "aes256-cbc", WITHOUT_DROPBEAR),
    // asyncssh's packets with OpenSSL's cipher, and the counting of `peers/asyncssh_algorithms.py`: the only server that
    // has it, PuTTY's `uppity`, is in no package.
    row(Role::Cipher, "3des-ctr", &[Asyncssh]),
    row(Role::Cipher, "3des-cbc", WITHOUT_DROPBEAR),
    row(Role::Cipher, "blowfish-cbc", &[Asyncssh]),
    row(Role::Cipher, "cast128-cbc", &[Asyncssh]),
    row(Role::Cipher, "arcfour256", &[Asyncssh]),
    row(Role::Cipher, "arcfour128", &[Asyncssh]),
    row(Role::Cipher, "arcfour", &[Asyncssh]),
    row(Role::Mac, "umac-128-etm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "umac-128@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "umac-64-etm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "umac-64@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "hmac-sha2-256-96", &[Asyncssh]),
    row(Role::Mac, "hmac-sha2-512-96", &[Asyncssh]),
    row(Role::Mac, "hmac-sha1-etm@openssh.com", WITHOUT_DROPBEAR),
    row(Role::Mac, "hmac-sha1", ALL),
    row(Role::Mac, "hmac-sha1-96", WITHOUT_DROPBEAR),
    // No server has the cut form: asyncssh's packets with OpenSSL's hash.
    row(Role::Mac, "hmac-ripemd160", &[Asyncssh]),
    row(Role::Mac, "hmac-ripemd160-96", &[Asyncssh]),
    row(Role::Mac, "hmac-md5", WITHOUT_DROPBEAR),
    row(Role::Mac, "hmac-md5-96", WITHOUT_DROPBEAR),
    row(Role::Compression, "zlib@openssh.com", ALL),
    row(Role::Compression, "zlib", &[Asyncssh]),
];

const ALL: &[PeerKind] = PeerKind::ALL;
const WITHOUT_DROPBEAR: &[PeerKind] = &[Sshd, Asyncssh];

const fn row(role: Role, name: &'static str, peers: &'static [PeerKind]) -> Row {
    Row { role, name, peers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_proven_by_a_peer() {
        for row in MATRIX {
            assert!(!row.peers.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn every_algorithm_that_there_is_has_a_row() {
        fn check<T: Named>(role: &str, all: &[&T]) {
            for name in all.iter().map(|algorithm| algorithm.name()) {
                let listed = MATRIX.iter().any(|row| (row.role.name(), row.name) == (role, name));
                assert!(listed, "{role} {name}");
            }
        }
        let Provider { kex, signatures, ciphers, macs, .. } = Provider::ALL;
        check(Role::Kex.name(), kex);
        check(Role::HostKey.name(), signatures);
        // OpenSSH's certificates have a test of their own.
        let others: Vec<_> = signatures.iter().copied().filter(|it| !it.name.contains("-cert-")).collect();
        check("user key", &others);
        check(Role::Cipher.name(), ciphers);
        check(Role::Mac.name(), macs);
    }

    #[test]
    fn no_algorithm_is_listed_twice() {
        for (at, row) in MATRIX.iter().enumerate() {
            let twice = MATRIX[..at]
                .iter()
                .any(|other| (other.role.name(), other.name) == (row.role.name(), row.name));
            assert!(!twice, "{}", row.name);
        }
    }
}
