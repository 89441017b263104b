//! Key stores by keytool: JKS, JCEKS, and with Bouncy Castle BCFKS and PKCS#12 in BER.

use underpass_crypto::Secret;
use underpass_keys::{Format, KeyFileError, Passwords, Private, Store};

use crate::{
    PASSWORD, Sample,
    base::{BASES, Base, base},
    listed,
    tool::{Scratch, openssl, run},
};

const KEY_PASSWORD: &str = "other-horse";

const BOUNCY_CASTLE: &str = "-providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath \
                             /usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar";

/// Moves a key from PKCS#12 to another kind of store.
fn import(key: &Base, options: &str) -> Vec<u8> {
    let dir = Scratch::new();
    let words = "pkcs12 -export -inkey @ -in @ -name my-key -passout stdin";
    let paths = [&*key.path(), &*key.certificate_path()];
    let source = dir.file("source", openssl(words, &paths, format!("{PASSWORD}\n").as_bytes()));
    let target = dir.path("target");
    let words = format!(
        "-importkeystore -noprompt -srckeystore @ -srcstoretype PKCS12 -srcstorepass {PASSWORD} \
         -srcalias my-key -destkeystore @ -deststorepass {PASSWORD} {options}"
    );
    run("keytool", &words, &[&source, &target], b"");
    std::fs::read(target).unwrap()
}

#[test]
fn stores_open_with_their_password() {
    // keytool takes its time; what is inside of both kinds is the same.
    let kinds: [(&str, Format, &[&str]); 2] = [
        ("JKS", Format::Jks, &["rsa2048", "nistp256", "ed25519", "dsa1024"]),
        ("JCEKS", Format::Jceks, &["rsa2048", "ed25519"]),
    ];
    for (kind, format, keys) in kinds {
        for key in keys.iter().map(|name| base(name)) {
            let bytes = import(key, &format!("-deststoretype {kind}"));
            let what = format!("keytool {kind}");
            let password = Some(PASSWORD);
            Sample { what, bytes, format, key, password, shows_public: true }.check();
        }
    }
}

#[test]
fn stores_of_bouncy_castle_open() {
    let key = base("rsa2048");
    let options = format!("-deststoretype BCFKS {BOUNCY_CASTLE}");
    let (bytes, what) = (import(key, &options), "keytool BCFKS".to_owned());
    let password = Some(PASSWORD);
    Sample { what, bytes, format: Format::Bcfks, key, password, shows_public: false }.check();
    let options = format!("-deststoretype PKCS12 {BOUNCY_CASTLE} -destprovidername BC");
    let (bytes, what) = (import(key, &options), "keytool PKCS#12 in BER".to_owned());
    assert!(bytes.starts_with(&[0x30, 0x80]), "its lengths are open");
    Sample { what, bytes, format: Format::Pkcs12, key, password, shows_public: false }.check();
}

#[test]
fn a_key_may_have_a_password_of_its_own() {
    let bouncy = format!("-deststoretype BCFKS {BOUNCY_CASTLE}");
    for options in ["-deststoretype JKS", "-deststoretype JCEKS", &bouncy] {
        let key = base("nistp384");
        let bytes = import(key, &format!("{options} -destkeypass {KEY_PASSWORD}"));
        let [store, own, wrong] = [PASSWORD, KEY_PASSWORD, "wrong-horse"].map(Secret::from);
        let open = |key| {
            let passwords = Passwords { store: Some(&store), key };
            Store::open(&bytes, passwords)
                .unwrap()
                .private_key("*")
                .map(|key| key.signer.public_key().to_vec())
        };
        assert_eq!(open(None), Err(KeyFileError::WrongKeyPassword), "{options}");
        assert_eq!(open(Some(&wrong)), Err(KeyFileError::WrongKeyPassword), "{options}");
        assert_eq!(open(Some(&own)), Ok(key.blob.clone()), "{options}");
        let error = Store::open(&bytes, Passwords { store: Some(&wrong), key: Some(&own) }).unwrap_err();
        assert_eq!(error, KeyFileError::WrongPassphrase, "{options}");
    }
}

#[test]
fn what_needs_no_password_is_listed_without_one() {
    let key = &BASES[0];
    let bytes = import(key, "-deststoretype JKS");
    let store = Store::open(&bytes, Passwords::default()).unwrap();
    assert_eq!(listed(&store), [(key.subject().as_str(), false)]);
    let entry = store.select("my-key").unwrap();
    assert!(matches!(entry.private, Private::Unusable(KeyFileError::PassphraseMissing)));
    assert!(store.is_encrypted());
}

#[test]
fn certificates_and_secrets_beside_keys_do_no_harm() {
    let dir = Scratch::new();
    for (kind, pair) in [("JCEKS", "RSA -keysize 2048"), ("BCFKS", "EC -groupname secp256r1")] {
        let (target, certificate) = (dir.path(kind), base("ed25519").certificate_path());
        let bouncy = if kind == "BCFKS" { BOUNCY_CASTLE } else { "" };
        let common = format!("-keystore @ -storetype {kind} -storepass {PASSWORD} {bouncy}");
        run(
            "keytool",
            &format!("-genkeypair -alias pair -keyalg {pair} -dname CN=pair {common}"),
            &[&target],
            b"",
        );
        run(
            "keytool",
            &format!("-importcert -noprompt -alias authority -file @ {common}"),
            &[&certificate, &target],
            b"",
        );
        run(
            "keytool",
            &format!("-genseckey -alias secret -keyalg AES -keysize 128 {common}"),
            &[&target],
            b"",
        );
        let bytes = std::fs::read(target).unwrap();
        let secret = Secret::from(PASSWORD);
        let store = Store::open(&bytes, Passwords::from(Some(&secret))).unwrap();
        assert_eq!(store.private_key("CN=pair").unwrap().comment, "pair");
        assert_eq!(store.select("authority").unwrap().subject, base("ed25519").subject());
        assert_eq!(store.entries().len(), 2);
        crate::batter::batter(&bytes, Some(&secret));
    }
}
