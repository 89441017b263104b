//! Key exchange and logon with Kerberos, in a realm of the tests' own, against Debian's sshd.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

use underpass_conformance::account::USER;
use underpass_conformance::kerberos::{Cache, PASSWORD, REALM, Realm, STRANGER};
use underpass_conformance::peer::Peer;
use underpass_conformance::{Client, Failure, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
const LOGIN_REFUSED: i32 = 7;
/// A target that nobody connects to.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

fn realm() -> Result<Realm> {
    Realm::start(Duration::from_secs(300))
}

/// A client without keys and passwords that may log in with a ticket.
fn client(peer: &Peer) -> Result<Client> {
    Ok(Client::of(peer)?.no_identity().option("GSSAPIAuthentication", "yes"))
}

/// Nothing is on record.
fn without_known_hosts(client: Client) -> Client {
    client.option("UserKnownHostsFile", "none").option("GSSAPIKeyExchange", "yes")
}

/// Carries data, and gives the method that logged in.
fn carried(client: Client) -> Result<String> {
    let target = Target::Echo.start()?;
    let session = client.verbosity(1).forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(21), 100_000))?;
    let event = session.wait_for_event("authenticated", PATIENCE)?.unwrap_or_default();
    Ok(event["method"].as_str().unwrap_or_default().to_owned())
}

/// What the login that fails says.
fn refused(client: Client) -> Result<String> {
    let outcome = client.forward(NOWHERE).run(PATIENCE)?;
    outcome.failed_with(&[LOGIN_REFUSED])?;
    let message = outcome.error().and_then(|error| error["message"].as_str());
    Ok(message.unwrap_or_default().to_owned())
}

#[track_caller]
fn expect(words: &str, expected: &[&str]) {
    for part in expected {
        assert!(words.contains(part), "{part:?} is not in {words}");
    }
}

#[test]
fn logs_in_with_a_ticket() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&[])?;
    let ticket = realm.ticket(USER, HOUR)?;
    assert_eq!(carried(realm.equip(client(&peer)?, &ticket))?, "gssapi-with-mic");
    let principal = format!("host/localhost@{REALM}");
    let named = realm.equip(client(&peer)?, &ticket).option("GSSAPIServerIdentity", principal);
    assert_eq!(carried(named.option("GSSAPIClientIdentity", USER))?, "gssapi-with-mic");
    let in_realm = realm.equip(client(&peer)?, &ticket).flags(&["--kerberos-realm", REALM]);
    assert_eq!(carried(in_realm)?, "gssapi-with-mic");
    Ok(())
}

#[test]
fn needs_no_record_of_a_server_that_kerberos_vouches_for_and_logs_in_with_the_same_context() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&[])?;
    let ticket = realm.ticket(USER, HOUR)?;
    let with_kerberos = || Ok::<_, Failure>(without_known_hosts(realm.equip(client(&peer)?, &ticket)));
    assert_eq!(carried(with_kerberos()?)?, "gssapi-keyex");
    // The same context does not have to be used.
    let with_mic = with_kerberos()?.option("PreferredAuthentications", "gssapi-with-mic");
    assert_eq!(carried(with_mic)?, "gssapi-with-mic");
    // Without a ticket the key is looked up as ever.
    let nobody = without_known_hosts(realm.equip(client(&peer)?, &realm.empty_cache()?));
    let outcome = nobody.verbosity(1).forward(NOWHERE).run(PATIENCE)?;
    outcome.failed_with(&[6])?;
    let told = outcome.events.iter().any(|event| {
        let text = event["text"].as_str().unwrap_or_default();
        text.contains("no key exchange with Kerberos") && text.contains("kinit")
    });
    assert!(told, "{}", outcome.out);
    Ok(())
}

#[test]
fn ends_with_advice_where_only_kerberos_is_allowed_and_there_is_no_ticket() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&[])?;
    let only = realm.equip(client(&peer)?, &realm.empty_cache()?);
    let only = only.option("KexAlgorithms", "gss-curve25519-sha256-toWM5Slw5Ew8Mqkay+al2g==");
    expect(&refused(only)?, &["no Kerberos credentials"]);
    Ok(())
}

#[test]
fn renews_keys_with_kerberos_under_load() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&["RekeyLimit 256K"])?;
    let ticket = realm.ticket(USER, HOUR)?;
    let client = without_known_hosts(realm.equip(client(&peer)?, &ticket)).option("RekeyLimit", "200K");
    let target = Target::Echo.start()?;
    let session = client.verbosity(2).forward(target.address()).start()?;
    traffic::run(PATIENCE, traffic::echo(session.local(), Payload::new(3), 4 << 20))?;
    assert!(session.key_exchanges() > 10, "{}", session.key_exchanges());
    let exchanges = session.wait_for_events("key-exchange", 5, PATIENCE)?;
    assert!(exchanges.iter().all(|event| event["kex"].as_str().is_some_and(|kex| kex.starts_with("gss-"))));
    Ok(())
}

#[test]
fn passes_a_ticket_on_only_if_told_to() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&[])?;
    let ticket = realm.ticket(USER, HOUR)?;
    let (log, mut mark) = (peer.process().err(), 0);
    for exchange in ["no", "yes"] {
        for (delegate, expected) in
            [("no", "Got no client credentials"), ("yes", "Received some client credentials")]
        {
            let client = realm.equip(client(&peer)?, &ticket).option("GSSAPIKeyExchange", exchange);
            carried(client.option("GSSAPIDelegateCredentials", delegate))?;
            let told = |log: &str| log.get(mark..).unwrap_or_default().contains(expected).then_some(());
            peer.process().wait_for(log, PATIENCE, told)?;
            let other = if delegate == "no" { "Received some client" } else { "Got no client" };
            assert!(!log.text_from(mark).contains(other), "{exchange} {delegate}");
            mark = log.mark();
        }
    }
    Ok(())
}

#[test]
fn logs_in_with_a_ticket_for_a_password() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&["PasswordAuthentication no"])?;
    let cache = realm.empty_cache()?;
    let with = |password: &str| {
        let client = realm.equip(client(&peer)?, &cache).password(password);
        Ok::<_, Failure>(client.flags(&["--kerberos-credentials", "password"]))
    };
    assert_eq!(carried(with(PASSWORD)?)?, "gssapi-with-mic");
    assert_eq!(carried(without_known_hosts(with(PASSWORD)?))?, "gssapi-keyex");
    expect(&refused(with("wrong")?)?, &["gssapi-with-mic (the KDC does not take the password"]);
    Ok(())
}

#[test]
fn says_what_is_missing() -> Result<()> {
    let realm = realm()?;
    let peer = realm.sshd(&[])?;
    let ticket = realm.ticket(USER, HOUR)?;
    let with = |cache: &Cache| realm.equip(client(&peer).expect("the keys are made"), cache);
    let words = refused(with(&realm.empty_cache()?))?;
    expect(&words, &["gssapi-with-mic (there are no Kerberos credentials", "run kinit"]);
    let words = refused(with(&ticket).option("GSSAPIServerIdentity", "elsewhere"))?;
    expect(&words, &["gssapi-with-mic (the KDC does not know the server", "host/elsewhere"]);
    let words = refused(with(&realm.ticket(STRANGER, HOUR)?))?;
    expect(&words, &["tried: gssapi-with-mic (host@localhost)"]);
    let words = refused(with(&ticket).flags(&["--gssapi-library", "/nowhere/libgssapi.so"]))?;
    expect(
        &words,
        &["gssapi-with-mic (there is no GSSAPI library", "/nowhere/libgssapi.so", "libgssapi-krb5-2"],
    );
    // The system's library of something else is none, either.
    let words = refused(with(&ticket).flags(&["--gssapi-library", "libc.so.6"]))?;
    expect(&words, &["gssapi-with-mic (there is no GSSAPI library", "gss_import_name"]);
    let without_service = realm.ticket(USER, HOUR)?;
    realm.stop_kdc()?;
    let words = refused(with(&without_service))?;
    expect(&words, &["gssapi-with-mic (the KDC cannot be reached", "krb5.conf"]);
    Ok(())
}

#[test]
fn says_that_a_ticket_has_expired() -> Result<()> {
    let realm = Realm::start(Duration::from_secs(2))?;
    let peer = realm.sshd(&[])?;
    let ticket = realm.ticket(USER, Duration::from_secs(1))?;
    // Until it is too old by more than clocks may differ.
    sleep(Duration::from_secs(5));
    let client = realm.equip(client(&peer)?, &ticket);
    expect(&refused(client)?, &["gssapi-with-mic (the Kerberos ticket has expired", "run kinit again"]);
    Ok(())
}
