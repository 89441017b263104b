//! `--proxy system`: what the settings of a GNOME desktop say, read by GNOME's own program.

use std::fs;

use underpass_conformance::proxy::{self, INSIDE, Proxy};
use underpass_conformance::{Client, Result};

use crate::bed::{Bed, PASSWORD, PATIENCE, USER};

/// A desktop exempts this machine, where all servers of these tests are, if it is not told otherwise.
const NO_EXCEPTIONS: &str = "ignore-hosts=@as []\n";

/// A client on a desktop whose settings, apart from the mode, are these lines of a key file.
fn on_desktop(bed: &Bed, mode: &str, lines: &str) -> Result<Client> {
    let config = bed.path("config");
    let settings = config.join("glib-2.0/settings");
    fs::create_dir_all(&settings)?;
    fs::write(settings.join("keyfile"), format!("[system/proxy]\nmode='{mode}'\n{lines}"))?;
    let client = bed.through("system")?.variable("XDG_CURRENT_DESKTOP", "GNOME");
    Ok(client
        .variable("GSETTINGS_BACKEND", "keyfile")
        .variable("XDG_CONFIG_HOME", config.display().to_string()))
}

fn section(name: &str, proxy: &Proxy) -> String {
    let address = proxy.address();
    format!("{NO_EXCEPTIONS}[system/proxy/{name}]\nhost='{}'\nport={}\n", address.ip(), address.port())
}

/// Where nothing listens.
const NOWHERE: &str = "[system/proxy/socks]\nhost='127.0.0.1'\nport=1\n";

#[test]
fn the_desktop_names_the_proxy() -> Result<()> {
    let bed = Bed::new()?;
    let socks = proxy::socks(&[])?;
    // Only the proxy knows this name.
    bed.carries(on_desktop(&bed, "manual", &section("socks", &socks))?.host(INSIDE))?;
    bed.fails_at(
        on_desktop(&bed, "manual", &format!("{NO_EXCEPTIONS}{NOWHERE}"))?,
        "127.0.0.1:1",
        &["refused"],
    )
}

#[test]
fn an_http_proxy_of_the_desktop_gets_its_user_and_password() -> Result<()> {
    let bed = Bed::new()?;
    let http = proxy::http(&[format!("BasicAuth {USER} {PASSWORD}")])?;
    let named = section("http", &http);
    let known = format!(
        "{named}use-authentication=true\nauthentication-user='{USER}'\nauthentication-password='{PASSWORD}'\n"
    );
    bed.carries(on_desktop(&bed, "manual", &known)?)?;
    bed.fails_at(on_desktop(&bed, "manual", &named)?, http.address(), &["wants a user name and a password"])
}

#[test]
fn exceptions_other_modes_and_the_environment_count_first() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(on_desktop(&bed, "manual", &format!("ignore-hosts=['127.0.0.0/8']\n{NOWHERE}"))?)?;
    bed.carries(on_desktop(&bed, "none", NOWHERE)?)?;
    bed.carries(on_desktop(&bed, "manual", NOWHERE)?.variable("NO_PROXY", "127.0.0.1"))?;
    let client = on_desktop(&bed, "auto", "autoconfig-url='http://127.0.0.1/proxy.pac'\n")?;
    let outcome = client.forward("127.0.0.1:1").run(PATIENCE)?;
    let error = outcome.error().cloned().unwrap_or_default();
    assert!(error["message"].as_str().is_some_and(|message| message.contains("script")), "{error}");
    Ok(())
}
