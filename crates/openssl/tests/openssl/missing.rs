//! What is said where the FIPS provider is not there. What OpenSSL finds depends on the environment, so each question is
//! asked by a process of its own: this program again.

use std::path::Path;
use std::process::Command;

use underpass_openssl::{Cause, Mode, provider};

/// Tells the process that it is to ask.
const ASK: &str = "UNDERPASS_ASKS_FOR_FIPS";

/// What a process without modules says, with this configuration.
fn asked(test: &str, configuration: &Path) -> String {
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["--exact", test, "--nocapture"]).env(ASK, "yes");
    this.env("OPENSSL_CONF", configuration).env("OPENSSL_MODULES", env!("CARGO_MANIFEST_DIR"));
    String::from_utf8(this.output().unwrap().stdout).unwrap()
}

fn ask() {
    let error = provider(Mode::Fips).unwrap_err();
    println!("{:?}: {error}; {}", error.cause(), error.advice());
    // It was not for nothing: the rest works, and asking again is no harm.
    assert_eq!(provider(Mode::Fips).unwrap_err(), error);
    assert!(provider(Mode::System).is_ok());
}

#[test]
fn a_provider_that_is_missing_is_told_with_what_to_do() {
    if std::env::var_os(ASK).is_some() {
        return ask();
    }
    let name = "missing::a_provider_that_is_missing_is_told_with_what_to_do";
    let said = asked(name, Path::new("no such file"));
    assert!(
        said.contains(&format!("{:?}: OpenSSL has no FIPS provider that works (", Cause::FipsMissing)),
        "{said}"
    );
    assert!(said.contains("fips.") && said.contains("openssl fipsinstall"), "{said}");
    assert!(said.contains("test result: ok. 1 passed"), "{said}");
}

#[test]
fn a_configuration_that_is_not_valid_is_told_with_its_name() {
    if std::env::var_os(ASK).is_some() {
        return ask();
    }
    let name = "missing::a_configuration_that_is_not_valid_is_told_with_its_name";
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.cnf");
    std::fs::write(&file, "openssl_conf = [ not closed\n[ init\n").unwrap();
    let said = asked(name, &file);
    assert!(
        said.contains(&format!("{:?}: OpenSSL's configuration is not valid (", Cause::Configuration)),
        "{said}"
    );
    assert!(said.contains("broken.cnf") && said.contains("OPENSSL_CONF"), "{said}");
    assert!(said.contains("test result: ok. 1 passed"), "{said}");
}
