//! PKCS#12 by OpenSSL.

use underpass_crypto::Secret;
use underpass_keys::{Format, KeyFileError, Passwords, Store, StoreType};

use crate::{
    PASSWORD, Sample,
    base::{BASES, Base, base},
    listed,
    tool::openssl,
};

fn export(key: &Base, options: &str, password: &str) -> Vec<u8> {
    let words = format!("pkcs12 -export -inkey @ -in @ -name my-key -passout stdin {options}");
    openssl(&words, &[&key.path(), &key.certificate_path()], format!("{password}\n").as_bytes())
}

/// What OpenSSL's `pkcs12` is told.
const OPTIONS: [&str; 13] = [
    "",
    "-legacy",
    "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1",
    "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-40",
    "-legacy -certpbe PBE-SHA1-RC4-40 -keypbe PBE-SHA1-RC4-128",
    "-certpbe AES-128-CBC -keypbe AES-192-CBC -macalg sha384",
    "-macalg sha512",
    "-legacy -macalg md5",
    "-nomac",
    "-nomaciter -noiter",
    "-iter 10000",
    "-certpbe NONE",
    "-keypbe NONE",
];

#[test]
fn every_protection_opens() {
    for options in OPTIONS {
        let key = base("nistp256");
        let bytes = export(key, options, PASSWORD);
        // OpenSSL leaves the certificate in clear then.
        let shows_public = options == "-nomac";
        let (what, password) = (format!("pkcs12 {options}"), Some(PASSWORD));
        Sample { what, bytes, format: Format::Pkcs12, key, password, shows_public }.check();
    }
    let key = base("rsa2048");
    let bytes = export(key, "-certpbe NONE -keypbe NONE -nomac", PASSWORD);
    let what = "pkcs12 in clear".to_owned();
    Sample { what, bytes, format: Format::Pkcs12, key, password: None, shows_public: true }.check();
}

#[test]
fn every_type_of_key_opens() {
    for key in BASES.iter() {
        for password in [PASSWORD, "Grüße, 鍵"] {
            let bytes = export(key, "", password);
            let store = Store::open(&bytes, Passwords::from(Some(&Secret::from(password)))).unwrap();
            assert_eq!(listed(&store), [(key.subject().as_str(), true)]);
            assert_eq!(store.entries()[0].name, "my-key");
            let (what, password) = ("pkcs12".to_owned(), Some(password));
            Sample { what, bytes, format: Format::Pkcs12, key, password, shows_public: false }.check();
        }
    }
}

#[test]
fn an_empty_password_needs_not_be_given() {
    for options in ["", "-legacy", "-nomac"] {
        let key = base("ed25519");
        let bytes = export(key, options, "");
        let store = Store::open(&bytes, Passwords::default()).unwrap();
        assert_eq!(store.private_key("my-key").unwrap().signer.public_key(), key.blob);
    }
}

#[test]
fn authorities_in_the_store_follow_the_key_s_own_certificate() {
    let key = base("rsa2048");
    let words = "pkcs12 -export -inkey @ -in @ -certfile @ -name my-key -caname other -passout stdin";
    let paths = [&*key.path(), &*key.certificate_path(), &*base("nistp521").certificate_path()];
    let bytes = openssl(words, &paths, format!("{PASSWORD}\n").as_bytes());
    let secret = Secret::from(PASSWORD);
    let store = Store::open_as(StoreType::Pfx, &bytes, Passwords::from(Some(&secret))).unwrap();
    let subjects = [key.subject(), base("nistp521").subject()];
    assert_eq!(listed(&store), [(subjects[0].as_str(), true), (subjects[1].as_str(), false)]);
    assert_eq!(store.private_key("CN=nistp521").unwrap_err(), KeyFileError::Format(Format::Pkcs12));
    let missing = store.private_key("CN=nobody").unwrap_err();
    assert_eq!(missing, KeyFileError::NoSuchEntry("CN=nobody".to_owned()));
    let wanted = StoreType::Jks;
    let error = Store::open_as(wanted, &bytes, Passwords::default()).unwrap_err();
    assert_eq!(error, KeyFileError::NotA { wanted, found: Format::Pkcs12 });
}

/// OpenSSL 3.0 does not write these.
#[test]
fn a_mac_of_rfc_9579_is_verified() {
    let bytes = include_bytes!("../../testdata/pbmac1.p12");
    let [right, wrong] = ["1234", "1235"].map(Secret::from);
    let store = Store::open(bytes, Passwords::from(Some(&right))).unwrap();
    assert_eq!(listed(&store), [("CN=tt,OU=rr,O=ee,L=ww,ST=qq,C=XX", true)]);
    let error = Store::open(bytes, Passwords::from(Some(&wrong))).unwrap_err();
    assert_eq!(error, KeyFileError::WrongPassphrase);
    crate::batter::batter(bytes, Some(&right));
}
