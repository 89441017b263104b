//! Names of algorithms and the lists of them. What a name stands for is the business of `underpass-crypto`.

use crate::model::{Initial, Words};

/// `ssh_compression_algorithms`.
pub const COMPRESSION: Words =
    Words { supported: &["zlib", "zlib@openssh.com", "none"], default: Initial::Is(&["none", "zlib"]) };

/// `ssh_encryption_algorithms`.
pub const ENCRYPTION: Words = Words {
    supported: &[
        "aes256-ctr",
        "aes256-cbc",
        "aes192-ctr",
        "aes192-cbc",
        "aes128-ctr",
        "aes128-cbc",
        "3des-ctr",
        "3des-cbc",
        "cast128-cbc",
        "blowfish-cbc",
        "arcfour",
        "arcfour128",
        "arcfour256",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ],
    default: Initial::Is(&[
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
        "aes256-cbc",
        "aes192-cbc",
        "aes128-cbc",
        "3des-ctr",
        "3des-cbc",
        "blowfish-cbc",
        "arcfour256",
        "arcfour128",
        "arcfour",
        "cast128-cbc",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ]),
};

/// `SSHKeyExchangeAlgorithms`.
pub const KEX: Words = Words {
    supported: &[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group-exchange-sha1",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "gss-group14-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-group16-sha512-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-nistp256-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-curve25519-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-group14-sha1-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==",
    ],
    default: Initial::Is(&[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
        "gss-group14-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-group16-sha512-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-nistp256-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-curve25519-sha256-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-group14-sha1-toWM5Slw5Ew8Mqkay+al2g==",
        "gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==",
    ]),
};

/// `SSHMacAlgorithms`.
pub const MAC: Words = Words {
    supported: &[
        "hmac-sha1",
        "hmac-md5",
        "hmac-sha1-96",
        "hmac-md5-96",
        "hmac-sha2-256",
        "hmac-sha2-256-96",
        "hmac-sha2-512",
        "hmac-sha2-512-96",
        "hmac-ripemd160",
        "hmac-ripemd160-96",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-64-etm@openssh.com",
        "umac-128@openssh.com",
        "umac-128-etm@openssh.com",
    ],
    default: Initial::Is(&[
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
        "hmac-md5",
        "hmac-ripemd160",
        "hmac-sha1-96",
        "hmac-md5-96",
        "hmac-sha2-256-96",
        "hmac-sha2-512-96",
        "hmac-ripemd160-96",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-64-etm@openssh.com",
        "umac-128@openssh.com",
        "umac-128-etm@openssh.com",
    ]),
};

/// `SSHPubKeyAuthSigAlgorithms`. The default is stated for Windows; it is the same everywhere.
pub const PUBLIC_KEY_SIGNATURE: Words = Words {
    supported: &[
        "ssh-rsa",
        "rsa-sha2-256",
        "rsa-sha2-512",
        "ssh-dss",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-ed25519",
        "x509v3-sign-rsa",
        "x509v3-sign-dss",
    ],
    default: Initial::Is(&[
        "ssh-rsa",
        "rsa-sha2-256",
        "rsa-sha2-512",
        "ssh-dss",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-ed25519",
    ]),
};

/// `SSHPublicKeyAlgorithms`. The interface names no others than those of the default.
pub const HOST_KEY: Words = Words { supported: HOST_KEYS, default: Initial::Is(HOST_KEYS) };

const HOST_KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "ssh-rsa",
    "ssh-dss",
    "x509v3-sign-rsa",
    "x509v3-sign-dss",
];

/// Algorithms that `SignedSSHCert` may begin with.
pub const SIGNED_KEY: &[&str] = &[
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
];

/// What client and server add to their key exchanges to offer the strict one.
pub const STRICT_KEX: &[&str] = &["kex-strict-c-v00@openssh.com", "kex-strict-s-v00@openssh.com"];
