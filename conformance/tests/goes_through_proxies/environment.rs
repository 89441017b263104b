//! `--proxy system`: what the environment says.

use underpass_conformance::proxy::{self, INSIDE};
use underpass_conformance::{Client, Result};

use crate::bed::{Bed, PASSWORD, USER, WRONG};

fn system(bed: &Bed) -> Result<Client> {
    // The developer's desktop has no say.
    Ok(bed.through("system")?.variable("XDG_CURRENT_DESKTOP", ""))
}

#[test]
fn the_environment_names_the_proxy() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks5(USER, PASSWORD)?;
    let url = format!("socks5h://{USER}:{PASSWORD}@{}", proxy.address());
    for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"] {
        // Only the proxy knows this name.
        bed.carries(system(&bed)?.host(INSIDE).variable(name, &url))?;
    }
    let wrong = format!("socks5h://{USER}:{WRONG}@{}", proxy.address());
    let shown = format!("socks5h://{}", proxy.address());
    bed.fails_at(system(&bed)?.variable("ALL_PROXY", wrong), shown, &["did not accept"])
}

#[test]
fn exceptions_and_an_empty_environment_go_directly() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(system(&bed)?)?;
    let nowhere = "http://127.0.0.1:1";
    for exceptions in ["127.0.0.1", "127.0.0.0/8", "localhost, 127.0.0.1", "*"] {
        bed.carries(system(&bed)?.variable("ALL_PROXY", nowhere).variable("NO_PROXY", exceptions))?;
    }
    let exempt = |host: &str| {
        Ok::<_, underpass_conformance::Failure>(system(&bed)?.host("localhost").variable("no_proxy", host))
    };
    bed.carries(exempt("localhost")?.variable("ALL_PROXY", nowhere))?;
    bed.fails_at(exempt("elsewhere")?.variable("ALL_PROXY", nowhere), nowhere, &["refused"])
}

#[test]
fn without_being_asked_for_the_environment_does_not_count() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(bed.client()?.variable("ALL_PROXY", "http://127.0.0.1:1"))
}
