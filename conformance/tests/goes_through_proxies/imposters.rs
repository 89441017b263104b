//! What is no proxy ends in time, and is told as what it is.

use underpass_conformance::Result;
use underpass_conformance::proxy;
use underpass_testkit::script::Script;
use underpass_testkit::target::Refusing;

use crate::bed::Bed;

const SCHEMES: [&str; 5] = ["http", "socks4", "socks4a", "socks5", "socks5h"];

#[test]
fn a_proxy_that_is_not_there() -> Result<()> {
    let (bed, refusing) = (Bed::new()?, Refusing::start()?);
    for scheme in ["http", "https", "socks4", "socks5h"] {
        let url = format!("{scheme}://{}", refusing.address());
        bed.fails_at(bed.through(&url)?, &url, &["refused"])?;
    }
    Ok(())
}

#[test]
fn a_proxy_whose_name_has_no_address() -> Result<()> {
    let bed = Bed::new()?;
    bed.fails_at(bed.through("socks5://nowhere.invalid:1080")?, "socks5://nowhere.invalid:1080", &[])
}

#[test]
fn an_ssh_server() -> Result<()> {
    let bed = Bed::new()?;
    for scheme in SCHEMES {
        let url = format!("{scheme}://{}", bed.peer.address());
        bed.fails_at(bed.through(&url)?, &url, &["SSH server"])?;
    }
    let url = format!("https://{}", bed.peer.address());
    let certificate = proxy::tls(&proxy::http(&[])?)?;
    let client =
        bed.through(&url)?.variable("SSL_CERT_FILE", certificate.certificate().display().to_string());
    bed.fails_at(client, &url, &["TLS"])
}

#[test]
fn a_server_that_says_nothing() -> Result<()> {
    let (bed, silent) = (Bed::new()?, Script::Silent.start()?);
    for scheme in ["http", "socks5"] {
        let url = format!("{scheme}://{}", silent.address());
        bed.fails_at(bed.through(&url)?, &url, &["2 s"])?;
    }
    Ok(())
}

#[test]
fn a_server_that_answers_nonsense_or_hangs_up() -> Result<()> {
    let bed = Bed::new()?;
    for script in [Script::EndlessLines, Script::CloseAtOnce, Script::MaxStartups, Script::Http] {
        let server = script.start()?;
        for scheme in SCHEMES {
            let url = format!("{scheme}://{}", server.address());
            bed.fails_at(bed.through(&url)?, &url, &[])
                .map_err(|failure| failure.during(format_args!("{script:?} as {scheme}")))?;
        }
    }
    Ok(())
}
