//! The keys that are put into every format, made by OpenSSL.

use std::{path::PathBuf, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_wire::Put as _;

use crate::tool::{Scratch, openssl, run};

/// A key pair.
pub(crate) struct Base {
    pub(crate) name: &'static str,
    /// PKCS#8, not encrypted, as PEM.
    pub(crate) pem: Vec<u8>,
    /// The public half as SSH has it, by ssh-keygen.
    pub(crate) blob: Vec<u8>,
    /// A certificate of it, signed by itself, as PEM.
    pub(crate) certificate: Vec<u8>,
    dir: Scratch,
}

impl Base {
    fn new(name: &'static str, make: &str) -> Self {
        let dir = Scratch::new();
        let mut made = openssl(make, &[], b"");
        if made.starts_with(b"-----BEGIN DSA PARAMETERS") {
            let parameters = dir.file("parameters", &made);
            made = openssl("genpkey -paramfile @", &[&parameters], b"");
        }
        let pem = openssl("pkcs8 -topk8 -nocrypt", &[], &made);
        let path = dir.file("key.pem", &pem);
        let request = format!("req -x509 -new -key @ -subj /CN={name}/O=Example,Ltd/C=US -days 30");
        let certificate = openssl(&request, &[&path], b"");
        dir.file("certificate.pem", &certificate);
        let blob = blob(name, &pem, &dir);
        Self { name, pem, blob, certificate, dir }
    }

    /// A key that is known by its public half alone.
    pub(crate) fn of_ssh(name: &'static str, blob: Vec<u8>) -> Self {
        Self { name, pem: Vec::new(), blob, certificate: Vec::new(), dir: Scratch::new() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path("key.pem")
    }

    pub(crate) fn certificate_path(&self) -> PathBuf {
        self.dir.path("certificate.pem")
    }

    /// The subject of the certificate, as RFC 4514 writes it.
    pub(crate) fn subject(&self) -> String {
        format!("C=US,O=Example\\,Ltd,CN={}", self.name)
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.name.starts_with("rsa")
    }
}

fn blob(name: &str, pem: &[u8], dir: &Scratch) -> Vec<u8> {
    if name == "ed25519" {
        // ssh-keygen does not convert these. The key is what DER ends with.
        let der = openssl("pkey -pubout -outform DER", &[], pem);
        let mut blob = Vec::new();
        blob.put_text("ssh-ed25519");
        blob.put_string(&der[der.len() - 32..]);
        return blob;
    }
    let public = dir.file("public.pem", openssl("pkey -pubout", &[], pem));
    let line = run("ssh-keygen", "-i -m PKCS8 -f @", &[&public], b"");
    let line = String::from_utf8(line).unwrap();
    STANDARD.decode(line.split_whitespace().nth(1).unwrap()).unwrap()
}

/// Each type of key that SSH has.
pub(crate) static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
    vec![
        Base::new("rsa2048", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        Base::new("rsa1024", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
        Base::new("nistp256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        Base::new("nistp384", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
        Base::new("nistp521", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
        Base::new("ed25519", "genpkey -algorithm ED25519"),
        Base::new(
            "dsa1024",
            "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160",
        ),
    ]
});

/// The one with that name.
pub(crate) fn base(name: &str) -> &'static Base {
    BASES.iter().find(|base| base.name == name).unwrap()
}
