//! What the library's default provider has.

use underpass_crypto::{
    Provider,
    algorithms::ecdsa::{Curve, EcdsaKey},
};
use underpass_openssl::{Mode, origins, provider, signer, version};

use crate::support::{Seeded, agreement, names};

#[test]
fn the_default_provider_has_all_that_is_asked_of_it() {
    let provider = provider(Mode::System).unwrap();
    assert_eq!(
        names(provider.kex),
        [
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group14-sha256",
        ]
    );
    assert_eq!(
        names(provider.signatures),
        [
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-512",
            "rsa-sha2-256",
        ]
    );
    assert_eq!(
        names(provider.ciphers),
        [
            "aes128-gcm@openssh.com",
            "aes256-gcm@openssh.com",
            "chacha20-poly1305@openssh.com",
            "aes128-ctr",
            "aes192-ctr",
            "aes256-ctr",
        ]
    );
    assert_eq!(
        names(provider.macs),
        [
            "hmac-sha2-256-etm@openssh.com",
            "hmac-sha2-512-etm@openssh.com",
            "hmac-sha2-256",
            "hmac-sha2-512",
            "hmac-sha1-etm@openssh.com",
            "hmac-sha1",
        ]
    );
}

#[test]
fn it_is_loaded_once_and_says_what_it_is() {
    let [first, second] = [provider(Mode::System), provider(Mode::System)].map(Result::unwrap);
    assert!(std::ptr::eq(first, second));
    assert!(version(Mode::System).unwrap().starts_with("OpenSSL 3."));
    let origins = origins(Mode::System).unwrap();
    assert!(origins.len() > 15 && origins.iter().all(|(_, origin)| origin == "default"), "{origins:?}");
}

#[test]
fn many_threads_may_use_it_at_once() {
    let work = |seed| {
        let key = EcdsaKey::generate(Curve::Nistp256, &mut Seeded::new(seed));
        let key = signer(Mode::System, &key).unwrap().unwrap();
        let provider = provider(Mode::System).unwrap();
        let verify = Provider::find(provider.signatures, "ecdsa-sha2-nistp256").unwrap().verify;
        let kex = agreement(Provider::find(provider.kex, "curve25519-sha256").unwrap());
        for round in 0_u32..50 {
            let signature = key.sign("ecdsa-sha2-nistp256", &round.to_be_bytes()).unwrap();
            assert_eq!(verify(key.public_key(), &signature, &round.to_be_bytes()), Ok(()));
            let client = kex.initiate(&mut Seeded::new(seed)).unwrap();
            let response = kex.respond(client.public(), &mut Seeded::new(seed)).unwrap();
            assert!(client.finish(&response.public).unwrap() == response.secret);
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|seed| drop(scope.spawn(move || work(seed)))));
}
