//! JSON Web Keys and XML, written here from the numbers that OpenSSL has in its keys, and the examples of the RFCs.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use underpass_keys::{Format, KeyFileError, Passwords, Private, Store, StoreType};

use crate::{
    Sample,
    base::{BASES, Base, base},
    listed,
    tool::openssl,
};

/// The strings of a flat SEQUENCE in DER, one for each field, without the zero before a number.
fn fields(der: &[u8]) -> Vec<&[u8]> {
    fn next<'a>(der: &mut &'a [u8]) -> (u8, &'a [u8]) {
        let tag = der[0];
        let long = der[1] >= 0x80;
        let header = if long { 2 + usize::from(der[1] & 0x7f) } else { 2 };
        let len = match long {
            true => der[2..header].iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            false => der[1].into(),
        };
        let content = &der[header..header + len];
        *der = &der[header + len..];
        (tag, content)
    }
    const INTEGER: u8 = 2;
    let (_, mut content) = next(&mut &der[..]);
    let mut found = Vec::new();
    while !content.is_empty() {
        // The zeros of a scalar, which is an OCTET STRING, count.
        found.push(match next(&mut content) {
            (INTEGER, [0, number @ ..]) => number,
            (_, field) => field,
        });
    }
    found
}

fn traditional(key: &Base) -> Vec<u8> {
    openssl("pkey -traditional -outform DER", &[], &key.pem)
}

/// `"name":"value",…` for a JSON Web Key.
fn members(names: &[&str], values: &[&[u8]]) -> String {
    let pairs = names.iter().zip(values);
    pairs.map(|(name, value)| format!(r#","{name}":"{}""#, URL_SAFE_NO_PAD.encode(value))).collect()
}

fn jwk(key: &Base) -> Option<String> {
    let der = traditional(key);
    let found = fields(&der);
    Some(match key.name {
        name if name.starts_with("rsa") => {
            let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
            format!(r#"{{"kty":"RSA","kid":"{name}"{}}}"#, members(&names, &found[1..]))
        }
        "ed25519" => {
            let private = openssl("pkey -outform DER", &[], &key.pem);
            let values = [&private[private.len() - 32..], &key.blob[key.blob.len() - 32..]];
            format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"ed25519"{}}}"#, members(&["d", "x"], &values))
        }
        "dsa1024" => return None,
        name => {
            let curve = format!("P-{}", &name[name.len() - 3..]);
            let len = found[1].len();
            let point = &key.blob[key.blob.len() - 2 * len..];
            let values = [found[1], &point[..len], &point[len..]];
            format!(r#"{{"kty":"EC","crv":"{curve}","kid":"{name}"{}}}"#, members(&["d", "x", "y"], &values))
        }
    })
}

/// `<Name>value</Name>…`.
fn elements(names: &[&str], values: &[&[u8]]) -> String {
    let pairs = names.iter().zip(values);
    pairs.map(|(name, value)| format!("  <{name}>{}</{name}>\n", STANDARD.encode(value))).collect()
}

fn xml(key: &Base) -> Option<String> {
    let der = traditional(key);
    let found = fields(&der);
    if key.is_rsa() {
        let names = ["Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ"];
        return Some(format!("<RSAKeyValue>\n{}</RSAKeyValue>", elements(&names, &found[1..])));
    }
    let names = ["P", "Q", "G", "Y", "X"];
    (key.name == "dsa1024").then(|| format!("<DSAKeyValue>{}</DSAKeyValue>", elements(&names, &found[1..])))
}

fn check(what: &str, key: &Base, format: Format, text: String) {
    let (what, bytes) = (what.to_owned(), text.into_bytes());
    Sample { what, bytes, format, key, password: None, shows_public: true }.check();
}

#[test]
fn json_web_keys_open_alone_and_in_a_set() {
    let mut set = Vec::new();
    for key in BASES.iter() {
        let Some(text) = jwk(key) else { continue };
        set.push(text.clone());
        check("JWK", key, Format::Jwk, text);
    }
    let set = format!(r#"{{"keys":[{}]}}"#, set.join(","));
    let store = Store::open_as(StoreType::Jwk, set.as_bytes(), Passwords::default()).unwrap();
    assert_eq!(store.entries().len(), 6);
    for entry in store.entries() {
        let found = store.private_key(&entry.name).unwrap();
        assert_eq!(found.signer.public_key(), base(&entry.name).blob);
    }
}

#[test]
fn a_json_web_key_may_be_public_or_have_certificates() {
    let key = base("nistp256");
    let text = jwk(key).unwrap();
    let public: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut public = public.as_object().unwrap().clone();
    public.remove("d");
    let der = openssl("x509 -outform DER", &[], &key.certificate);
    public.insert("x5c".to_owned(), vec![STANDARD.encode(der)].into());
    let bytes = serde_json::to_vec(&public).unwrap();
    let store = Store::open(&bytes, Passwords::default()).unwrap();
    assert_eq!(listed(&store), [(key.subject().as_str(), false)]);
    assert_eq!(store.entries()[0].public.as_ref().unwrap().blob(), key.blob);
    assert_eq!(store.private_key("*").unwrap_err(), KeyFileError::Format(Format::Jwk));
}

/// RFC 7517 appendix A.2 and RFC 8037 appendix A.1.
#[test]
fn the_examples_of_the_rfcs_open() {
    let p256 = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        "use":"enc","kid":"1"}"#;
    let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for text in [p256, ed25519] {
        assert!(underpass_keys::load(text.as_bytes(), None).is_ok(), "{text}");
        let changed = text.replace("\"d\":\"8", "\"d\":\"9").replace("\"d\":\"n", "\"d\":\"m");
        assert!(underpass_keys::load(changed.as_bytes(), None).is_err(), "{changed}");
    }
}

#[test]
fn keys_and_certificates_in_xml_open() {
    for key in BASES.iter() {
        let Some(text) = xml(key) else { continue };
        check("XML", key, Format::Xml, text.clone());
        let der = openssl("x509 -outform DER", &[], &key.certificate);
        let certificate =
            format!("<X509Data><X509Certificate>{}</X509Certificate></X509Data>", STANDARD.encode(der));
        let both = format!(
            "<?xml version=\"1.0\"?>\n<KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">\
             <KeyValue>{text}</KeyValue>{certificate}</KeyInfo>"
        );
        for (text, ready) in [(both, true), (certificate, false)] {
            let store = Store::open_as(StoreType::Xml, text.as_bytes(), Passwords::default()).unwrap();
            assert_eq!(listed(&store), [(key.subject().as_str(), ready)]);
        }
    }
}

#[test]
fn entities_in_xml_are_refused() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><RSAKeyValue><Modulus>&a;</Modulus></RSAKeyValue>";
    let error = Store::open(bomb.as_bytes(), Passwords::default()).unwrap_err();
    assert!(matches!(error, KeyFileError::Malformed(_)), "{error}");
}

#[test]
fn keys_of_types_that_ssh_lacks_are_named() {
    for (text, name) in [
        (r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}"#, "oct"),
        (
            r#"{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","d":"AA"}"#,
            "X25519",
        ),
        (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","d":"AA"}"#, "EC on secp256k1"),
    ] {
        let store = Store::open(text.as_bytes(), Passwords::default()).unwrap();
        let expected = KeyFileError::UnsupportedKeyType(name.to_owned());
        assert!(
            matches!(&store.entries()[0].private, Private::Unusable(error) if *error == expected),
            "{name}"
        );
    }
    let x25519 = openssl("genpkey -algorithm X25519", &[], b"");
    let error = underpass_keys::load(&x25519, None).unwrap_err();
    assert_eq!(error, KeyFileError::UnsupportedKeyType("X25519".to_owned()));
}
