//! PKCS#1, PKCS#8, SEC 1, traditional keys and certificates, by OpenSSL.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use underpass_keys::{Format, Passwords, Private, Store, StoreType};

use crate::{
    PASSWORD, Sample,
    base::{BASES, Base, base},
    listed,
    tool::{LEGACY, Scratch, openssl},
};

fn sample<'a>(
    what: &str,
    key: &'a Base,
    format: Format,
    bytes: Vec<u8>,
    password: Option<&'a str>,
) -> Sample<'a> {
    let shows_public = password.is_none();
    Sample { what: what.to_owned(), bytes, format, key, password, shows_public }
}

#[test]
fn plain_keys_open_as_pem_der_and_base64() {
    for key in BASES.iter() {
        sample("PKCS#8 PEM", key, Format::Pkcs8, key.pem.clone(), None).check();
        let der = openssl("pkey -outform DER", &[], &key.pem);
        let der = openssl("pkcs8 -topk8 -nocrypt -inform DER -outform DER", &[], &der);
        sample("PKCS#8 base64", key, Format::Pkcs8, STANDARD.encode(&der).into_bytes(), None).check();
        sample("PKCS#8 DER", key, Format::Pkcs8, der, None).check();
        if let Some(format) = traditional_format(key) {
            let pem = openssl("pkey -traditional", &[], &key.pem);
            sample("traditional PEM", key, format, pem, None).check();
            let der = openssl("pkey -traditional -outform DER", &[], &key.pem);
            sample("traditional DER", key, format, der, None).check();
        }
    }
}

#[test]
fn elliptic_curve_keys_open_with_the_public_half_compressed_or_left_out() {
    for key in BASES.iter().filter(|key| key.name.starts_with("nist")) {
        for options in ["-conv_form compressed", "-no_public"] {
            let pem = openssl(&format!("ec {options}"), &[], &key.pem);
            sample(options, key, Format::Sec1, pem, None).check();
        }
        let error = Store::open(&openssl("ec -param_enc explicit", &[], &key.pem), Passwords::default());
        assert!(matches!(error.unwrap().entries()[0].private, Private::Unusable(_)));
    }
}

#[test]
fn every_traditional_cipher_opens() {
    for key in BASES.iter() {
        let Some(format) = traditional_format(key) else { continue };
        for cipher in ["des", "des3", "aes128", "aes192", "aes256"] {
            let words = format!("pkey -traditional -{cipher} -passout stdin -in @ {LEGACY}");
            let pem = openssl(&words, &[&key.path()], PASSWORD.as_bytes());
            assert!(String::from_utf8_lossy(&pem).contains("Proc-Type"), "{cipher}");
            sample(cipher, key, format, pem, Some(PASSWORD)).check();
        }
    }
}

/// What OpenSSL's `pkcs8` is told.
const PKCS8: [&str; 27] = [
    "-v2 aes-128-cbc",
    "-v2 aes-192-cbc",
    "-v2 aes-256-cbc",
    "-v2 des3",
    "-v2 des",
    "-v2 rc2-cbc",
    "-v2 rc2-64-cbc",
    "-v2 rc2-40-cbc",
    "-v2 aes-256-cbc -v2prf hmacWithMD5",
    "-v2 aes-256-cbc -v2prf hmacWithSHA1",
    "-v2 aes-256-cbc -v2prf hmacWithSHA224",
    "-v2 aes-256-cbc -v2prf hmacWithSHA384",
    "-v2 aes-256-cbc -v2prf hmacWithSHA512",
    "-v2 aes-256-cbc -v2prf hmacWithSHA512-224",
    "-v2 aes-256-cbc -v2prf hmacWithSHA512-256",
    "-scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 2",
    "-v2 aes-256-cbc -iter 1",
    "-v1 PBE-MD5-DES",
    "-v1 PBE-SHA1-DES",
    "-v1 PBE-MD5-RC2-64",
    "-v1 PBE-SHA1-RC2-64",
    "-v1 PBE-SHA1-RC4-128",
    "-v1 PBE-SHA1-RC4-40",
    "-v1 PBE-SHA1-3DES",
    "-v1 PBE-SHA1-2DES",
    "-v1 PBE-SHA1-RC2-128",
    "-v1 PBE-SHA1-RC2-40",
];

#[test]
fn every_encryption_of_pkcs8_opens() {
    for options in PKCS8 {
        for key in [base("nistp256"), base("ed25519")] {
            let words = format!("pkcs8 -topk8 -in @ {options} -passout stdin {LEGACY}");
            let pem = openssl(&words, &[&key.path()], PASSWORD.as_bytes());
            sample(options, key, Format::Pkcs8Encrypted, pem, Some(PASSWORD)).check();
        }
    }
}

#[test]
fn every_type_of_key_opens_encrypted_as_pem_and_der() {
    for key in BASES.iter() {
        for (form, what) in [("PEM", "PBES2 PEM"), ("DER", "PBES2 DER")] {
            let words = format!("pkcs8 -topk8 -in @ -outform {form} -passout stdin");
            let bytes = openssl(&words, &[&key.path()], PASSWORD.as_bytes());
            sample(what, key, Format::Pkcs8Encrypted, bytes, Some(PASSWORD)).check();
        }
    }
}

#[test]
fn a_certificate_in_the_same_file_belongs_to_the_key() {
    for key in BASES.iter() {
        for parts in [[&key.pem, &key.certificate], [&key.certificate, &key.pem]] {
            let file = parts.map(Vec::as_slice).concat();
            let store = Store::open(&file, Passwords::default()).unwrap();
            assert_eq!(listed(&store), [(key.subject().as_str(), true)]);
            let found = store.select(&format!("cn={}", key.name)).unwrap();
            assert_eq!((found.certificates.len(), &found.subject), (1, &key.subject()));
        }
    }
    // The public half of a locked key is taken from the certificate beside it.
    let key = base("nistp384");
    let pem = openssl("pkcs8 -topk8 -in @ -passout stdin", &[&key.path()], PASSWORD.as_bytes());
    let file = [pem, key.certificate.clone()].concat();
    assert_eq!(underpass_keys::public_of(&file).unwrap().blob(), key.blob);
}

#[test]
fn certificates_and_public_keys_open() {
    for key in BASES.iter() {
        let der = openssl("x509 -outform DER", &[], &key.certificate);
        let public = openssl("pkey -pubout", &[], &key.pem);
        let public_der = openssl("pkey -pubout -outform DER", &[], &key.pem);
        let trusted = openssl("x509 -trustout -addtrust clientAuth", &[], &key.certificate);
        for (bytes, format) in [
            (&key.certificate, Format::X509),
            (&der, Format::X509),
            (&trusted, Format::X509),
            (&public, Format::PublicKeyBlock),
            (&public_der, Format::PublicKeyBlock),
        ] {
            let store = Store::open_as(StoreType::Certificate, bytes, Passwords::default()).unwrap();
            assert_eq!(store.format(), format, "{}", key.name);
            assert_eq!(store.entries()[0].public.as_ref().unwrap().blob(), key.blob);
            assert!(store.private_key("*").is_err());
            crate::batter::batter(bytes, None);
        }
    }
}

#[test]
fn pkcs7_lists_its_certificates() {
    let [one, other] = [base("rsa2048"), base("ed25519")];
    let words = "crl2pkcs7 -nocrl -certfile @ -certfile @";
    for form in ["PEM", "DER"] {
        let paths = [&*one.certificate_path(), &*other.certificate_path()];
        let bytes = openssl(&format!("{words} -outform {form}"), &paths, b"");
        let store = Store::open_as(StoreType::Pkcs7, &bytes, Passwords::default()).unwrap();
        let subjects = [one.subject(), other.subject()];
        assert_eq!(listed(&store), [(subjects[0].as_str(), false), (subjects[1].as_str(), false)]);
        crate::batter::batter(&bytes, None);
    }
}

/// Of 16,384 bits, which takes minutes to make.
#[test]
fn openssl_verifies_what_the_largest_key_signs() {
    let pem = include_bytes!("../../testdata/rsa16384.pem");
    let signer = underpass_keys::load(pem, None).unwrap().signer;
    let dir = Scratch::new();
    let public = dir.file("public", openssl("pkey -pubout", &[], pem));
    let blob = signer.sign("rsa-sha2-512", b"data").unwrap();
    // Behind the name stands the signature, as long as the modulus.
    let signature = dir.file("signature", &blob[blob.len() - 16384 / 8..]);
    openssl("dgst -sha512 -verify @ -signature @", &[&public, &signature], b"data");
}

fn traditional_format(key: &Base) -> Option<Format> {
    match key.name {
        "ed25519" => None,
        "dsa1024" => Some(Format::Dsa),
        _ if key.is_rsa() => Some(Format::Pkcs1),
        _ => Some(Format::Sec1),
    }
}
